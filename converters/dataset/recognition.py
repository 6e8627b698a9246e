"""Which task a data set is labeled for: one class for each image, boxes, or masks.

It is recognized by the files that tools for labels write, before a class is guessed from a folder
that is called ``images`` or ``train2017``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import commonpath
from pathlib import PurePosixPath

from converters.dataset import mask_images, split_names
from converters.dataset.entries import FileTree
from converters.dataset.formats import (
    FORMATS,
    LABEL_STUDIO,
    YOLO,
    LabelFormat,
    label_studio,
    yolo_names,
)
from edge.errors import DatasetError

CLASSIFY, DETECT, SEGMENT = "classify", "detect", "segment"

_EXPECTED = {
    CLASSIFY: "one class for each image, by a folder per class or a CSV path,label",
    DETECT: "boxes of objects, as COCO, Pascal VOC, YOLO, Label Studio or CSV",
    SEGMENT: "masks beside the images, or outlines of objects as COCO, YOLO or Label Studio",
}
_REMEDY = {
    CLASSIFY: "sort the images, or crops of their objects, into a folder per class",
    DETECT: "draw boxes, and export them as COCO, Pascal VOC or YOLO",
    SEGMENT: "draw masks or polygons, and export them as PNG or COCO",
}
_FOLDERS_OF_IMAGES = frozenset({
    "jpegimages", "obj_train_data", "obj", "masks", "segmentationclass", "segmentationobject",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a data set is labeled for.

    ``tasks``: those that its labels allow, the likeliest first; ``kind``: in words; ``sign``: name
    of a file that shows it, if any; ``format`` and ``files``: that of the labels, and the names of
    their files, where there are any.
    """

    tasks: tuple[str, ...]
    kind: str
    sign: str | None = None
    format: LabelFormat | None = None
    files: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """The likeliest task."""
        return self.tasks[0]

    def check(self, location: str, task: str) -> None:
        """Check that the labels allow a task.

        Raises:
            DatasetError: they are for another one.
        """
        if task not in self.tasks:
            shown = f" ({self.sign})" if self.sign else ""
            raise DatasetError(
                _EXPECTED[task],
                f"{location}, a {self.kind}{shown}",
                _REMEDY[task],
                code="dataset-for-another-task",
                summary=f"{location} is a {self.kind}{shown}, which is not for the task {task}",
            )


def recognize(files: FileTree) -> Recognition:
    """Recognize what a data set is labeled for."""
    by_class = _has_class_folders([image.name for image in files.images])
    masks = mask_images.pairs(files)
    for kind in FORMATS:
        names = kind.find(files)
        if not names or (by_class and _may_be_notes(kind, files, names)):
            continue
        tasks = _tasks(kind, files, names)
        if masks and SEGMENT not in tasks:
            tasks += (SEGMENT,)
        if by_class:
            tasks += (CLASSIFY,)
        return Recognition(
            tasks, f"detection data set in {kind.name} format", names[0], kind, names
        )
    if masks:
        return Recognition((SEGMENT,), "segmentation data set", masks[0][1].name)
    return Recognition((CLASSIFY,), "data set of one class for each image")


def _tasks(kind: LabelFormat, files: FileTree, names: Sequence[str]) -> tuple[str, ...]:
    if not kind.has_outlines:
        return (DETECT,)
    if kind is LABEL_STUDIO and label_studio.has_masks_only(files, names):
        return (SEGMENT, DETECT)
    return (DETECT, SEGMENT)


def _may_be_notes(kind: LabelFormat, files: FileTree, names: Sequence[str]) -> bool:
    """Check for files that lie next to images in class folders, as captions do."""
    folders = {PurePosixPath(image.name).parent for image in files.images}
    beside = all(PurePosixPath(name).parent in folders for name in names)
    one_each = len(names) > 1 or PurePosixPath(names[0]).suffix.lower() in (".xml", ".txt")
    return beside and one_each and not (kind is YOLO and yolo_names.find(files))


def _has_class_folders(images: Sequence[str]) -> bool:
    """Return True if a folder around some images may be a class: no split, and not called images.

    Folders around all images are none.
    """
    folders = [PurePosixPath("/", image).parent for image in images]
    top = PurePosixPath(commonpath(folders)) if folders else PurePosixPath("/")
    inside = {part for folder in folders for part in folder.relative_to(top).parts}
    return not all(
        split_names.parse(name) or split_names.is_filler(name) or name.lower() in _FOLDERS_OF_IMAGES
        for name in inside
    )
