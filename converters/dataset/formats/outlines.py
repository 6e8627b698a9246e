"""Outlines of objects as files of labels have them: polygons, run lengths, and brushes.

Sources: the masks of the COCO API (polygons are filled as there, to the pixel), and the format
rle-pack, in which Label Studio keeps what was painted.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.dataset.annotations import Size
from converters.dataset.formats.label_table import Box, Extent
from edge.errors import DatasetError
from edge.quantities import counted

MAX_PIXELS = 1 << 27
"""Of an image with outlines."""

_SCALE = 5
"""Steps a pixel with which the COCO API walks along an outline."""

_MAX_STEPS = 4_000_000
"""Of an outline: that of 800,000 pixels, or of one that leaves the image by far."""

_MAX_SCALE = 16
"""Times that a side of the labels' image may be longer than that of the image."""

_BITS_OF_RUNS = 5
"""Bits of a character of COCO's compressed run lengths; a sixth says that another follows."""


@dataclass(frozen=True, slots=True, eq=False)
class Polygons:
    """Polygons, whose union is the object; each is float64 [n, 2], x and y."""

    parts: tuple[NDArray[np.float64], ...]

    def bounds(self) -> Box | None:
        """Return the box around them; None where there are none."""
        if not self.parts:
            return None
        points = np.concatenate(self.parts)
        (left, top), (right, bottom) = points.min(0), points.max(0)
        return float(left), float(top), float(right), float(bottom)

    def area(self) -> float:
        """Return the sum of their areas (the shoelace formula)."""
        turned = ((part, np.roll(part, -1, 0)) for part in self.parts)
        products = (here[:, 0] @ ahead[:, 1] - here[:, 1] @ ahead[:, 0] for here, ahead in turned)
        return float(sum(abs(product) / 2 for product in products))

    def fill(self, extent: Extent, size: Size) -> NDArray[np.bool_]:
        """Return them as bool [height, width]; ``extent`` of the image in their units.

        Raises:
            DatasetError: they are too long.
        """
        scale = np.divide(size, extent)
        mask = np.zeros(size[::-1], np.bool_)
        for part in self.parts:
            mask |= _fill_polygon(part * scale, size)
        return mask


@dataclass(frozen=True, slots=True)
class RunLengths:
    """COCO's run lengths, column by column, of pixels outside and inside the object in turn.

    ``height`` and ``width``: of the image; ``runs``: the lengths, or a string that packs them.
    """

    height: int
    width: int
    runs: "tuple[int, ...] | str"

    def bounds(self) -> Box | None:
        """Return the box around the object; None where it is empty.

        Raises:
            DatasetError: the runs are not those of an image of their size.
        """
        lengths = self._lengths()
        ends = np.cumsum(lengths)[1::2]
        sizes = lengths[1::2]
        starts, ends = (ends - sizes)[sizes > 0], ends[sizes > 0] - 1
        if starts.size == 0:
            return None
        left, right = starts // self.height, ends // self.height
        within = left == right  # others go through the last and the first row
        top = np.where(within, starts % self.height, 0).min()
        bottom = np.where(within, ends % self.height, self.height - 1).max()
        return float(left[0]), float(top), float(right[-1] + 1), float(bottom + 1)

    def area(self) -> float:
        """Return the number of pixels inside."""
        return float(self._lengths()[1::2].sum())

    def fill(self, extent: Extent, size: Size) -> NDArray[np.bool_]:
        """Return it as bool [height, width].

        Raises:
            DatasetError: the runs are not those of an image of their size, or this is far from
                that of the image.
        """
        _check_scale((self.width, self.height), size)
        lengths = self._lengths()
        inside = np.arange(lengths.size) % 2 == 1
        mask = np.repeat(inside, lengths).reshape(self.width, self.height).T
        return _resized(mask, size)

    def _lengths(self) -> NDArray[np.int64]:
        lengths = unpack_runs(self.runs) if isinstance(self.runs, str) else _whole(self.runs)
        if lengths is None or not _fills(lengths, self.height * self.width):
            raise _invalid("run lengths that fill the image", "others")
        return lengths


