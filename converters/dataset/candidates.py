"""Pairs of images that may be copies of each other, by a tangent distance.

A slightly cropped, shifted or stretched copy of an image lies, to first order, in the plane
that the derivatives of the image by these changes span at it. The distance to that plane is
small for copies of any crop, brightness and contrast. Source: Simard, LeCun, Denker: Efficient
pattern recognition using a new transformation distance (NIPS 1992).

Images are compared with all others where there are few, and otherwise with those in the nearest
cells of hierarchical k-means clusterings, so that the time grows with the number of images and not
with its square.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from edge import blas

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Thumbnails = NDArray[np.float16]

_SIDE, _BLUR = 16, 0.8
"""Side of the images whose distance is computed, and the standard deviation of their blur, in
pixels of that size."""

_MAX_RESIDUAL = 0.15
"""Maximum share of an image's energy outside another's plane for a candidate pair."""

_MAX_SHARE, _TINY_RESIDUAL = 0.7, 0.003
"""Maximum distance relative to the neighborhood (copies stay below 0.5), and the residual below
which it does not matter, as the neighbors may be further copies."""

_NEIGHBORS = 10

_COMPARED = 1024
"""Images with which each is compared at least, in each clustering."""

_CLUSTERINGS = 4
"""Clusterings with other centers: a pair is missed only if it is torn apart in all of them."""

_CELL, _BRANCHES = 128, 32
"""Maximum number of images in a cell, and of the parts that a level of the clustering makes."""

_SAMPLE, _ROUNDS = 4096, 3
"""Images from which the centers of the parts are computed, and how often they are moved."""

_BLOCK = 1024
"""Images that are reduced at once."""


def candidates(thumbnails: Thumbnails, compared: Indices) -> tuple[Indices, Floats]:
    """Find pairs of images to compare, at most 10 per image.

    Args:
        thumbnails: float16 [n, side, side].
        compared: int64 [c], the images to search, in ascending order; none of them is flat.

    Returns:
        The pairs, int64 [m, 2], i < j, sorted; and the distance of each, float32 [m], relative to
        that of the nearest image that is not among the 10, for the image where this is smaller.
        A copy is far nearer than a similar image, even in a dense data set.
    """
    count = min(_NEIGHBORS, len(compared) - 1) + 1
    nearest = np.zeros((len(compared), count), np.int64)
    residuals = np.full((len(compared), count), np.inf, np.float32)
    with blas.one_thread():
        vectors = _vectors(thumbnails, compared)
        for members, others in _neighborhoods(vectors):
            planes = _planes(_reduced(thumbnails[compared[members]]))
            seen = _residuals(planes, vectors[others])
            seen[members[:, None] == others] = 1.0  # itself
            columns = np.argpartition(seen, count - 1, axis=1)[:, :count]
            nearest[members], residuals[members] = _nearest_of_both(
                (nearest[members], others[columns]),
                (residuals[members], np.take_along_axis(seen, columns, axis=1)),
            )
    near = np.maximum(residuals, 0)
    share = near / np.maximum(near[:, -1:], 1e-6)
    kept = (near < _MAX_RESIDUAL) & ((share < _MAX_SHARE) | (near < _TINY_RESIDUAL))
    row, column = np.nonzero(kept[:, :-1])
    pairs = np.stack([row, nearest[row, column]], axis=1)
    return _merge(compared[pairs], share[row, column])


def _residuals(planes: Floats, vectors: Floats) -> Floats:
    """Return the shares of the energy of m vectors outside b planes, float32 [b, m]."""
    count, size = vectors.shape
    parts = (planes.reshape(-1, size) @ vectors.T).reshape(len(planes), -1, count)
    return np.asarray(1 - np.einsum("bkn,bkn->bn", parts, parts), np.float32)


def _nearest_of_both(
    indices: tuple[Indices, Indices], residuals: tuple[Floats, Floats]
) -> tuple[Indices, Floats]:
    """Return the nearest of two lists per image, [b, n] each, without repetition, in order."""
    both, distances = np.hstack(indices), np.hstack(residuals)
    order = np.lexsort((distances, both))
    both = np.take_along_axis(both, order, axis=1)
    distances = np.take_along_axis(distances, order, axis=1)
    repeated = both[:, 1:] == both[:, :-1]
    distances[:, 1:][repeated] = np.inf
    first = np.argsort(distances, axis=1, kind="stable")[:, : indices[0].shape[1]]
    return np.take_along_axis(both, first, axis=1), np.take_along_axis(distances, first, axis=1)


def _merge(pairs: Indices, shares: Floats) -> tuple[Indices, Floats]:
    """Keep each unordered pair once, with the smaller of its shares."""
    unique, inverse = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    smallest = np.full(len(unique), np.inf, np.float32)
    np.minimum.at(smallest, inverse.ravel(), shares)
    return unique.astype(np.int64), smallest


def _neighborhoods(vectors: Floats) -> Iterator[tuple[Indices, Indices]]:
    """Yield the images of each cell, and those of the cells around it, its own included."""
    clusterings, compared = _CLUSTERINGS, _COMPARED
    if len(vectors) <= clusterings * compared:
        clusterings, compared = 1, len(vectors)
    for seed in range(clusterings):
        cells = _cells(vectors, np.arange(len(vectors)), np.random.default_rng(seed))
        centers = np.stack([vectors[cell].mean(axis=0) for cell in cells])
        centers /= np.maximum(np.linalg.norm(centers, axis=1, keepdims=True), 1e-6)
        sizes = np.array([len(cell) for cell in cells])
        for cell in cells:
            order = np.argsort(-(vectors[cell] @ centers.T).max(axis=0), kind="stable")
            enough = int(np.searchsorted(sizes[order].cumsum(), compared)) + 1
            yield cell, np.concatenate([cells[other] for other in order[:enough]])


def _cells(vectors: Floats, members: Indices, rng: np.random.Generator) -> list[Indices]:
    """Split ``members`` by k-means clustering into cells of at most :data:`_CELL`."""
    if len(members) <= _CELL:
        return [members]
    count = min(_BRANCHES, -(-len(members) // _CELL))
    sample = vectors[rng.choice(members, min(len(members), _SAMPLE), replace=False)]
    centers = sample[:count]
    for _ in range(_ROUNDS):
        nearest = (sample @ centers.T).argmax(axis=1)
        sums = np.stack([sample[nearest == part].sum(axis=0) for part in range(count)])
        centers = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    nearest = (vectors[members] @ centers.T).argmax(axis=1)
    parts = [members[nearest == part] for part in range(count)]
    if max(map(len, parts)) > 0.9 * len(members):  # mostly equal images: any split will do
        parts = np.array_split(members, count)
    return [cell for part in parts if len(part) for cell in _cells(vectors, part, rng)]


def _vectors(thumbnails: Thumbnails, compared: Indices) -> Floats:
    """Return the reduced images as unit vectors without mean, float32 [c, d]."""
    vectors = np.empty((len(compared), _SIDE**2), np.float32)
    for start in range(0, len(compared), _BLOCK):
        block = _reduced(thumbnails[compared[start : start + _BLOCK]])
        flat = block.reshape(len(block), -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(flat, axis=1, keepdims=True)
        vectors[start : start + _BLOCK] = flat / np.maximum(norms, 1e-6)
    return vectors


def _reduced(images: Thumbnails) -> Floats:
    """Blur and resize to ``_SIDE``: the first order is accurate on a smooth image."""
    blur = _BLUR * images.shape[1] / _SIDE
    reduced = np.empty((len(images), _SIDE, _SIDE), np.float32)
    for image, target in zip(images, reduced, strict=True):
        blurred = cv2.GaussianBlur(image.astype(np.float32), (0, 0), blur)
        target[:] = cv2.resize(blurred, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return reduced


def _planes(images: Floats) -> Floats:
    """Return orthonormal bases of the planes of reduced images, float32 [n, 5, d].

    A plane is spanned by the image itself (contrast) and its derivatives by shift and stretch in x
    and y; the mean (brightness) is subtracted everywhere.
    """
    along = ((np.arange(_SIDE) - (_SIDE - 1) / 2) / _SIDE).astype(np.float32)
    by_y, by_x = np.gradient(images, axis=(1, 2))
    spanning = np.stack([images, by_x, by_y, by_x * along, by_y * along[:, None]], axis=1)
    spanning = spanning.reshape(len(images), 5, -1)
    spanning -= spanning.mean(axis=2, keepdims=True)
    basis, _ = np.linalg.qr(spanning.transpose(0, 2, 1))
    return np.ascontiguousarray(basis.transpose(0, 2, 1), np.float32)
