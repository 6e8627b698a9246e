"""Listing of the labeled images in a folder, a zip or a CSV, without decoding them."""

import zipfile
from pathlib import Path

from converters.dataset import archives, csv_list, folders
from converters.dataset.listing import LabeledFile, Listing, file_name
from edge.errors import DatasetError

__all__ = ["LabeledFile", "Listing", "list_images"]

_EXPECTED = (
    "a folder with one subfolder per class (photos/cat/1.jpg, photos/dog/2.jpg), train/, val/ and "
    "test/ folders of this kind, a zip of either, or a CSV with the columns path,label"
)


def list_images(dataset: Path, workdir: Path) -> Listing:
    """List the images of a data set with their classes.

    Args:
        dataset: a folder of class folders (images at any depth below), ``train/ val/ test/``
            of class folders, a zip of either or a Teachable Machine project (``.tm``), or a CSV
            ``path,label[,split]``; see the modules folders, archives and csv_list.
        workdir: for the images of a zip.

    Raises:
        DatasetError: it is missing, unreadable, empty, of unknown structure, or has fewer than
            two classes; a zip is corrupt, encrypted or unsafe.
    """
    try:
        listing = _read(dataset, workdir)
    except PermissionError as error:
        path = error.filename or dataset
        raise DatasetError(
            "a readable dataset",
            f"no permission to read {path}",
            "change the file permissions, or copy the files",
            code="dataset-not-readable",
        ) from None
    if len(listing.classes) < 2:
        raise DatasetError(
            "at least 2 classes",
            f"only {listing.classes[0]!r} in {dataset}",
            "add a folder (or label) with images of something else, for example "
            f"{listing.classes[0]}/ and other/",
            code="too-few-classes",
        )
    return listing


def _read(dataset: Path, workdir: Path) -> Listing:
    name = file_name(dataset.resolve().name) or "images"
    if dataset.is_dir():
        entries, empty = folders.walk(dataset)
        return folders.label_by_folder(name, str(dataset), entries, empty)
    if not dataset.exists():
        raise DatasetError(
            _EXPECTED,
            f"no file or folder {dataset}",
            "check the path",
            code="dataset-not-found",
            summary=f"dataset not found: {dataset}",
        )
    suffix = dataset.suffix.lower()
    if suffix in csv_list.SUFFIXES:
        return csv_list.read_csv(dataset)
    if suffix in archives.SUFFIXES or zipfile.is_zipfile(dataset):
        entries, ignored = archives.unpack(dataset, workdir)
        return folders.label_by_folder(file_name(dataset.stem), str(dataset), entries, ignored)
    raise DatasetError(
        _EXPECTED,
        f"the file {dataset}, which is neither a zip nor a CSV",
        "pass the folder that contains the class folders",
        code="dataset-format-unknown",
    )
