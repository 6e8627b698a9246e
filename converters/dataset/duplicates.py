"""Duplicates: pictures that show the same thing, although their files differ."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.image import Pixels

SIDE = 32
"""Pictures are compared as grey thumbnails of this side."""

Thumbnails = NDArray[np.uint8]
Pairs = NDArray[np.int64]


def thumbnail(picture: Pixels) -> Thumbnails:
    """A picture small and grey, averaged over areas: uint8 [SIDE, SIDE]."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def pairs(thumbnails: Thumbnails) -> Pairs:
    """Pairs of pictures that show the same thing, each confirmed on pixels.

    Args:
        thumbnails: uint8 [n, SIDE, SIDE].

    Returns:
        int64 [m, 2], each row (i, j) with i < j, sorted.
    """
    vectors = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    found = []
    for start in range(0, len(vectors), 1024):
        close = vectors[start : start + 1024] @ vectors.T > 0.995
        first, second = np.nonzero(close)
        first += start
        found.append(np.stack([first, second], axis=1)[first < second])
    return np.concatenate(found) if found else np.empty((0, 2), np.int64)


def star_groups(
    confirmed: Pairs, labels: NDArray[np.int64], digests: Sequence[str]
) -> NDArray[np.int64]:
    """Groups of duplicates within a class: int64 [n], equal for members of a group.

    Every member of a group is confirmed against one picture of it, its representative; pairs are
    never chained further, so a row of slowly changing pictures does not become one group. The
    picture with most confirmed pairs represents first (by digest among equals), and takes all
    its partners that have no group yet. A picture's group is the index of its representative.
    """
    count = len(labels)
    partners: list[list[int]] = [[] for _ in range(count)]
    for i, j in confirmed.tolist():
        if labels[i] == labels[j]:
            partners[i].append(j)
            partners[j].append(i)
    groups = np.full(count, -1, np.int64)
    for index in sorted(range(count), key=lambda i: (-len(partners[i]), digests[i])):
        if groups[index] < 0:
            groups[index] = index
            free = [partner for partner in partners[index] if groups[partner] < 0]
            groups[free] = index
    return groups
