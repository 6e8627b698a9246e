"""Duplicates: images that show the same thing, although their files differ.

Copies are told by their content: the same pixels in another file, re-encoded, resized (0.3 to
2 times), cropped by up to 5 % on each side, slightly brighter or darker. Candidates come from a
tangent distance between small thumbnails; each is confirmed on pixels, after the two have been
laid on each other. Images of one class that look alike (trousers from the front) are no
duplicates: their detail differs.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.dataset.alignment import similarity
from converters.dataset.candidates import candidates
from edge.image import RgbImage

SIDE = 32
"""Images are compared as gray thumbnails of this side."""

_BLUR = 0.6
"""Standard deviation, in thumbnail pixels, of the blur before sampling; it keeps aliasing low."""

_FLAT = 2.0
"""Gray levels (standard deviation) below which only equal pixels make a duplicate."""

_ALIKE = (0.985, 0.985)
"""Correlations, of the pixels and of their detail, from which on a pair is confirmed."""

_ALIKE_AND_APART = (0.9, 0.78)
"""The same for a pair that stands out: near to each other and far from the rest of the data set,
as are coarsely compressed copies and two photos of one crate from nearly the same place. Distinct
images of dense data sets (28 × 28 pixels of clothing) reach 0.97, but do not stand out."""

_APART = 0.15
"""Share of the distance to the next other image below which a pair stands out."""

_STEPS = 8
"""Steps of alignment."""

_FIRST_STEPS, _PROMISING = 3, 0.8
"""Steps after which the many pairs that do not stand out are given up, and the correlation of
detail below which they are."""

_CHUNK = 1024

Thumbnail = NDArray[np.float16]
Floats = NDArray[np.float32]
Pairs = NDArray[np.int64]
Indices = NDArray[np.int64]


def thumbnail(image: RgbImage) -> Thumbnail:
    """An image small, gray and slightly blurred: float16 [SIDE, SIDE], 0–255."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = gray.shape
    between = 2 * SIDE
    if min(height, width) >= between:
        method = cv2.INTER_AREA
    else:
        method = cv2.INTER_CUBIC if max(height, width) < between else cv2.INTER_LINEAR
    gray = cv2.resize(gray, (between, between), interpolation=method).astype(np.float32)
    blurred = cv2.GaussianBlur(gray, (0, 0), _BLUR * between / SIDE)
    return cv2.resize(blurred, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float16)


def first_of_equals(contents: Sequence[bytes], digests: Sequence[str]) -> Indices:
    """For every image the index of that with equal ``contents`` and the smallest digest."""
    first: dict[bytes, int] = {}
    for index in sorted(range(len(contents)), key=digests.__getitem__):
        first.setdefault(contents[index], index)
    return np.array([first[content] for content in contents], np.int64)


def confirmed_pairs(thumbnails: NDArray[np.float16], equals: Indices) -> Pairs:
    """Pairs of images that show the same thing, each confirmed on pixels.

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
    images = thumbnails[compared].astype(np.float32)
    pairs, shares = candidates(images)
    apart = shares <= _APART
    promising = apart.copy()
    promising[~apart] = _similarity(images, pairs[~apart], _FIRST_STEPS)[1] >= _PROMISING
    pairs, apart = pairs[promising], apart[promising]
    whole, detail = _similarity(images, pairs, _STEPS)
    alike = (whole >= _ALIKE[0]) & (detail >= _ALIKE[1])
    apart &= (whole >= _ALIKE_AND_APART[0]) & (detail >= _ALIKE_AND_APART[1])
    pairs = pairs[alike | apart]
    return np.asarray(compared[pairs], np.int64)


def _similarity(images: Floats, pairs: Pairs, steps: int) -> tuple[Floats, Floats]:
    """:func:`similarity` of many pairs, in portions that fit into the memory."""
    whole, detail = np.zeros(len(pairs), np.float32), np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), _CHUNK):
        part = slice(start, start + _CHUNK)
        first, second = pairs[part].T
        whole[part], detail[part] = similarity(images[first], images[second], steps)
    return whole, detail


def star_groups(
    pairs: Pairs, equals: Indices, labels: NDArray[np.int64], digests: Sequence[str]
) -> Indices:
    """Groups of duplicates within a class: int64 [n], equal for members of a group.

    Images with equal pixels share a group. Beyond that every member is confirmed against one
    image of the group, its representative; pairs are never chained further, so a row of slowly
    changing images does not become one group. The image with most confirmed pairs represents
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
