"""Duplicates: pictures that show the same thing, although their files differ.

Copies are told by their content: the same pixels in another file, re-encoded, resized (0.3 to
2 times), cropped by up to 5 % on each side, slightly brighter or darker. Candidates come from a
tangent distance between small thumbnails; each is confirmed on pixels, after the two have been
laid on each other. Pictures of one class that look alike (trousers from the front) are no
duplicates: their detail differs.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.dataset.alignment import similarity
from converters.dataset.candidates import candidates
from edge.image import Pixels

SIDE = 32
"""Pictures are compared as grey thumbnails of this side."""

_BLUR = 0.6
"""Standard deviation, in thumbnail pixels, of the blur before sampling; it keeps aliasing low."""

_FLAT = 2.0
"""Grey levels (standard deviation) below which only equal pixels make a duplicate."""

MIN_CORRELATION = 0.985
MIN_DETAIL = 0.98
"""Both correlations from which on a pair counts as confirmed.

Copies of grocery photos, digits and fashion pictures lie above; of distinct ones fewer than 2 %
of pictures have a partner above.
"""

_FIRST_LOOK = (2, 0.9)
"""Steps of alignment, and the detail correlation below which a pair is then given up."""

_STEPS = 6
_CHUNK = 1024

Thumbnail = NDArray[np.float16]
Pairs = NDArray[np.int64]
Indices = NDArray[np.int64]


def thumbnail(picture: Pixels) -> Thumbnail:
    """A picture small, grey and slightly blurred: float16 [SIDE, SIDE], 0–255."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    between = 2 * SIDE
    if min(height, width) >= between:
        method = cv2.INTER_AREA
    else:
        method = cv2.INTER_CUBIC if max(height, width) < between else cv2.INTER_LINEAR
    grey = cv2.resize(grey, (between, between), interpolation=method).astype(np.float32)
    blurred = cv2.GaussianBlur(grey, (0, 0), _BLUR * between / SIDE)
    return cv2.resize(blurred, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float16)


def first_of_equals(contents: Sequence[bytes], digests: Sequence[str]) -> Indices:
    """For every picture the index of that with equal ``contents`` and the smallest digest."""
    first: dict[bytes, int] = {}
    for index in sorted(range(len(contents)), key=digests.__getitem__):
        first.setdefault(contents[index], index)
    return np.array([first[content] for content in contents], np.int64)


def confirmed_pairs(thumbnails: NDArray[np.float16], equals: Indices) -> Pairs:
    """Pairs of pictures that show the same thing, each confirmed on pixels.

    Args:
        thumbnails: float16 [n, SIDE, SIDE].
        equals: int64 [n], from :func:`first_of_equals`; only the first of equals are compared.

    Returns:
        int64 [m, 2], rows (i, j) with i < j, sorted.
    """
    flat = thumbnails.astype(np.float32).std(axis=(1, 2)) < _FLAT
    compared = np.flatnonzero((equals == np.arange(len(equals))) & ~flat)
    if len(compared) < 2:
        return np.empty((0, 2), np.int64)
    pictures = thumbnails[compared].astype(np.float32)
    pairs = candidates(pictures)
    steps, threshold = _FIRST_LOOK
    pairs = _similar(pictures, pairs, steps, 0.0, threshold)
    return compared[_similar(pictures, pairs, _STEPS, MIN_CORRELATION, MIN_DETAIL)]


def _similar(
    pictures: NDArray[np.float32], pairs: Pairs, steps: int, correlation: float, detail: float
) -> Pairs:
    kept = np.zeros(len(pairs), np.bool_)
    for start in range(0, len(pairs), _CHUNK):
        first, second = pairs[start : start + _CHUNK].T
        whole, fine = similarity(pictures[first], pictures[second], steps)
        kept[start : start + _CHUNK] = (whole >= correlation) & (fine >= detail)
    return pairs[kept]


def star_groups(
    pairs: Pairs, equals: Indices, labels: NDArray[np.int64], digests: Sequence[str]
) -> Indices:
    """Groups of duplicates within a class: int64 [n], equal for members of a group.

    Pictures with equal pixels share a group. Beyond that every member is confirmed against one
    picture of the group, its representative; pairs are never chained further, so a row of slowly
    changing pictures does not become one group. The picture with most confirmed pairs represents
    first (by digest among such), and takes its partners that have no group yet. A group's number
    is the index of its representative.
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
