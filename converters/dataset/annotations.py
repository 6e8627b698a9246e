"""Labeled boxes and masks of a data set, as every format of labels is read.

Pixels are those of the upright image, that is with its EXIF orientation applied, as
:func:`edge.image.read_image` returns it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.quantities import counted

VOID = 255
"""Value of a mask's pixels that count neither in training nor in evaluation."""

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class AnnotationFinding:
    """What was noticed about the labels of a data set, which goes on without it.

    ``kind``: stable, such as "boxes-clipped"; ``count``: of boxes, images or files; ``names``: of
    the images or files concerned, sorted; ``sentence``: for people.
    """

    kind: str
    count: int
    names: tuple[str, ...]
    sentence: str


def finding(kind: str, names: Iterable[str], problem: str) -> AnnotationFinding:
    """Return a finding about images or files, whose sentence ends with the first as an example.

    ``problem``: its beginning, in which a noun in braces, such as ``{image}``, stands for how many
    there are.
    """
    ordered = tuple(sorted(set(names)))
    before, _, rest = problem.partition("{")
    noun, _, after = rest.partition("}")
    sentence = f"{before}{counted(len(ordered), noun)}{after}, such as {ordered[0]}."
    return AnnotationFinding(kind, len(ordered), ordered, sentence)


@dataclass(frozen=True, slots=True, eq=False)
class BoxedFile:
    """An image file with its boxes; one without boxes shows none of the classes.

    ``name``: path relative to the data set, with '/' between parts; ``split``: "train",
    "validation" or "test" where the data set has a split, else None; ``boxes``: float32 [n, 4],
    left, top, right, bottom in pixels; ``labels``: int64 [n], index into the classes;
    ``ignored``: bool [n], boxes that are neither right nor wrong where they are predicted, and not
    trained on (COCO's crowds, Pascal VOC's difficult objects); ``size``: of the upright image.
    """

    path: Path
    name: str
    split: str | None
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    size: Size


@dataclass(frozen=True, slots=True)
class BoxListing:
    """Images of a data set with their boxes, sorted by name.

    ``classes``: names in the order of the labels' indices; ``ignored``: names of the other files.
    """

    name: str
    images: tuple[BoxedFile, ...]
    classes: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    findings: tuple[AnnotationFinding, ...] = ()


class MaskSource(Protocol):
    """Where a mask comes from: an image, or shapes in a file of labels."""

    def read(self, size: Size) -> NDArray[np.uint8]:
        """Return the mask of an upright image of this size as uint8 [height, width].

        Raises:
            DatasetError: it cannot be read, is of another size, or has values of no class.
        """


@dataclass(frozen=True, slots=True, eq=False)
class MaskedFile:
    """An image file with its mask; fields as those of :class:`BoxedFile`."""

    path: Path
    name: str
    split: str | None
    mask: MaskSource
    size: Size

    def read_mask(self) -> NDArray[np.uint8]:
        """Return the mask as uint8 [height, width]: an index into the classes, or ``VOID``.

        Raises:
            DatasetError: it cannot be read, is of another size than the image, or has values of no
                class; :func:`converters.dataset.mask_audit.audit_masks` leaves such images out.
        """
        return self.mask.read(self.size)


@dataclass(frozen=True, slots=True)
class MaskListing:
    """Images of a data set with their masks, sorted by name; fields as of :class:`BoxListing`.

    The class of index 0 is the background where the labels have one, and always where they are
    shapes: pixels outside of all shapes are of it.
    """

    name: str
    images: tuple[MaskedFile, ...]
    classes: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    findings: tuple[AnnotationFinding, ...] = ()
