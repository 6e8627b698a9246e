"""Candidate pairs of duplicates: nearest neighbors by one-sided tangent distance.

A slightly cropped, shifted or stretched copy of an image lies, to first order, in the plane
that the derivatives of the image by these changes span at it. The distance to that plane is
small for copies whatever their crop, brightness and contrast, and all of them are found with
one matrix product. Source: Simard, LeCun, Denker: Efficient pattern recognition using a new
transformation distance (NIPS 1992).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SIDE = 16
_BLUR = 0.8
_MAX_RESIDUAL = 0.15
"""Maximum share of an image's energy outside another's plane for a candidate pair."""

_MAX_SHARE, _TINY_RESIDUAL = 0.7, 0.003
"""Maximum distance relative to the neighborhood (copies stay below 0.5), and the residual below
which it does not matter, as the neighbors may be further copies."""

_NEIGHBORS = 10
_BLOCK = 256


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
    """Blur and resize to [_SIDE, _SIDE]; first order is accurate on a smooth image."""
    blurred = cv2.GaussianBlur(image, (0, 0), _BLUR * image.shape[0] / _SIDE)
    small = cv2.resize(blurred, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _planes(images: Floats) -> tuple[Floats, Floats]:
    """Return unit vectors without mean, [n, d], and orthonormal bases of their planes, [n, 5, d].

    A plane is spanned by the image itself (contrast) and its derivatives by shift and stretch in x
    and y; the mean (brightness) is subtracted everywhere.
    """
    along = ((np.arange(_SIDE) - (_SIDE - 1) / 2) / _SIDE).astype(np.float32)
    by_y, by_x = np.gradient(images, axis=(1, 2))
    spanning = np.stack([images, by_x, by_y, by_x * along, by_y * along[:, None]], axis=1)
    spanning = spanning.reshape(len(images), 5, -1)
    spanning -= spanning.mean(axis=2, keepdims=True)
    basis, _ = np.linalg.qr(spanning.transpose(0, 2, 1))
    planes = np.ascontiguousarray(basis.transpose(0, 2, 1), np.float32)
    norms = np.linalg.norm(spanning[:, 0], axis=1, keepdims=True)
    return spanning[:, 0] / np.maximum(norms, 1e-6), planes
