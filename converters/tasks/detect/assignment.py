"""Which cell of which level learns which box, once for each training image.

A cell is responsible for a box if it lies inside it, near its center, and if the box has a size
that its level is for (Tian et al., "FCOS: Fully Convolutional One-Stage Object Detection", ICCV
2019). Levels overlap, so that boxes between two sizes train both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""float32 [n, 4]: left, top, right, bottom in pixels of the input."""

NEGATIVE, IGNORED = -1, -2
"""Labels of cells that have no object, and of those where nothing is known."""

RADIUS = 1.5
"""Cells from the center of a box up to which cells learn it."""

_SIDES = {8: (0.0, 6.0), 16: (2.0, 7.0), 32: (2.5, np.inf)}
"""Sides of boxes, the root of their area, that a level is for, in its cells."""

_LARGE = 32.0
"""Side in pixels from which the finest level is not needed."""

_SMALL_SHARE = 0.05
"""Share of smaller boxes that does not make the finest level worth its time."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of all levels, one after the other.

    ``centers``: float32 [n, 2], x and y in pixels of the input; ``strides``: float32 [n];
    ``sides``: float32 [n, 2], the least and the greatest side of boxes that a cell is for.
    """

    centers: NDArray[np.float32]
    strides: NDArray[np.float32]
    sides: NDArray[np.float32]


def cells(size: int, strides: tuple[int, ...]) -> Cells:
    """Return the cells of an input of ``size`` × ``size`` pixels, row by row."""
    centers, sides = [], []
    for stride in strides:
        along = (np.arange(size // stride, dtype=np.float32) + 0.5) * stride
        x, y = np.meshgrid(along, along)
        centers.append(np.stack([x.ravel(), y.ravel()], axis=1))
        low = 0.0 if stride == min(strides) else _SIDES[stride][0] * stride
        high = np.inf if stride == max(strides) else _SIDES[stride][1] * stride
        sides.append((low, high))
    counts = [len(level) for level in centers]
    return Cells(
        np.concatenate(centers),
        np.repeat(np.array(strides, np.float32), counts),
        np.repeat(np.array(sides, np.float32), counts, axis=0),
    )


def choose_strides(boxes: Boxes) -> tuple[int, ...]:
    """Return the strides for boxes like these: without stride 8, 3 to 4 times as fast to train."""
    if len(boxes) == 0:
        return (8, 16, 32)
    small = float(np.mean(_sides(boxes) < _LARGE))
    return (16, 32) if small <= _SMALL_SHARE else (8, 16, 32)


def assign(
    boxes: Boxes, labels: NDArray[np.int64], ignored: Boxes, grid: Cells
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the label of each cell, int32 [n], and the box that it learns, float32 [n, 4].

    Labels are :data:`NEGATIVE` or :data:`IGNORED` where a cell learns no box. The smaller of two
    boxes wins. Cells inside of ``ignored`` areas that learn no box are ignored.
    """
    learned = np.full(len(grid.strides), NEGATIVE, np.int32)
    targets = np.zeros((len(grid.strides), 4), np.float32)
    learned[_inside(ignored, grid).any(axis=0)] = IGNORED
    if len(boxes) == 0:
        return learned, targets
    responsible = _responsible(boxes, grid)
    areas = np.where(responsible, (_sides(boxes) ** 2)[:, None], np.inf)
    best = areas.argmin(axis=0)
    learns = responsible.any(axis=0)
    learned[learns] = labels[best[learns]]
    targets[learns] = boxes[best[learns]]
    return learned, targets


def _responsible(boxes: Boxes, grid: Cells) -> NDArray[np.bool_]:
    """Return for each box, bool [boxes, cells], which cells learn it; each box has at least one."""
    x, y = grid.centers.T
    left, top, right, bottom = boxes.T[..., None]
    # Numbers of two columns apart: NumPy is slow along an axis of two.
    away = np.maximum(abs(x - (left + right) / 2), abs(y - (top + bottom) / 2)) / grid.strides
    sides = _sides(boxes)[:, None]
    at_level = (sides >= grid.sides[:, 0]) & (sides <= grid.sides[:, 1])
    near = at_level & (away < RADIUS) & _inside(boxes, grid)
    # A box that is smaller than a cell may lie between centers.
    closest = np.where(at_level, away, np.inf).argmin(axis=1)
    near[np.arange(len(boxes)), closest] = True
    return np.asarray(near, np.bool_)


def _inside(boxes: Boxes, grid: Cells) -> NDArray[np.bool_]:
    """Return for each box, bool [boxes, cells], which cells have their center in it."""
    x, y = grid.centers.T
    left, top, right, bottom = boxes.T[..., None]
    return np.asarray((x >= left) & (x <= right) & (y >= top) & (y <= bottom))


def _sides(boxes: Boxes) -> NDArray[np.float32]:
    extent = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(np.sqrt(extent.prod(axis=1)), np.float32)
