"""Labels as a file has them, before images are looked up: every format is read into this table."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converters.dataset.annotations import AnnotationFinding, Size

Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""

Extent = tuple[float, float]
"""Width and height of an image in the units of its labels."""


class Outline(Protocol):
    """The shape of an object."""

    def bounds(self) -> Box | None:
        """Return the box around it, in the units of its labels; None where it is empty."""

    def area(self) -> float:
        """Return the area in squares of the units of its labels.

        Raises:
            DatasetError: it is broken.
        """

    def fill(self, extent: Extent, size: Size) -> NDArray[np.bool_]:
        """Return it as bool [height, width] of an image of this size.

        ``extent``: of the image in the units of its labels.

        Raises:
            DatasetError: it does not fit the image.
        """


@dataclass(frozen=True, slots=True)
class LabeledObject:
    """An object: its class, its box or outline or both, and whether it does not count."""

    label: str
    box: Box | None
    outline: Outline | None = None
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class LabeledImage:
    """Labels of an image.

    ``image``: its name as the labels have it; ``source``: name of the file of labels; ``size``: in
    pixels as the labels say; ``extent``: of the image in the units of its boxes, None where these
    are pixels; ``split``: what the labels call its split.
    """

    image: str
    source: str
    objects: tuple[LabeledObject, ...]
    size: Size | None = None
    extent: Extent | None = None
    split: str | None = None


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Labels of a data set; ``used``: names of the files that were read."""

    images: tuple[LabeledImage, ...]
    classes: tuple[str, ...]
    used: frozenset[str]
    findings: tuple[AnnotationFinding, ...] = field(default=())
