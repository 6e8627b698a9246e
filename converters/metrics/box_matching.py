"""Matching of detected with true boxes, as pycocotools does it, for many images at once.

The matches of each class are kept by image, so that :mod:`converters.metrics.average_precision`
computes the metrics of any resampling of the images from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.metrics.boxes import DetectedBoxes, TrueBoxes, areas, box_ious

IOUS = np.linspace(0.5, 0.95, 10)
"""The thresholds of COCO's metric: mAP50 takes the first, mAP50-95 the mean of all."""

MAX_DETECTIONS = 100
"""Detections of a class in an image that count, those with the highest scores."""

SIZES = ("all", "small", "medium", "large")
"""Names of the ranges of area, by index."""

_RANGES = np.array([(0, 1e10), (0, 32**2), (32**2, 96**2), (96**2, 1e10)])
"""Square pixels, from and to, of :data:`SIZES`."""

_ALMOST = 1 - 1e-10
"""Highest threshold: rounding must not make a perfect box miss it."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassMatches:
    """Matches of one class, its n detections in all images by falling score.

    Attributes:
        scores: float64 [n].
        images: int64 [n], the image of each detection.
        correct: bool [sizes, thresholds, n], matched to a true box that counts.
        ignored: bool [sizes, thresholds, n], neither right nor wrong.
        positives: int64 [sizes, images], the true boxes that count.
    """

    scores: NDArray[np.float64]
    images: NDArray[np.int64]
    correct: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    positives: NDArray[np.int64]


def match_classes(
    true: Sequence[TrueBoxes], detected: Sequence[DetectedBoxes], classes: int
) -> tuple[ClassMatches, ...]:
    """Match the detections of all images, class by class.

    Args:
        true: of each image; classes from 0 to ``classes`` - 1.
        detected: of the same images.
        classes: their number.
    """
    return tuple(_match_class(true, detected, index) for index in range(classes))


def match_boxes(
    ious: NDArray[np.float64],
    ignored: NDArray[np.bool_],
    crowds: NDArray[np.bool_],
    thresholds: NDArray[np.float64] = IOUS,
) -> NDArray[np.int64]:
    """Match the detections of an image greedily, the highest score first.

    Each takes the free true box with the highest IoU of at least the threshold, one that counts
    before one that does not; the later one of equals. A crowd is never used up.

    Args:
        ious: float64 [n, m] of detections, by falling score, with true boxes.
        ignored: bool [sizes, m], the true boxes that do not count.
        crowds: bool [m].
        thresholds: float64 [thresholds], above 0.

    Returns:
        int64 [sizes, thresholds, n], the index of the true box, -1 without one.
    """
    count, boxes = ious.shape
    needed = np.minimum(thresholds, _ALMOST)
    matched = np.full((len(ignored), len(thresholds), count), -1, np.int64)
    if not boxes:
        return matched
    free = np.ones((len(ignored), len(thresholds), boxes), np.bool_)
    preferred = np.where(ignored, 0.0, 2.0)[:, None]
    for row in np.flatnonzero((ious >= needed.min()).any(axis=1)):
        fits = (ious[row] >= needed[:, None]) & free
        rank = np.where(fits, ious[row] + preferred, -1.0)
        best = boxes - 1 - rank[..., ::-1].argmax(axis=2)
        hit = np.take_along_axis(rank, best[..., None], 2)[..., 0] >= 0
        matched[..., row] = np.where(hit, best, -1)
        at = np.nonzero(hit & ~crowds[best])
        free[(*at, best[at])] = False
    return matched


def _match_class(
    true: Sequence[TrueBoxes], detected: Sequence[DetectedBoxes], index: int
) -> ClassMatches:
    scores, images, correct, ignored, positives = [], [], [], [], []
    for number, (truth, detections) in enumerate(zip(true, detected, strict=True)):
        own = detections.of_class(index)
        order = np.argsort(-own.scores, kind="stable")[:MAX_DETECTIONS]
        rows = truth.classes == index
        crowds = truth.ignored[rows]
        boxes = truth.boxes[rows]
        outside = _outside(areas(boxes) if truth.areas is None else truth.areas[rows])
        neutral = outside | crowds
        positives.append((~neutral).sum(axis=1))
        if not len(order):
            continue
        best = own.boxes[order]
        matched = match_boxes(box_ious(best, boxes, crowds), neutral, crowds)
        hit = matched >= 0
        free = (
            np.take_along_axis(neutral[:, None], np.maximum(matched, 0), 2)
            if len(boxes)
            else np.zeros_like(hit)
        )
        scores.append(own.scores[order].astype(np.float64))
        images.append(np.full(len(order), number, np.int64))
        correct.append(hit & ~free)
        ignored.append(np.where(hit, free, _outside(areas(best))[:, None]))
    return _sorted(scores, images, correct, ignored, positives)


def _outside(sizes: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Return for each range of area whether it excludes the areas: bool [sizes, n]."""
    return (sizes < _RANGES[:, :1]) | (sizes > _RANGES[:, 1:])


def _sorted(
    scores: list[NDArray[np.float64]],
    images: list[NDArray[np.int64]],
    correct: list[NDArray[np.bool_]],
    ignored: list[NDArray[np.bool_]],
    positives: list[NDArray[np.int64]],
) -> ClassMatches:
    """Join the images, and sort their detections by falling score."""
    flags = np.zeros((len(SIZES), len(IOUS), 0), np.bool_)
    every = np.concatenate([np.zeros(0), *scores])
    order = np.argsort(-every, kind="stable")
    return ClassMatches(
        scores=every[order],
        images=np.concatenate([np.zeros(0, np.int64), *images])[order],
        correct=np.concatenate([flags, *correct], axis=2)[..., order],
        ignored=np.concatenate([flags, *ignored], axis=2)[..., order],
        positives=np.stack(positives, axis=1) if positives else np.zeros((len(SIZES), 0), np.int64),
    )
