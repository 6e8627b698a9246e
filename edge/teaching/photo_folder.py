"""A folder of images that grows while somebody teaches: one folder per class.

It is an ordinary data set, which ``edge convert`` takes. Each image is a whole file as soon as it
has its name, so that nothing is lost when the program is killed. What is removed goes to a folder
of its own and can be put back.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import DatasetError, UsageError, unwritable
from edge.files import write_atomic
from edge.frame import BgrImage
from edge.image_collector import check_label, write_image
from edge.image_format import SUFFIXES, UNREADABLE_SUFFIXES
from edge.quantities import counted
from edge.system_files import is_system_name
from edge.teaching.history import Undo

TRASH = ".trash"
"""Folder in the data set for removed images; hidden folders are no classes."""


@dataclass(frozen=True, slots=True)
class PhotoFolder:
    """The class folders in ``root`` and the images in them."""

    root: Path

    def labels(self) -> list[str]:
        """Return the names of the classes, which may have no image yet, in alphabetical order.

        Raises:
            DatasetError: the folder holds images outside class folders, or cannot be read.
        """
        try:
            entries = [path for path in self.root.iterdir() if not is_system_name(path.name)]
            folders = sorted(path.name for path in entries if path.is_dir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DatasetError(
                "a folder with a folder of images per class",
                f"{self.root} ({error.strerror})",
                "check the path and its permissions",
                code="dataset-unreadable",
            ) from None
        if not folders and any(path.suffix.lower() in SUFFIXES for path in entries):
            raise DatasetError(
                "a folder of images per class",
                f"images directly in {self.root}",
                "sort them into folders, such as "
                f"{self.root / 'cup'} and {self.root / 'background'}",
                code="no-class-folders",
            )
        return folders

    def images(self, label: str) -> list[Path]:
        """Return the image files of a class in the order of their names.

        Raises:
            DatasetError: its images are deeper inside, or of formats that are not read.
        """
        folder = self.root / label
        if not folder.is_dir():
            return []
        files = sorted(path for path in folder.iterdir() if not is_system_name(path.name))
        images = [path for path in files if path.suffix.lower() in SUFFIXES and path.is_file()]
        if not images:
            _check_empty(folder, files)
        return images

    def add(self, image: BgrImage, label: str) -> Path:
        """Write an image, uint8 BGR [height, width, 3], into the folder of its class.

        Raises:
            UsageError: the label is no valid folder name.
            OutputError: it cannot be written.
        """
        self.add_class(label)
        return write_image(self.root / label, image)

    def add_class(self, label: str) -> None:
        """Create the folder of a class, if there is none.

        Raises:
            UsageError: the label is no valid folder name.
            OutputError: it cannot be created.
        """
        check_label(self.root, label)
        _make(self.root / label)

    def remove(self, paths: Sequence[Path]) -> Undo:
        """Move images into the trash; return what puts them back.

        Raises:
            OutputError: they cannot be moved.
        """
        moved: list[tuple[Path, Path]] = []

        def undo() -> None:
            while moved:
                path, kept = moved[-1]
                _make(path.parent)
                _move(kept, path)
                moved.pop()

        for path in paths:
            kept = _free(self.root / TRASH / path.parent.name / path.name)
            _make(kept.parent)
            _move(path, kept)
            moved.append((path, kept))
        return undo

    def remove_class(self, label: str) -> Undo:
        """Move the folder of a class into the trash; return what puts it back.

        Raises:
            OutputError: it cannot be moved.
        """
        folder = self.root / label
        if not folder.is_dir():
            return lambda: None
        kept = _free(self.root / TRASH / label)
        _make(kept.parent)
        _move(folder, kept)
        return lambda: _move(kept, folder)

    def rename(self, label: str, new: str) -> Undo:
        """Rename a class; return what names it as before.

        Raises:
            UsageError: the new name is no valid folder name, or taken.
            OutputError: the folder cannot be renamed.
        """
        check_label(self.root, new)
        before, after = self.root / label, self.root / new
        if after.exists():
            raise label_taken(new)
        if not before.is_dir():
            return lambda: None
        _move(before, after)
        return lambda: _move(after, before)

    def add_file(self, content: bytes, name: str, label: str) -> Path:
        """Keep an image file as it is in the folder of its class, under a free name like its own.

        Raises:
            UsageError: the label is no valid folder name.
            OutputError: it cannot be written.
        """
        self.add_class(label)
        plain = Path(name).name
        usable = plain.isprintable() and not is_system_name(plain) and len(plain.encode()) <= 200
        path = _free(self.root / label / (plain if usable else f"image{Path(name).suffix}"))
        write_atomic(path, content)
        return path


def label_taken(label: str) -> UsageError:
    """Return the error for a name that another class has."""
    return UsageError(
        "a name that no other class has", f"'{label}'", "choose another name", code="label-taken"
    )


def _check_empty(folder: Path, files: Sequence[Path]) -> None:
    """Refuse a folder without images that has something else inside."""
    deeper = next((path for path in files if path.is_dir()), None)
    if deeper is not None:
        raise DatasetError(
            f"images in {folder}",
            f"the folder {deeper.name} inside",
            "name the folder that holds the class folders",
            code="no-class-folders",
        )
    other = [path for path in files if path.suffix.lower() in UNREADABLE_SUFFIXES]
    if other:
        kind = UNREADABLE_SUFFIXES[other[0].suffix.lower()]
        raise DatasetError(
            f"images that can be read in {folder}",
            f"{counted(len(other), 'image')} in {kind.name}",
            "convert them to JPEG",
            code="image-format-unsupported",
        )


def _free(path: Path) -> Path:
    """Return ``path``, or a path like it that does not exist."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from None


def _move(source: Path, target: Path) -> None:
    try:
        shutil.move(source, target)
    except OSError as error:
        raise unwritable(target, error) from None
