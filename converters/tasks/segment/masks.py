"""Masks of images at the model's input size, kept in few bytes, and images with them."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import Indices

Mask = NDArray[np.uint8]
"""uint8 [height, width]: an index into the classes, or ``VOID``."""

_LEVEL = 1  # the fastest; masks shrink to a fiftieth at any


@dataclass(frozen=True, slots=True)
class PackedMask:
    """A mask, compressed: of thousands of images only some are needed at a time."""

    shape: tuple[int, int]
    content: bytes

    @classmethod
    def pack(cls, mask: Mask) -> Self:
        """Compress a mask."""
        height, width = mask.shape
        return cls((height, width), zlib.compress(mask.tobytes(), _LEVEL))

    def read(self) -> Mask:
        """Return the mask, read-only."""
        return np.frombuffer(zlib.decompress(self.content), np.uint8).reshape(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class MaskedImage:
    """An image, uint8 RGB [h, w, 3], with its mask of the same size."""

    pixels: NDArray[np.uint8]
    mask: Mask


class MaskedImages(Sequence[MaskedImage]):
    """Some images of a data set with their masks, read when they are asked for."""

    def __init__(self, dataset: Dataset, indices: Indices) -> None:
        self._dataset, self._indices = dataset, indices

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._indices)

    @overload
    def __getitem__(self, at: int) -> MaskedImage: ...
    @overload
    def __getitem__(self, at: slice) -> "MaskedImages": ...
    def __getitem__(self, at: int | slice) -> "MaskedImage | MaskedImages":
        """Return an image, or some."""
        if isinstance(at, slice):
            return MaskedImages(self._dataset, self._indices[at])
        index = int(self._indices[at])
        packed: PackedMask = self._dataset.annotations[index]
        return MaskedImage(np.asarray(self._dataset.pixels[index]), packed.read())
