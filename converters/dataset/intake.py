"""What the images of a folder, an archive or a table are labeled with, without decoding them."""

from dataclasses import dataclass, field
from pathlib import Path

from converters.dataset import (
    archives,
    boxes,
    csv_list,
    entries,
    folders,
    mask_images,
    shape_masks,
)
from converters.dataset.annotations import BoxListing, MaskListing
from converters.dataset.entries import FileTree
from converters.dataset.formats import box_tables, coco, label_studio
from converters.dataset.listing import LabeledFile, Listing, file_name
from converters.dataset.recognition import (
    CLASSIFY,
    DETECT,
    SEGMENT,
    Recognition,
    recognize,
)
from edge.errors import DatasetError

__all__ = ["LabeledFile", "Listing", "list_boxes", "list_images", "list_masks", "open_dataset"]

_EXPECTED = (
    "a folder with one subfolder per class (photos/cat/1.jpg, photos/dog/2.jpg), train/, val/ and "
    "test/ folders of this kind, a zip or tar of either, or a CSV with the columns path,label"
)


@dataclass(frozen=True, slots=True)
class OpenedDataset:
    """Files of a data set, and what they are labeled for.

    ``table``: a CSV that lists images with their classes, wherever they are; ``files`` is empty
    then.
    """

    name: str
    location: str
    files: FileTree
    recognition: Recognition
    table: Path | None = field(default=None)


def open_dataset(dataset: Path, workdir: Path) -> OpenedDataset:
    """List the files of a data set, and recognize the task that it is labeled for.

    Args:
        dataset: a folder, a zip or tar, a Teachable Machine project (``.tm``), a CSV of images or
            boxes, or a file of labels beside the images (JSON of COCO or Label Studio, data.yaml).
        workdir: for the images of an archive.

    Raises:
        DatasetError: it is missing, unreadable or of unknown structure; an archive is corrupt,
            encrypted or unsafe.
    """
    try:
        return _open(dataset, workdir)
    except PermissionError as error:
        path = error.filename or dataset
        raise DatasetError(
            "a readable dataset",
            f"no permission to read {path}",
            "change the file permissions, or copy the files",
            code="dataset-not-readable",
        ) from None


def list_images(dataset: Path, workdir: Path) -> Listing:
    """List the images of a data set with their classes.

    Args:
        dataset: a folder of class folders (images at any depth below), ``train/ val/ test/``
            of class folders, a zip or tar of either, a Teachable Machine project (``.tm``), or a
            CSV ``path,label[,split]``; see the modules folders, archives and csv_list.
        workdir: for the images of an archive.

    Raises:
        DatasetError: it is missing, unreadable, empty, of unknown structure, labeled with boxes or
            masks, or has fewer than two classes; a class has no usable image; an archive is
            corrupt, encrypted or unsafe.
    """
    return label_images(open_dataset(dataset, workdir))


def label_images(opened: OpenedDataset) -> Listing:
    """List the images of a data set with their classes; see :func:`list_images`."""
    listing = label_test_images(opened)
    if len(listing.classes) < 2:
        raise DatasetError(
            "at least 2 classes",
            f"only {listing.classes[0]!r} in {opened.location}",
            "add a folder (or label) with images of something else, for example "
            f"{listing.classes[0]}/ and other/",
            code="too-few-classes",
        )
    return listing


def label_test_images(opened: OpenedDataset) -> Listing:
    """List the images of a data set with their classes, which may be of one class alone.

    Raises:
        DatasetError: as :func:`list_images`, but for the number of classes.
    """
    opened.recognition.check(opened.location, CLASSIFY)
    if opened.table is not None:
        return csv_list.read_csv(opened.table)
    files = opened.files
    return folders.label_by_folder(opened.name, opened.location, files.images, files.others)


def list_boxes(opened: OpenedDataset) -> BoxListing:
    """List the images of a data set with the boxes of their objects.

    Raises:
        DatasetError: it is not labeled with boxes, or no box or image can be used.
    """
    recognition = opened.recognition
    recognition.check(opened.location, DETECT)
    assert recognition.format is not None  # nothing else has boxes
    table = recognition.format.read(opened.files, recognition.files)
    return boxes.list_boxes(opened.name, opened.location, opened.files, table)


def list_masks(opened: OpenedDataset) -> MaskListing:
    """List the images of a data set with their masks: mask images, else from outlines of objects.

    Raises:
        DatasetError: it is not labeled with masks, or no mask or image can be used.
    """
    recognition, files = opened.recognition, opened.files
    recognition.check(opened.location, SEGMENT)
    if recognition.format is None or mask_images.pairs(files):
        return mask_images.list_masks(opened.name, opened.location, files)
    table = recognition.format.read(files, recognition.files)
    return shape_masks.list_masks(opened.name, opened.location, files, table)


def _open(dataset: Path, workdir: Path) -> OpenedDataset:
    name, location = file_name(dataset.resolve().name) or "images", str(dataset)
    if dataset.is_dir():
        files = entries.walk(dataset)
        return OpenedDataset(name, location, files, recognize(files))
    if not dataset.exists():
        raise DatasetError(
            _EXPECTED,
            f"no file or folder {dataset}",
            "check the path",
            code="dataset-not-found",
            summary=f"dataset not found: {dataset}",
        )
    suffix, stem = dataset.suffix.lower(), file_name(entries.stem(dataset))
    if suffix in (".yaml", ".yml"):
        files = entries.walk(dataset.resolve().parent)
        return OpenedDataset(stem, location, files, recognize(files))
    if _holds_labels(dataset):
        files = _beside(dataset)
        return OpenedDataset(stem, location, files, recognize(files))
    if suffix in csv_list.SUFFIXES:
        nothing = FileTree([], [], {})
        return OpenedDataset(stem, location, nothing, recognize(nothing), table=dataset)
    if suffix in entries.ARCHIVE_SUFFIXES or archives.is_archive(dataset):
        files = archives.unpack(dataset, workdir)
        return OpenedDataset(stem, location, files, recognize(files))
    raise DatasetError(
        _EXPECTED,
        f"the file {dataset}, which is neither a zip, a tar nor a CSV",
        "unpack it, and pass the folder that contains the class folders"
        if suffix in entries.OTHER_ARCHIVES
        else "pass the folder that contains the class folders",
        code="dataset-format-unknown",
    )


def _holds_labels(path: Path) -> bool:
    """Check for a file with labels of images that lie beside it."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        return coco.is_coco(path) or label_studio.is_export(path)
    return suffix in csv_list.SUFFIXES and (
        box_tables.is_table(path) or label_studio.is_export(path)
    )


def _beside(labels: Path) -> FileTree:
    """Return the images beside a file of labels or in folders there, with no other labels."""
    files = entries.walk(labels.resolve().parent)
    own = file_name(labels.resolve().name)
    others = [name for name in files.others if name != own]
    return FileTree(files.images, [*others, own], {own: labels})
