"""Duplicate detection by image content.

Duplicates are copies of an image: identical pixels in another file, re-encoded, resized (0.3 to
2 times), cropped by up to 5 % on each side, slightly brighter or darker. Candidates come from a
tangent distance between small thumbnails; each is confirmed on pixels after aligning the two.
Similar images of a class (trousers from the front) are no duplicates: their detail differs.

A slightly cropped, shifted or stretched copy of an image lies, to first order, in the plane
that the derivatives of the image by these changes span at it. The distance to that plane is
small for copies of any crop, brightness and contrast, and all of them are found with one matrix
product. Source: Simard, LeCun, Denker: Efficient pattern recognition using a new transformation
distance (NIPS 1992).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.image import RgbImage

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


_CANDIDATE_SIDE, _CANDIDATE_BLUR = 16, 0.8
"""Side of the images whose distance is computed, and the standard deviation of their blur, in
pixels of that size."""

_MAX_RESIDUAL = 0.15
"""Maximum share of an image's energy outside another's plane for a candidate pair."""

_MAX_SHARE, _TINY_RESIDUAL = 0.7, 0.003
"""Maximum distance relative to the neighborhood (copies stay below 0.5), and the residual below
which it does not matter, as the neighbors may be further copies."""

_NEIGHBORS = 10
_BLOCK = 256
"""Images whose distances to all others are computed at once."""


def candidates(thumbnails: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Find pairs of images to compare, at most 10 per image.

    Args:
        thumbnails: float32 [n, side, side], none of them flat.

    Returns:
        The pairs, int64 [m, 2], i < j, sorted; and the distance of each, float32 [m], relative to
        that of the nearest image that is not among the 10, for the image where this is smaller.
        A copy is far nearer than a similar image, even in a dense data set.
    """
    vectors, planes = _planes(np.stack([_reduce(image) for image in thumbnails]))
    count, size = vectors.shape
    pairs, shares = [], []
    for start in range(0, count, _BLOCK):
        block = planes[start : start + _BLOCK]
        parts = (block.reshape(-1, size) @ vectors.T).reshape(len(block), -1, count)
        residual = 1 - np.einsum("bkn,bkn->bn", parts, parts)
        rows = np.arange(len(block))
        residual[rows, rows + start] = 1.0  # itself
        last = min(_NEIGHBORS, count - 1)
        nearest = np.argpartition(residual, last, axis=1)[:, : last + 1]
        near = np.maximum(np.take_along_axis(residual, nearest, axis=1), 0)
        share = near / np.maximum(near[:, last:], 1e-6)
        kept = (near < _MAX_RESIDUAL) & ((share < _MAX_SHARE) | (near < _TINY_RESIDUAL))
        row, column = np.nonzero(kept[:, :last])
        pairs.append(np.stack([row + start, nearest[row, column]], axis=1))
        shares.append(np.asarray(share[row, column], np.float32))
    return _merge(np.concatenate(pairs), np.concatenate(shares))


