"""Class folders without a usable image: an error, as a class must not vanish silently."""

import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from converters.dataset.entries import ImageEntry
from converters.dataset.listing import LabeledFile, class_name
from edge.errors import DatasetError
from edge.image_format import FORMATS, names_of
from edge.system_files import is_camera_folder

_READABLE = names_of(kind for kind in FORMATS if kind.readable)

_DOCUMENTS = frozenset({
    ".txt", ".md", ".rst", ".rtf", ".pdf", ".doc", ".docx", ".odt", ".xls", ".xlsx", ".csv", ".tsv",
    ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".log", ".html",
    ".htm", ".css", ".js", ".py", ".ipynb", ".sh", ".bat", ".url", ".lnk", ".db", ".sqlite",
    ".cache", ".lock", ".tflite", ".task", ".h5", ".keras", ".onnx", ".pt", ".pth", ".pb", ".ckpt",
})  # fmt: skip
"""Suffixes of what lies beside images; a folder with these alone was not meant to be a class."""


def check_folders(
    location: str,
    roots: Iterable[tuple[str, ...]],
    others: Iterable[str],
    labels: Collection[str],
) -> None:
    """Check that each class folder contains images.

    Args:
        location: path of the data set, for errors.
        roots: folders of class folders, as parts of their paths.
        others: files that are no images, and empty folders (with a '/' at the end).
        labels: classes with images.

    Raises:
        DatasetError: a class folder is empty, or contains files of other kinds only.
    """
    contents: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for other in others:
        *parents, name = other.rstrip("/").split("/")
        folder = (*parents, name) if other.endswith("/") else tuple(parents)
        for root in roots:
            if folder[: len(root)] == root and len(folder) > len(root):
                contents[folder[: len(root) + 1]].append(other)
    known = {label.casefold() for label in labels}
    for folder, names in contents.items():
        label = class_name(folder[-1])
        files = [name for name in names if not name.endswith("/")]
        documents = all(PurePosixPath(name).suffix.lower() in _DOCUMENTS for name in files)
        if label.casefold() in known or is_camera_folder(folder[-1]) or (files and documents):
            continue
        path = "/".join(folder)
        raise DatasetError(
            "images in every class folder",
            f"none in {path}/ of {location}, " + (_files(files) if files else "which is empty"),
            f"add images of {label!r} ({_READABLE}), or move {path}/ elsewhere",
            code="class-without-images",
        )


def check_formats(
    location: str, sources: Iterable[LabeledFile], images: Iterable[ImageEntry]
) -> None:
    """Check that each class has an image of a format that is read.

    Args:
        location: path of the data set, for errors.
        sources: the labeled images.
        images: entries of these, and of others.

    Raises:
        DatasetError: all images of a class are, for example, HEIC.
    """
    formats = {image.path: image.unreadable for image in images}
    by_label: defaultdict[str, list[LabeledFile]] = defaultdict(list)
    for source in sources:
        by_label[source.label].append(source)
    for label, files in by_label.items():
        kinds = sorted({kind.name if (kind := formats[file.path]) else "" for file in files})
        if "" in kinds:
            continue
        example = PurePosixPath(files[0].name)
        folder = shlex.quote(str(Path(location) / example.parent))
        raise DatasetError(
            f"{_READABLE} images in every class folder",
            f"only {' and '.join(kinds)} files of {label!r} in {location}, such as {example}",
            f"convert them, for example with ImageMagick: "
            f"mogrify -format jpg {folder}/*{example.suffix}"
            if Path(location).is_dir()
            else "unpack it, convert them to JPEG, and pass the folder",
            code="class-format-unsupported",
        )


def _files(names: list[str]) -> str:
    suffixes = sorted({PurePosixPath(name).suffix for name in names} - {""})
    kinds = f"{' and '.join(suffixes)} files" if suffixes else "other files"
    return f"only {kinds} such as {names[0]}"
