"""Which pictures may be copies of which: nearest neighbours by one-sided tangent distance.

A slightly cropped, shifted or stretched copy of a picture lies, to first order, in the plane
that the derivatives of the picture by these changes span at it. The distance to that plane is
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
_MAX_RESIDUAL = 0.12
"""Share of a picture's energy outside another's plane up to which the two are compared."""

_NEAREST = 6
_BLOCK = 256


def candidates(thumbnails: Floats) -> NDArray[np.int64]:
    """Pairs worth a look: int64 [m, 2], i < j, sorted, at most 6 from each picture's side.

    Args:
        thumbnails: float32 [n, side, side], none of them flat.
    """
    vectors, planes = _planes(np.stack([_reduce(picture) for picture in thumbnails]))
    count, size = vectors.shape
    found = []
    for start in range(0, count, _BLOCK):
        block = planes[start : start + _BLOCK]
        parts = (block.reshape(-1, size) @ vectors.T).reshape(len(block), -1, count)
        residual = 1 - np.einsum("bkn,bkn->bn", parts, parts)
        rows = np.arange(len(block))
        residual[rows, rows + start] = np.inf
        nearest = np.argpartition(residual, min(_NEAREST, count - 1), axis=1)[:, :_NEAREST]
        row, place = np.nonzero(np.take_along_axis(residual, nearest, axis=1) < _MAX_RESIDUAL)
        found.append(np.stack([row + start, nearest[row, place]], axis=1))
    pairs = np.sort(np.concatenate(found), axis=1).astype(np.int64)
    return np.unique(pairs, axis=0)


def _reduce(picture: Floats) -> Floats:
    """Smaller and smooth: [_SIDE, _SIDE]; on a smooth picture first order goes a long way."""
    blurred = cv2.GaussianBlur(picture, (0, 0), _BLUR * picture.shape[0] / _SIDE)
    small = cv2.resize(blurred, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _planes(pictures: Floats) -> tuple[Floats, Floats]:
    """Unit vectors without mean, [n, d], and orthonormal bases of their planes, [n, 5, d].

    A plane holds the picture itself (contrast) and its derivatives by shift and stretch in x
    and y; the mean (brightness) is taken out everywhere.
    """
    along = ((np.arange(_SIDE) - (_SIDE - 1) / 2) / _SIDE).astype(np.float32)
    by_y, by_x = np.gradient(pictures, axis=(1, 2))
    spanning = np.stack([pictures, by_x, by_y, by_x * along, by_y * along[:, None]], axis=1)
    spanning = spanning.reshape(len(pictures), 5, -1)
    spanning -= spanning.mean(axis=2, keepdims=True)
    basis, _ = np.linalg.qr(spanning.transpose(0, 2, 1))
    planes = np.ascontiguousarray(basis.transpose(0, 2, 1), np.float32)
    norms = np.linalg.norm(spanning[:, 0], axis=1, keepdims=True)
    return spanning[:, 0] / np.maximum(norms, 1e-6), planes
