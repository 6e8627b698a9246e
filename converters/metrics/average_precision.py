"""COCO's average precision of matched boxes, for the images as they are or resampled.

Lin et al., "Microsoft COCO: Common Objects in Context" (ECCV 2014) and cocodataset.org: the mean
of the interpolated precision at 101 recalls. Equal to pycocotools' to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.metrics.box_matching import IOUS, ClassMatches

RECALLS = np.linspace(0, 1, 101)

_CURVE_POINTS = 101

_CHUNK = 4_000_000
"""Numbers in an array of detections and resamples at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """Precision by recall at an IoU of 0.5: float64 [n] each, by rising recall.

    ``scores``: the threshold that gives each point; ``envelope``: the highest precision at this
    recall or more, which the average precision is the mean of.
    """

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    envelope: NDArray[np.float64]
    scores: NDArray[np.float64]


def average_precisions(
    matches: Sequence[ClassMatches], weights: NDArray[np.float32] | None = None, size: int = 0
) -> NDArray[np.float64]:
    """Compute the average precision of each class at each IoU of :data:`IOUS`.

    Args:
        matches: of each class.
        weights: float32 [r, images], how often each image counts in each of r resamples; None:
            all once, r = 1.
        size: index into :data:`converters.metrics.box_matching.SIZES`.

    Returns:
        float64 [r, classes, thresholds], 0 to 1; NaN for a class without true boxes.
    """
    if weights is None:
        images = matches[0].positives.shape[1] if matches else 0
        weights = np.ones((1, images), np.float32)
    result = np.full((len(weights), len(matches), len(IOUS)), np.nan)
    for index, of_class in enumerate(matches):
        step = max(1, _CHUNK // max(1, len(of_class.scores)))
        for start in range(0, len(weights), step):
            rows = slice(start, start + step)
            result[rows, index] = _class_precisions(of_class, weights[rows], size)
    return result


def mean_precision(precisions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average over classes with true boxes and over IoUs: [r, classes, thresholds] to [r]."""
    known = ~np.isnan(precisions)
    counts = known.sum(axis=(1, 2))
    sums = np.where(known, precisions, 0).sum(axis=(1, 2))
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)


def precision_recall(matches: ClassMatches) -> PrecisionRecall:
    """Return the curve of one class at an IoU of 0.5; empty without true boxes."""
    kept = ~matches.ignored[0, 0]
    correct = matches.correct[0, 0][kept]
    total = int(matches.positives[0].sum())
    if not total:
        none = np.zeros(0)
        return PrecisionRecall(none, none, none, none)
    hits = np.cumsum(correct)
    precision = hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return PrecisionRecall(hits / total, precision, envelope, matches.scores[kept])


def curve_points(matches: ClassMatches) -> dict[str, list[float]]:
    """Return about 100 points of a class's curve, to be drawn: recall, precision and scores."""
    curve = precision_recall(matches)
    step = max(1, len(curve.recall) // _CURVE_POINTS)
    rows = np.flatnonzero(np.diff(curve.recall, prepend=0) > 0)[::step]
    return {
        "recall": curve.recall[rows].tolist(),
        "precision": curve.envelope[rows].tolist(),
        "scores": curve.scores[rows].tolist(),
    }


def _class_precisions(
    matches: ClassMatches, weights: NDArray[np.float32], size: int
) -> NDArray[np.float64]:
    """Return the average precision of a class at each IoU: float64 [r, thresholds].

    Arrays are [detections, r]. Between two correct detections precision only falls, and recall
    stays: only the correct ones matter.
    """
    by_image = np.ascontiguousarray(weights.T)
    totals = matches.positives[size].astype(np.float64) @ by_image
    result = np.zeros((len(weights), len(IOUS)))
    for index in range(len(IOUS)):
        kept = ~matches.ignored[size, index]
        correct, images = matches.correct[size, index][kept], matches.images[kept]
        at = np.flatnonzero(correct)
        if not len(at):
            continue
        starts = np.concatenate([[0], at[:-1] + 1])
        seen = np.add.reduceat(by_image[images[: at[-1] + 1]], starts, axis=0).cumsum(axis=0)
        hits = by_image[images[at]].cumsum(axis=0)
        result[:, index] = _interpolated(hits, seen, totals)
    result[totals == 0] = np.nan
    return result


def _interpolated(
    hits: NDArray[np.float32], seen: NDArray[np.float32], totals: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average the precision over 101 recalls.

    ``hits`` and ``seen``, [correct, r]: correct and all detections down to each correct one.
    """
    shape = hits.shape
    precision = np.divide(hits, seen, out=np.zeros(shape), where=seen > 0, dtype=np.float64)
    envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    recall = np.divide(hits, totals, out=np.zeros(shape), where=totals > 0)
    reached = np.searchsorted(RECALLS, recall.ravel(), side="right").reshape(shape)
    steps = np.diff(reached, axis=0, prepend=0)
    result: NDArray[np.float64] = (envelope * steps).sum(axis=0) / len(RECALLS)
    return result