@dataclass(frozen=True, slots=True)
class Brush:
    """What was painted in Label Studio: the bytes of an RGBA image in the format rle-pack."""

    height: int
    width: int
    data: bytes

    def bounds(self) -> Box | None:
        """Return the box around what was painted, in percent of the image; None where nothing."""
        box = _bounds(self._mask())
        if box is None:
            return None
        across, down = 100 / self.width, 100 / self.height
        return box[0] * across, box[1] * down, box[2] * across, box[3] * down

    def area(self) -> float:
        """Return the area of what was painted, in squares of percent."""
        return 100.0 * 100.0 * float(self._mask().mean())

    def fill(self, extent: Extent, size: Size) -> NDArray[np.bool_]:
        """Return it as bool [height, width].

        Raises:
            DatasetError: the bytes are not those of an image of its size, or this is far from that
                of the image.
        """
        _check_scale((self.width, self.height), size)
        return _resized(self._mask(), size)

    def _mask(self) -> NDArray[np.bool_]:
        values = unpack_brush(self.data, 4 * self.height * self.width)
        alpha: NDArray[np.bool_] = values.reshape(self.height, self.width, 4)[..., 3] > 0
        return alpha


def unpack_runs(packed: str) -> NDArray[np.int64] | None:
    """Return the run lengths that COCO packed into a string; None where it is none."""
    codes = np.frombuffer(packed.encode("utf-8"), np.uint8).astype(np.int64) - 48
    if codes.size == 0 or codes.min() < 0 or codes.max() > 63:
        return None
    goes_on = codes & 0x20 != 0
    starts = np.flatnonzero(np.concatenate(([True], ~goes_on[:-1])))
    digits = np.arange(codes.size) - np.repeat(starts, np.diff(np.append(starts, codes.size)))
    if goes_on[-1] or digits.max() > 6:
        return None
    values = np.add.reduceat((codes & 0x1F) << _BITS_OF_RUNS * digits, starts)
    lasts = np.append(starts[1:], codes.size) - 1
    negative = codes[lasts] & 0x10 != 0
    values[negative] -= 1 << _BITS_OF_RUNS * (digits[lasts][negative] + 1)
    for first in (1, 2):  # from the fourth on, each is the difference to the last but one
        values[first::2] = np.cumsum(values[first::2])
    return values


