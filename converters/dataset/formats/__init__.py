"""Formats of labels, each read into the same table of objects with boxes, outlines or both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from converters.dataset.entries import FileTree
from converters.dataset.formats import box_tables, coco, label_studio, pascal_voc, yolo
from converters.dataset.formats.label_table import LabelTable


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """A format of labels.

    ``has_outlines``: its objects may have outlines, from which masks are made; ``find`` returns the
    names of its files of labels, and ``read`` reads those.
    """

    name: str
    has_outlines: bool
    find: Callable[[FileTree], tuple[str, ...]]
    read: Callable[[FileTree, Sequence[str]], LabelTable]


COCO = LabelFormat("COCO", True, coco.find, coco.read)
LABEL_STUDIO = LabelFormat("Label Studio", True, label_studio.find, label_studio.read)
YOLO = LabelFormat("YOLO", True, yolo.find, yolo.read)
PASCAL_VOC = LabelFormat("Pascal VOC", False, pascal_voc.find, pascal_voc.read)
BOX_TABLE = LabelFormat("CSV", False, box_tables.find, box_tables.read)

FORMATS = (COCO, LABEL_STUDIO, YOLO, PASCAL_VOC, BOX_TABLE)
"""In the order in which they are looked for; a data set exported twice is read once."""
