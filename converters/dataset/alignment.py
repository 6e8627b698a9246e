"""Alignment of pairs of small images that may be copies of each other, and their correlation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_MAX_STRETCH, _MAX_SHIFT, _MAX_STEP = 1.25, 0.12, 0.08
"""Limits of an alignment and of one of its steps, as fractions of the image."""

_BORDER = 2
"""Border pixels that are not compared, as blur and detail differ there."""

_DETAIL_RADIUS = 2
"""Detail is the difference to the mean over a square of ``2 * _DETAIL_RADIUS + 1`` pixels."""

_NOISE = 0.3
"""Noise from rounding, in gray levels; detail below it is not significant."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Positions of the first image's pixels in the second, for m pairs: float32 [m, 2].

    ``stretch`` and ``shift`` in y and x: ``position = stretch * u + shift``, with u from -0.5 to
    0.5 over the image.
    """

    stretch: Floats
    shift: Floats


def similarity(first: Floats, second: Floats, steps: int) -> tuple[Floats, Floats]:
    """Align m pairs of images and correlate them.

    The alignment takes ``steps`` Gauss-Newton steps on brightness, contrast, shift and stretch.
    Source: Baker, Matthews: Lucas-Kanade 20 years on (IJCV 2004).

    Args:
        first: float32 [m, side, side].
        second: float32 [m, side, side], aligned with ``first``.
        steps: number of alignment steps.

    Returns:
        Correlations of the pixels and of their detail over the shared area: two float32 [m] from
        -1 to 1.
    """
    alignment = Alignment(
        np.ones((len(first), 2), np.float32), np.zeros((len(first), 2), np.float32)
    )
    basis = _basis(first)
    for _ in range(steps):
        alignment = _improve(basis, alignment, *_warp(second, alignment))
    warped, inside = _warp(second, alignment)
    inside = _erode(inside)
    detail = _correlation(_detail(first), _detail(warped), inside)
    return _correlation(first, warped, inside), detail


def _along(side: int) -> Floats:
    return np.asarray((np.arange(side) - (side - 1) / 2) / side, np.float32)


def _basis(images: Floats) -> Floats:
    """Stack image, ones, and derivatives by shift y, stretch y, shift x, stretch x."""
    side = images.shape[1]
    by_y, by_x = np.gradient(images * np.float32(side), axis=(1, 2))
    u = _along(side)
    parts = [images, np.ones_like(images), by_y, by_y * u[:, None], by_x, by_x * u]
    return np.asarray(np.stack(parts, axis=1).reshape(len(images), 6, -1), np.float32)


def _improve(basis: Floats, alignment: Alignment, warped: Floats, inside: Mask) -> Alignment:
    weighted = basis * inside.reshape(len(basis), 1, -1)
    normal = weighted @ basis.transpose(0, 2, 1)
    damping = 1e-4 * np.trace(normal, axis1=1, axis2=2) / 6
    normal += damping[:, None, None] * np.diag([0, 0, 1, 1, 1, 1]) + 1e-3 * np.eye(6)
    right = weighted @ warped.reshape(len(basis), -1, 1)
    solved = np.linalg.solve(normal, right)[:, :, 0]
    contrast = np.maximum(solved[:, :1], 0.2)
    step = np.clip(solved[:, 2:] / contrast, -_MAX_STEP, _MAX_STEP)
    stretch = alignment.stretch / (1 + step[:, 1::2])
    shift = alignment.shift - stretch * step[:, 0::2]
    return Alignment(
        np.clip(stretch, 1 / _MAX_STRETCH, _MAX_STRETCH).astype(np.float32),
        np.clip(shift, -_MAX_SHIFT, _MAX_SHIFT).astype(np.float32),
    )


def _warp(images: Floats, alignment: Alignment) -> tuple[Floats, Mask]:
    """Sample the images at their alignment (bilinear); also return where that is inside them."""
    rows, inside_y = _sample(images, alignment.stretch[:, 0], alignment.shift[:, 0])
    columns, inside_x = _sample(
        rows.transpose(0, 2, 1), alignment.stretch[:, 1], alignment.shift[:, 1]
    )
    return columns.transpose(0, 2, 1), inside_y[:, :, None] & inside_x[:, None, :]


def _sample(images: Floats, stretch: Floats, shift: Floats) -> tuple[Floats, Mask]:
    """Sample rows of each image at its alignment along y."""
    side = images.shape[1]
    at = (stretch[:, None] * _along(side) + shift[:, None]) * side + (side - 1) / 2
    inside = (at >= -0.01) & (at <= side - 0.99)
    at = np.clip(at, 0, side - 1)
    low = np.minimum(at.astype(np.int64), side - 2)
    part = (at - low).astype(np.float32)[:, :, None]
    index = np.arange(len(images))[:, None]
    return images[index, low] * (1 - part) + images[index, low + 1] * part, inside


def _erode(inside: Mask) -> Mask:
    side = inside.shape[1]
    padded = np.pad(inside, ((0, 0), (_BORDER, _BORDER), (_BORDER, _BORDER)))
    eroded = inside.copy()
    for offset in range(2 * _BORDER + 1):
        eroded &= padded[:, offset : offset + side, _BORDER : _BORDER + side]
        eroded &= padded[:, _BORDER : _BORDER + side, offset : offset + side]
    return eroded


def _detail(images: Floats) -> Floats:
    """Subtract the local mean, computed with an integral image."""
    width = 2 * _DETAIL_RADIUS + 1
    around = ((0, 0), (_DETAIL_RADIUS + 1, _DETAIL_RADIUS), (_DETAIL_RADIUS + 1, _DETAIL_RADIUS))
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