def unpack_brush(data: bytes, count: int) -> NDArray[np.uint8]:
    """Unpack ``count`` values in the format rle-pack.

    Raises:
        DatasetError: it has another number of values, or ends too early.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    reader = _BitReader(bits)
    claimed, width = reader.number(32), reader.number(5) + 1
    if claimed != count or width > 8:
        raise _invalid(f"a brush mask of {counted(count, 'value')}", f"{claimed:,}")
    sizes = [reader.number(4) + 1 for _ in range(4)]
    values = np.zeros(count, np.uint8)
    position = 0
    while position < count:
        repeats = reader.number(1)
        end = position + 1 + reader.number(sizes[reader.number(2)])
        if end > count:
            raise _invalid(f"a brush mask of {counted(count, 'value')}", "more")
        if repeats:
            values[position:end] = reader.number(width)
        else:
            values[position:end] = reader.numbers(end - position, width)
        position = end
    return values


class _BitReader:
    """Reads numbers of any number of bits, uint8 [n] of 0 and 1, the highest first."""

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        self.bits, self.at = bits, 0
        self._bytes = bits.tobytes()

    def number(self, width: int) -> int:
        """Read one number."""
        taken = self._bytes[self.at : self.at + width]
        self.at += width
        if len(taken) < width:
            raise _invalid("a whole brush mask", "one that is cut off")
        value = 0
        for bit in taken:
            value = value * 2 + bit
        return value

    def numbers(self, count: int, width: int) -> NDArray[np.uint8]:
        """Read several numbers of at most 8 bits."""
        taken = self.bits[self.at : self.at + count * width]
        self.at += count * width
        if taken.size < count * width:
            raise _invalid("a whole brush mask", "one that is cut off")
        weights = 1 << np.arange(width)[::-1]
        return np.asarray(taken.reshape(count, width) @ weights, np.uint8)


def _fill_polygon(points: NDArray[np.float64], size: Size) -> NDArray[np.bool_]:
    """Fill a polygon, float64 [n, 2] in pixels, as the COCO API does."""
    width, height = size
    corners = np.trunc(_SCALE * points + 0.5).astype(np.int64)
    u, v = _walk(corners)
    moved = np.flatnonzero(u[1:] != u[:-1]) + 1
    x = (np.minimum(u[moved], u[moved - 1]) + 0.5) / _SCALE - 0.5
    y = (np.minimum(v[moved], v[moved - 1]) + 0.5) / _SCALE - 0.5
    kept = (x == np.floor(x)) & (x >= 0) & (x <= width - 1)
    rows = np.ceil(np.clip(y[kept], 0, height)).astype(np.int64)
    crossings = np.zeros(width * height + 1, np.uint8)
    np.add.at(crossings, x[kept].astype(np.int64) * height + rows, 1)
    inside = np.bitwise_xor.accumulate(crossings[:-1] & 1).view(np.bool_)
    return inside.reshape(width, height).T


def _walk(corners: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return x and y of all points on the lines between corners, int64 [n, 2], and back."""
    start, end = corners, np.roll(corners, -1, 0)
    delta = np.abs(end - start)
    steps = delta.max(1)
    if int((steps + 1).sum()) > _MAX_STEPS:
        raise _invalid("outlines of objects", f"one of {counted(int(steps.sum()), 'step')}")
    flat = delta[:, 0] >= delta[:, 1]
    main = np.where(flat, 0, 1)
    rows = np.arange(len(corners))
    flipped = start[rows, main] > end[rows, main]
    first = np.where(flipped[:, None], end, start)
    last = np.where(flipped[:, None], start, end)
    with np.errstate(invalid="ignore"):
        slope = (last - first)[rows, 1 - main] / np.maximum(steps, 1)
    edge = np.repeat(rows, steps + 1)
    begins = np.cumsum(steps + 1) - (steps + 1)
    along = np.arange(edge.size) - np.repeat(begins, steps + 1)
    along = np.where(flipped[edge], steps[edge] - along, along)
    on_main = first[rows, main][edge] + along
    across = np.trunc(first[rows, 1 - main][edge] + slope[edge] * along + 0.5).astype(np.int64)
    is_flat = flat[edge]
    return np.where(is_flat, on_main, across), np.where(is_flat, across, on_main)


def _check_scale(own: Size, size: Size) -> None:
    """Check that labels were not made for a far larger image, which would be slow to read."""
    if max(np.divide(own, size)) > _MAX_SCALE:
        raise _invalid(f"an outline for an image of {size[0]} x {size[1]}", f"{own[0]} x {own[1]}")


def _fills(lengths: NDArray[np.int64], pixels: int) -> bool:
    in_range = lengths.ndim == 1 and lengths.size > 0 and lengths.min() >= 0
    return bool(in_range and lengths.max() <= pixels and lengths.sum() == pixels)


def _whole(runs: tuple[int, ...]) -> NDArray[np.int64] | None:
    try:
        return np.array(runs, np.int64)
    except (ValueError, TypeError, OverflowError):
        return None


def _bounds(mask: NDArray[np.bool_]) -> Box | None:
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if columns.size == 0:
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _resized(mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    if mask.shape == size[::-1]:
        return mask
    plain = np.ascontiguousarray(mask, np.uint8)
    return np.asarray(cv2.resize(plain, size, interpolation=cv2.INTER_NEAREST) > 0)


def _invalid(expected: str, contents: str) -> DatasetError:
    return DatasetError(expected, contents, "export the labels again", code="outline-invalid")
