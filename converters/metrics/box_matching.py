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


@dataclass(frozen=True, slots=True, eq=False)
class _ImageMatches:
    """Matches of one class in one image; fields as those of :class:`ClassMatches`."""

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
    parts: list[list[_ImageMatches]] = [[] for _ in range(classes)]
    positives = np.zeros((classes, len(SIZES), len(true)), np.int64)
    for image, (truth, detections) in enumerate(zip(true, detected, strict=True)):
        for index in np.union1d(truth.classes, detections.classes).tolist():
            matches = _match_image(truth, detections, index, image)
            positives[index, :, image] = matches.positives
            parts[index].append(matches)
    return tuple(_joined(own, counts) for own, counts in zip(parts, positives, strict=True))


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


def _match_image(
    truth: TrueBoxes, detections: DetectedBoxes, index: int, image: int
) -> _ImageMatches:
    """Match the boxes of one class in one image."""
    own = detections.of_class(index)
    order = np.argsort(-own.scores, kind="stable")[:MAX_DETECTIONS]
    best = own.boxes[order]
    rows = truth.classes == index
    boxes, crowds = truth.boxes[rows], truth.ignored[rows]
    neutral = _outside(areas(boxes) if truth.areas is None else truth.areas[rows]) | crowds
    matched = match_boxes(box_ious(best, boxes, crowds), neutral, crowds)
    hit = matched >= 0
    # A last column, which -1 stands for, keeps images without true boxes from being special.
    padded = np.concatenate([neutral, np.zeros((len(SIZES), 1), np.bool_)], axis=1)
    on_neutral = np.take_along_axis(padded[:, None], matched % padded.shape[1], 2)
    return _ImageMatches(
        scores=own.scores[order].astype(np.float64),
        images=np.full(len(order), image, np.int64),
        correct=hit & ~on_neutral,
        ignored=np.where(hit, on_neutral, _outside(areas(best))[:, None]),
        positives=(~neutral).sum(axis=1),
    )


def _outside(sizes: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Return for each range of area whether it excludes the areas: bool [sizes, n]."""
    return (sizes < _RANGES[:, :1]) | (sizes > _RANGES[:, 1:])


def _joined(parts: Sequence[_ImageMatches], positives: NDArray[np.int64]) -> ClassMatches:
    """Join the images, and sort their detections by falling score."""
    if not parts:
        flags = np.zeros((len(SIZES), len(IOUS), 0), np.bool_)
        return ClassMatches(np.zeros(0), np.zeros(0, np.int64), flags, flags, positives)
    scores = np.concatenate([part.scores for part in parts])
    order = np.argsort(-scores, kind="stable")
    return ClassMatches(
        scores=scores[order],
        images=np.concatenate([part.images for part in parts])[order],
        correct=np.concatenate([part.correct for part in parts], axis=2)[..., order],
        ignored=np.concatenate([part.ignored for part in parts], axis=2)[..., order],
        positives=positives,
    )
