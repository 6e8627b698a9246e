"""What data sets whose images show several classes have in common: strata, and how many to need."""

from collections.abc import Sequence, Sized

import numpy as np
from numpy.typing import NDArray

from converters.dataset.decoding import UndecodableFile
from edge.errors import DatasetError
from edge.quantities import counted

MIN_IMAGES = 5
"""Usable images, with their labels, that training takes at least."""

_STRATUM = 8
"""Images whose rarest class it is, from which a class is a stratum of the split of its own."""


def rarest_classes(shown: NDArray[np.bool_]) -> list[int]:
    """Return the rarest class of each image, for rare strata and empty images the commonest one.

    ``shown``: bool [images, classes], which classes an image shows.
    """
    images, classes = shown.shape
    counts = shown.sum(axis=0)
    commonest = int(counts.argmax())
    rarest = np.where(shown, counts, images + 1).argmin(axis=1)
    rarest[~shown.any(axis=1)] = commonest
    sizes = np.bincount(rarest, minlength=classes)
    strata: list[int] = np.where(sizes[rarest] >= _STRATUM, rarest, commonest).tolist()
    return strata


def check_enough(name: str, files: Sized, broken: Sequence[UndecodableFile]) -> None:
    """Check the number of usable images of the data set ``name``.

    Raises:
        DatasetError: there are fewer than 5.
    """
    if len(files) < MIN_IMAGES:
        reason = f" ({broken[0].source.name}: {broken[0].reason})" if broken else ""
        raise DatasetError(
            f"at least {MIN_IMAGES} usable images",
            f"{counted(len(files), 'image')} in {name}{reason}",
            "label more images",
            code="too-few-images",
        )
