"""Duplicate detection by image content.

Duplicates are copies of an image: identical pixels in another file, re-encoded, resized (0.3 to
2 times), cropped by up to 5 % on each side, slightly brighter or darker. Candidates come from a
tangent distance between small thumbnails (:mod:`converters.dataset.candidates`); each is confirmed
on pixels after aligning the two (:mod:`converters.dataset.alignment`). Similar images of a class
(trousers from the front) are no duplicates: their detail differs.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.dataset.alignment import Floats, similarity
from converters.dataset.candidates import candidates
from edge.image import RgbImage

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
    firsts = np.flatnonzero(equals == np.arange(len(equals)))
    compared = firsts[[thumbnails[first].std(dtype=np.float32) >= _FLAT for first in firsts]]
    if len(compared) < 2:
        return np.empty((0, 2), np.int64)
    pairs, shares = candidates(thumbnails, compared)
    isolated = shares <= _MAX_ISOLATED_SHARE
    promising = isolated.copy()
    promising[~isolated] = (
        _similarity(thumbnails, pairs[~isolated], _FIRST_STEPS)[1] >= _MIN_FIRST_DETAIL
    )
    pairs, isolated = pairs[promising], isolated[promising]
    overall, detail = _similarity(thumbnails, pairs, _STEPS)
    similar = (overall >= _MIN_CORRELATIONS[0]) & (detail >= _MIN_CORRELATIONS[1])
    isolated &= (overall >= _MIN_CORRELATIONS_ISOLATED[0]) & (
        detail >= _MIN_CORRELATIONS_ISOLATED[1]
    )
    return pairs[similar | isolated]


def _similarity(thumbnails: NDArray[np.float16], pairs: Pairs, steps: int) -> tuple[Floats, Floats]:
    """Compute :func:`similarity` of many pairs, in chunks that fit into memory."""
    overall, detail = np.zeros(len(pairs), np.float32), np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), _CHUNK):
        part = slice(start, start + _CHUNK)
        first, second = (thumbnails[side].astype(np.float32) for side in pairs[part].T)
        overall[part], detail[part] = similarity(first, second, steps)
    return overall, detail


def star_groups(pairs: Pairs, equals: Indices, digests: Sequence[str]) -> Indices:
    """Group duplicates: int64 [n], equal for members of a group.

    Images with identical pixels share a group. Every other member is confirmed against the
    representative of the group; pairs are not chained, so that a series of slowly changing images
    does not become one group. The image with the most confirmed pairs comes first (ties by
    digest), and takes its partners that have no group yet. A group's number is the index of its
    representative.
    """
    partners: dict[int, list[int]] = {index: [] for index in np.unique(equals).tolist()}
    for i, j in pairs.tolist():
        partners[i].append(j)
        partners[j].append(i)
    group: dict[int, int] = {}
    for index in sorted(partners, key=lambda i: (-len(partners[i]), digests[i])):
        if index not in group:
            group |= {p: index for p in [index, *partners[index]] if p not in group}
    return np.array([group[first] for first in equals.tolist()], np.int64)
