"""Image collector: images of one class for a dataset, without near-duplicates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError
from edge.files import native_path, output_errors, write_atomic
from edge.frame import BgrImage
from edge.image import encode_jpeg
from edge.image_format import SUFFIXES
from edge.system_files import is_system_name
from edge.terminal import discard_c_stderr

_DUPLICATE_DIFFERENCE = 2.0
"""Mean difference of two thumbnails, in gray levels of 255, below which they are duplicates.

Two frames of a still scene differ by the camera's noise, about half of that.
"""

_THUMBNAIL = (32, 32)
_QUALITY = 95


@dataclass
class ImageCollector:
    """Images of one class in a folder of a dataset.

    Images that are in the folder already count as taken before.

    Attributes:
        root: Folder of the dataset.
        label: The class, which is also the name of its folder.
        kept: Files written.
        skipped: Number of near-duplicates.
        in_a_row: Near-duplicates since the last image that was kept.
    """

    root: Path
    label: str
    kept: list[Path] = field(default_factory=list)
    skipped: int = 0
    in_a_row: int = 0
    _thumbnails: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, image: BgrImage) -> Path | None:
        """Write an image, uint8 BGR [height, width, 3], to a new file; None for a near-duplicate.

        Raises:
            OutputError: it cannot be written.
        """
        thumbnail = _thumbnail(image)
        if any(
            np.abs(thumbnail - other).mean() < _DUPLICATE_DIFFERENCE for other in self._thumbnails
        ):
            self.skipped += 1
            self.in_a_row += 1
            return None
        path = write_image(self.root / self.label, image, len(self.kept))
        self._thumbnails.append(thumbnail)
        self.kept.append(path)
        self.in_a_row = 0
        return path

    def counts(self) -> dict[str, int]:
        """Count the images of each class in the dataset."""
        folders = [path for path in self.root.iterdir() if path.is_dir()]
        return {
            folder.name: sum(
                path.suffix.lower() in SUFFIXES and not is_system_name(path.name)
                for path in folder.iterdir()
            )
            for folder in sorted(folders)
            if not is_system_name(folder.name)
        }


def write_image(folder: Path, image: BgrImage, number: int = 0) -> Path:
    """Write an image, uint8 BGR [height, width, 3], to a new file named after the time.

    Args:
        folder: exists.
        image: the image.
        number: where to start counting the images of one second.

    Raises:
        OutputError: it cannot be written.
    """
    content = encode_jpeg(image, _QUALITY)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    while (path := folder / f"{stamp}-{number:04d}.jpg").exists():
        number += 1
    write_atomic(path, content)
    return path


def open_collector(root: Path, label: str) -> ImageCollector:
    """Open the folder ``root/label``; it is created if it does not exist.

    Raises:
        UsageError: the label is not a valid folder name.
        OutputError: the folder cannot be created.
    """
    check_label(root, label)
    with output_errors(root / label):
        (root / label).mkdir(parents=True, exist_ok=True)
    return ImageCollector(root, label, _thumbnails=list(_thumbnails(root / label)))


def check_label(root: Path, label: str) -> None:
    """Refuse a label that cannot name a folder in ``root``; existing folders may have any name.

    Raises:
        UsageError: the label is not a valid folder name.
        OutputError: ``root`` cannot be read.
    """
    with output_errors(root):
        known = root.is_dir() and any(path.name == label for path in root.iterdir())
    unusable = not known and re.search(r'[/\\:*?"<>|\x00-\x1f]', label)
    if not label.strip() or is_system_name(label) or unusable:
        raise UsageError(
            "a label that is a valid folder name",
            f"'{label}'",
            "choose a plain name, such as cat",
            code="invalid-label",
        )


def _thumbnails(folder: Path) -> Iterator[NDArray[np.float32]]:
    """Yield thumbnails of the images there; unreadable ones are left to ``edge convert``."""
    for path in folder.iterdir():
        if path.suffix.lower() not in SUFFIXES or is_system_name(path.name):
            continue
        with discard_c_stderr(), native_path(path) as name:
            image = cv2.imread(name, cv2.IMREAD_REDUCED_COLOR_8)  # by far the fastest for JPEG
            if image is not None and min(image.shape[:2]) < 2 * max(_THUMBNAIL):
                image = cv2.imread(name)
        if image is not None:
            yield _thumbnail(image)


def _thumbnail(image: cv2.typing.MatLike) -> NDArray[np.float32]:
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.resize(gray, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
