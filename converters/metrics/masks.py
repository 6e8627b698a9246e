"""Metrics of masks: intersection over union from a confusion per image, and F1 of boundaries."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

VOID = 255
"""Value of true pixels that do not count."""

TOLERANCE = 0.0075
"""Distance that a boundary may be off, as a share of the image's diagonal."""

Mask = NDArray[np.uint8]


def mask_confusion(true: Mask, predicted: Mask, classes: int) -> NDArray[np.int64]:
    """Count the pixels of an image by true and predicted class.

    Args:
        true: uint8 [height, width], below ``classes`` or :data:`VOID`.
        predicted: uint8 of the same shape; classes of ``classes`` and above are wrong everywhere.
        classes: at most 254.

    Returns:
        int64 [classes, classes + 1], rows are the true class; the last column is any other class.
    """
    counted = true != VOID
    columns = np.minimum(predicted[counted].astype(np.int64), classes)
    pairs = true[counted].astype(np.int64) * (classes + 1) + columns
    counts = np.bincount(pairs, minlength=classes * (classes + 1))
    return counts.reshape(classes, classes + 1).astype(np.int64)


def class_ious(
    confusions: NDArray[np.int64], weights: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """Compute the intersection over union of each class over all pixels of all images.

    Args:
        confusions: int64 [images, classes, classes + 1], see :func:`mask_confusion`.
        weights: float32 [r, images], see
            :func:`converters.metrics.average_precision.average_precisions`.

    Returns:
        float64 [r, classes]; NaN for a class that is neither true nor predicted.
    """
    images, classes, _ = confusions.shape
    exact = (np.ones((1, images)) if weights is None else weights).astype(np.float64)
    shared = exact @ np.einsum("nii->ni", confusions[:, :, :classes]).astype(np.float64)
    true, named = confusions.sum(axis=2), confusions[:, :, :classes].sum(axis=1)
    union = exact @ (true + named).astype(np.float64) - shared
    return np.divide(shared, union, out=np.full(union.shape, np.nan), where=union > 0)


def mean_iou(ious: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average over the classes that are true or predicted: float64 [r, classes] to [r]."""
    known = ~np.isnan(ious)
    counts = known.sum(axis=1)
    sums = np.where(known, ious, 0).sum(axis=1)
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)


def pixel_accuracy(confusions: NDArray[np.int64]) -> float:
    """Return the share of correct pixels; NaN where none counts."""
    total = confusions.sum()
    return float(np.einsum("nii->", confusions[:, :, :-1]) / total) if total else float("nan")


def boundary_counts(
    true: Mask, predicted: Mask, classes: int, tolerance: float = TOLERANCE
) -> NDArray[np.int64]:
    """Count the pixels of an image's boundaries, for :func:`boundary_f1`.

    Csurka et al., "What is a good evaluation measure for semantic segmentation?" (BMVC 2013).
    Pixels on the edge of the image are no boundary, and void ones none of a prediction.

    Returns:
        int64 [classes, 4]: predicted ones, those of them near a true one, true ones, those of them
        near a predicted one.
    """
    radius = max(1, round(tolerance * math.hypot(*true.shape)))
    span = 2 * radius + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (span, span))
    void = true == VOID
    blurred = cv2.dilate(void.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    counts = np.zeros((classes, 4), np.int64)
    for index in np.union1d(true, predicted):
        if index >= classes:
            continue
        edges = [_boundary(mask == index) & ~blurred for mask in (true, predicted)]
        real, guessed = edges
        near_real, near_guessed = (cv2.dilate(edge.astype(np.uint8), disc) > 0 for edge in edges)
        counts[index] = (
            guessed.sum(),
            (guessed & near_real).sum(),
            real.sum(),
            (real & near_guessed).sum(),
        )
    return counts


def boundary_f1(counts: Sequence[NDArray[np.int64]] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return F1 of the boundaries of each class, float64 [classes], the mean over images.

    ``counts``: int64 [images, classes, 4], see :func:`boundary_counts`. Images without a boundary
    of a class, true or predicted, are left out; NaN where all are.
    """
    guessed, near_real, real, near_guessed = np.moveaxis(np.asarray(counts, np.float64), 2, 0)
    precision = np.divide(near_real, guessed, out=np.zeros_like(guessed), where=guessed > 0)
    recall = np.divide(near_guessed, real, out=np.zeros_like(real), where=real > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0)
    known = (guessed > 0) | (real > 0)
    images = known.sum(axis=0)
    sums = np.where(known, f1, 0).sum(axis=0)
    return np.divide(sums, images, out=np.full(len(images), np.nan), where=images > 0)


def _boundary(area: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of an area with a neighbor, up, down, left or right, outside of it."""
    edge = np.zeros_like(area)
    edge[1:] |= area[1:] & ~area[:-1]
    edge[:-1] |= area[:-1] & ~area[1:]
    edge[:, 1:] |= area[:, 1:] & ~area[:, :-1]
    edge[:, :-1] |= area[:, :-1] & ~area[:, 1:]
    return edge
