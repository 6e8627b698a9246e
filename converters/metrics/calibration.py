"""Scores against the share that is correct: of scores of 0.9, nine in ten should be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True, slots=True)
class ScoreBin:
    """Predictions with a score above ``low`` and up to ``high``.

    ``count``, at least 1, with the mean score ``confidence`` and the share ``correct``.
    """

    low: float
    high: float
    count: int
    confidence: float
    correct: float


def bin_scores(
    scores: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = BINS
) -> tuple[ScoreBin, ...]:
    """Compare scores, float64 [n], with what is correct, bool [n].

    Returns:
        Bins of equal width, those that are not empty, from low to high.
    """
    indices = np.clip(np.ceil(scores * bins).astype(np.int64) - 1, 0, bins - 1)
    return tuple(
        ScoreBin(
            low=int(index) / bins,
            high=(int(index) + 1) / bins,
            count=int((indices == index).sum()),
            confidence=float(scores[indices == index].mean()),
            correct=float(correct[indices == index].mean()),
        )
        for index in np.unique(indices)
    )


def calibration_error(bins: Sequence[ScoreBin]) -> float:
    """Average the distance of score and share over the predictions; NaN without any.

    Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017); for detections Küppers et
    al., "Multivariate Confidence Calibration for Object Detection" (CVPR workshops 2020), by the
    score alone.
    """
    count = sum(entry.count for entry in bins)
    if not count:
        return float("nan")
    return sum(entry.count * abs(entry.confidence - entry.correct) for entry in bins) / count