def _merge(pairs: NDArray[np.int64], shares: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Keep each unordered pair once, with the smaller of its shares."""
    unique, inverse = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    smallest = np.full(len(unique), np.inf, np.float32)
    np.minimum.at(smallest, inverse.ravel(), shares)
    return unique.astype(np.int64), smallest


def _reduce(image: Floats) -> Floats:
    """Blur and resize to ``_CANDIDATE_SIDE``: the first order is accurate on a smooth image."""
    blurred = cv2.GaussianBlur(image, (0, 0), _CANDIDATE_BLUR * image.shape[0] / _CANDIDATE_SIDE)
    small = cv2.resize(blurred, (_CANDIDATE_SIDE, _CANDIDATE_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _planes(images: Floats) -> tuple[Floats, Floats]:
    """Return unit vectors without mean, [n, d], and orthonormal bases of their planes, [n, 5, d].

    A plane is spanned by the image itself (contrast) and its derivatives by shift and stretch in x
    and y; the mean (brightness) is subtracted everywhere.
    """
    along = ((np.arange(_CANDIDATE_SIDE) - (_CANDIDATE_SIDE - 1) / 2) / _CANDIDATE_SIDE).astype(
        np.float32
    )
    by_y, by_x = np.gradient(images, axis=(1, 2))
    spanning = np.stack([images, by_x, by_y, by_x * along, by_y * along[:, None]], axis=1)
    spanning = spanning.reshape(len(images), 5, -1)
    spanning -= spanning.mean(axis=2, keepdims=True)
    basis, _ = np.linalg.qr(spanning.transpose(0, 2, 1))
    planes = np.ascontiguousarray(basis.transpose(0, 2, 1), np.float32)
    norms = np.linalg.norm(spanning[:, 0], axis=1, keepdims=True)
    return spanning[:, 0] / np.maximum(norms, 1e-6), planes


THUMBNAIL_SIDE = 32
"""Side of the gray thumbnails that are compared, in pixels."""

_THUMBNAIL_BLUR = 0.6
"""Standard deviation of the anti-aliasing blur, in thumbnail pixels."""

_FLAT = 2.0
"""Standard deviation in gray levels below which only identical images are duplicates."""

_MIN_CORRELATIONS = (0.985, 0.985)
"""Minimum correlations of the pixels and of their detail to confirm a pair."""

_MIN_CORRELATIONS_ISOLATED = (0.9, 0.78)
"""The same for an isolated pair: near to each other and far from the rest of the data set, such as
strongly compressed copies and two photos of a crate from nearly the same position. Distinct images
of dense data sets (28 × 28 pixels of clothing) reach 0.97, but are not isolated."""

_MAX_ISOLATED_SHARE = 0.15
"""Maximum distance relative to the next other image for an isolated pair."""

_STEPS = 8
"""Alignment steps."""

_FIRST_STEPS, _MIN_FIRST_DETAIL = 3, 0.8
"""Alignment steps after which pairs that are not isolated are dropped, and the correlation of
detail below which they are."""

_CHUNK = 1024
"""Pairs that are aligned at once."""

Thumbnail = NDArray[np.float16]
Pairs = NDArray[np.int64]
Indices = NDArray[np.int64]


def thumbnail(image: RgbImage) -> Thumbnail:
    """Reduce an image (uint8 RGB) to gray, slightly blurred float16 [side, side], 0–255.

    ``side`` is :data:`THUMBNAIL_SIDE`.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = gray.shape
    intermediate = 2 * THUMBNAIL_SIDE
    if min(height, width) >= intermediate:
        method = cv2.INTER_AREA
    else:
        method = cv2.INTER_CUBIC if max(height, width) < intermediate else cv2.INTER_LINEAR
    gray = cv2.resize(gray, (intermediate, intermediate), interpolation=method).astype(np.float32)
    blurred = cv2.GaussianBlur(gray, (0, 0), _THUMBNAIL_BLUR * intermediate / THUMBNAIL_SIDE)
    return cv2.resize(
        blurred, (THUMBNAIL_SIDE, THUMBNAIL_SIDE), interpolation=cv2.INTER_AREA
    ).astype(np.float16)


def first_of_equals(contents: Sequence[bytes], digests: Sequence[str]) -> Indices:
    """Return for every image the index of the one with equal content and the smallest digest."""
    first: dict[bytes, int] = {}
    for index in sorted(range(len(contents)), key=digests.__getitem__):
        first.setdefault(contents[index], index)
    return np.array([first[content] for content in contents], np.int64)


def confirmed_pairs(thumbnails: NDArray[np.float16], equals: Indices) -> Pairs:
    """Find pairs of duplicates, each confirmed on pixels.

    Args:
        thumbnails: float16 [n, THUMBNAIL_SIDE, THUMBNAIL_SIDE].
        equals: int64 [n], from :func:`first_of_equals`; only these first images are compared.

    Returns:
        int64 [m, 2], rows (i, j) with i < j, sorted.
    """
    flat = thumbnails.astype(np.float32).std(axis=(1, 2)) < _FLAT
    compared = np.flatnonzero((equals == np.arange(len(equals))) & ~flat)
    if len(compared) < 2:
        return np.empty((0, 2), np.int64)
    images = thumbnails[compared].astype(np.float32)
    pairs, shares = candidates(images)
    isolated = shares <= _MAX_ISOLATED_SHARE
    promising = isolated.copy()
    promising[~isolated] = (
        _similarity(images, pairs[~isolated], _FIRST_STEPS)[1] >= _MIN_FIRST_DETAIL
    )
    pairs, isolated = pairs[promising], isolated[promising]
    overall, detail = _similarity(images, pairs, _STEPS)
    similar = (overall >= _MIN_CORRELATIONS[0]) & (detail >= _MIN_CORRELATIONS[1])
    isolated &= (overall >= _MIN_CORRELATIONS_ISOLATED[0]) & (
        detail >= _MIN_CORRELATIONS_ISOLATED[1]
    )
    pairs = pairs[similar | isolated]
    return np.asarray(compared[pairs], np.int64)


def _similarity(images: Floats, pairs: Pairs, steps: int) -> tuple[Floats, Floats]:
    """Compute :func:`similarity` of many pairs, in chunks that fit into memory."""
    overall, detail = np.zeros(len(pairs), np.float32), np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), _CHUNK):
        part = slice(start, start + _CHUNK)
        first, second = pairs[part].T
        overall[part], detail[part] = similarity(images[first], images[second], steps)
    return overall, detail


def star_groups(
    pairs: Pairs, equals: Indices, labels: NDArray[np.int64], digests: Sequence[str]
) -> Indices:
    """Group duplicates within a class: int64 [n], equal for members of a group.

    Images with identical pixels share a group. Every other member is confirmed against the
    representative of the group; pairs are not chained, so that a series of slowly changing images
    does not become one group. The image with the most confirmed pairs comes first (ties by
    digest), and takes its partners that have no group yet. A group's number is the index of its
    representative.
    """
    partners: dict[int, list[int]] = {index: [] for index in np.unique(equals).tolist()}
    for i, j in pairs.tolist():
        if labels[i] == labels[j]:
            partners[i].append(j)
            partners[j].append(i)
    group: dict[int, int] = {}
    for index in sorted(partners, key=lambda i: (-len(partners[i]), digests[i])):
        if index not in group:
            group |= {p: index for p in [index, *partners[index]] if p not in group}
    return np.array([group[first] for first in equals.tolist()], np.int64)
