"""Whether two images show the same thing: aligned by shift and stretch, compared by pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_MAX_STRETCH = 1.25
_MAX_SHIFT = 0.12
_MAX_STEP = 0.08
_BORDER = 2
"""Pixels at the border that are not compared: blur and detail mean something else there."""

_DETAIL = 2
"""Detail is what is left when the mean over ``2 * _DETAIL + 1`` pixels squared is taken out."""

_NOISE = 0.3
"""Gray levels of noise that rounding alone makes; detail below it says nothing."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where the pixels of the first image lie in the second, for m pairs: float32 [m, 2].

    ``stretch`` and ``shift`` in y and x: ``place = stretch * u + shift``, with u from -0.5 to
    0.5 over the image.
    """

    stretch: Floats
    shift: Floats


def similarity(first: Floats, second: Floats, steps: int) -> tuple[Floats, Floats]:
    """How alike m pairs of images are once the second is laid on the first.

    The placement is found by ``steps`` of Gauss and Newton's method on brightness, contrast,
    shift and stretch. Source: Baker, Matthews: Lucas-Kanade 20 years on (IJCV 2004).

    Args:
        first, second: float32 [m, side, side].

    Returns:
        Two float32 [m] of -1 to 1: the correlation of the pixels and that of their detail, both
        over what the two images share.
    """
    placement = Alignment(
        np.ones((len(first), 2), np.float32), np.zeros((len(first), 2), np.float32)
    )
    basis = _basis(first)
    for _ in range(steps):
        placement = _improve(basis, placement, *_place(second, placement))
    placed, inside = _place(second, placement)
    inside = _erode(inside)
    detail = _correlation(_detail(first), _detail(placed), inside)
    return _correlation(first, placed, inside), detail


def _along(side: int) -> Floats:
    return np.asarray((np.arange(side) - (side - 1) / 2) / side, np.float32)


def _basis(images: Floats) -> Floats:
    """The image, one, and its derivatives by shift y, stretch y, shift x, stretch x."""
    side = images.shape[1]
    by_y, by_x = np.gradient(images * np.float32(side), axis=(1, 2))
    u = _along(side)
    parts = [images, np.ones_like(images), by_y, by_y * u[:, None], by_x, by_x * u]
    return np.asarray(np.stack(parts, axis=1).reshape(len(images), 6, -1), np.float32)


def _improve(basis: Floats, placement: Alignment, placed: Floats, inside: Mask) -> Alignment:
    weighted = basis * inside.reshape(len(basis), 1, -1)
    normal = weighted @ basis.transpose(0, 2, 1)
    damping = 1e-4 * np.trace(normal, axis1=1, axis2=2) / 6
    normal += damping[:, None, None] * np.diag([0, 0, 1, 1, 1, 1]) + 1e-3 * np.eye(6)
    right = weighted @ placed.reshape(len(basis), -1, 1)
    solved = np.linalg.solve(normal, right)[:, :, 0]
    contrast = np.maximum(solved[:, :1], 0.2)
    step = np.clip(solved[:, 2:] / contrast, -_MAX_STEP, _MAX_STEP)
    stretch = placement.stretch / (1 + step[:, 1::2])
    shift = placement.shift - stretch * step[:, 0::2]
    return Alignment(
        np.clip(stretch, 1 / _MAX_STRETCH, _MAX_STRETCH).astype(np.float32),
        np.clip(shift, -_MAX_SHIFT, _MAX_SHIFT).astype(np.float32),
    )


def _place(images: Floats, placement: Alignment) -> tuple[Floats, Mask]:
    """The images sampled at their placement (bilinear), and where that is inside of them."""
    rows, inside_y = _sample(images, placement.stretch[:, 0], placement.shift[:, 0])
    columns, inside_x = _sample(
        rows.transpose(0, 2, 1), placement.stretch[:, 1], placement.shift[:, 1]
    )
    return columns.transpose(0, 2, 1), inside_y[:, :, None] & inside_x[:, None, :]


def _sample(images: Floats, stretch: Floats, shift: Floats) -> tuple[Floats, Mask]:
    """Rows of each image at its placement along y."""
    side = images.shape[1]
    at = (stretch[:, None] * _along(side) + shift[:, None]) * side + (side - 1) / 2
    inside = (at >= -0.01) & (at <= side - 0.99)
    at = np.clip(at, 0, side - 1)
    low = np.minimum(at.astype(np.int64), side - 2)
    part = (at - low).astype(np.float32)[:, :, None]
    each = np.arange(len(images))[:, None]
    return images[each, low] * (1 - part) + images[each, low + 1] * part, inside


def _erode(inside: Mask) -> Mask:
    side = inside.shape[1]
    padded = np.pad(inside, ((0, 0), (_BORDER, _BORDER), (_BORDER, _BORDER)))
    eroded = inside.copy()
    for offset in range(2 * _BORDER + 1):
        eroded &= padded[:, offset : offset + side, _BORDER : _BORDER + side]
        eroded &= padded[:, _BORDER : _BORDER + side, offset : offset + side]
    return eroded


def _detail(images: Floats) -> Floats:
    """The images without their local mean, summed over squares by an integral image."""
    width = 2 * _DETAIL + 1
    around = ((0, 0), (_DETAIL + 1, _DETAIL), (_DETAIL + 1, _DETAIL))
    sums = np.pad(images, around, mode="edge").cumsum(axis=1).cumsum(axis=2)
    total = sums[:, width:, width:] - sums[:, :-width, width:]
    total += sums[:, :-width, :-width] - sums[:, width:, :-width]
    return np.asarray(images - total / width**2, np.float32)


def _correlation(first: Floats, second: Floats, inside: Mask) -> Floats:
    count = np.maximum(inside.sum(axis=(1, 2)), 1).astype(np.float32)

    def centered(images: Floats) -> Floats:
        mean = (images * inside).sum(axis=(1, 2)) / count
        return np.asarray((images - mean[:, None, None]) * inside, np.float32)

    a, b = centered(first), centered(second)
    noise = count * _NOISE**2
    energy = ((a * a).sum(axis=(1, 2)) + noise) * ((b * b).sum(axis=(1, 2)) + noise)
    return np.asarray((a * b).sum(axis=(1, 2)) / np.sqrt(energy), np.float32)
