"""Listing of the labeled images in a folder, an archive or a CSV, without decoding them."""

from pathlib import Path

from converters.dataset import archives, csv_list, entries, folders, other_tasks
from converters.dataset.listing import LabeledFile, Listing, file_name
from edge.errors import DatasetError

__all__ = ["LabeledFile", "Listing", "list_images"]

_EXPECTED = (
    "a folder with one subfolder per class (photos/cat/1.jpg, photos/dog/2.jpg), train/, val/ and "
    "test/ folders of this kind, a zip or tar of either, or a CSV with the columns path,label"
)


def list_images(dataset: Path, workdir: Path) -> Listing:
    """List the images of a data set with their classes.

    Args:
        dataset: a folder of class folders (images at any depth below), ``train/ val/ test/``
            of class folders, a zip or tar of either, a Teachable Machine project (``.tm``), or a
            CSV ``path,label[,split]``; see the modules folders, archives and csv_list.
        workdir: for the images of an archive.

    Raises:
        DatasetError: it is missing, unreadable, empty, of unknown structure, or has fewer than
            two classes; a class has no usable image; an archive is corrupt, encrypted or unsafe.
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
        return folders.label_by_folder(name, str(dataset), *entries.walk(dataset))
    if not dataset.exists():
        raise DatasetError(
            _EXPECTED,
            f"no file or folder {dataset}",
            "check the path",
            code="dataset-not-found",
            summary=f"dataset not found: {dataset}",
        )
    if dataset.suffix.lower() in csv_list.SUFFIXES:
        return csv_list.read_csv(dataset)
    if dataset.suffix.lower() in entries.ARCHIVE_SUFFIXES or archives.is_archive(dataset):
        name = file_name(entries.stem(dataset))
        return folders.label_by_folder(name, str(dataset), *archives.unpack(dataset, workdir))
    if dataset.suffix.lower() == ".json":
        other_tasks.check_json(dataset)
    raise DatasetError(
        _EXPECTED,
        f"the file {dataset}, which is neither a zip, a tar nor a CSV",
        "unpack it, and pass the folder that contains the class folders"
        if dataset.suffix.lower() in entries.OTHER_ARCHIVES
        else "pass the folder that contains the class folders",
        code="dataset-format-unknown",
    )
