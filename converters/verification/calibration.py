"""Scores that mean something: a score of 0.9 should be right nine times in ten."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.tf import clone_model
from converters.verification.statistics import wilson_interval
from edge.errors import UsageError

SHARPEST, SOFTEST = 0.25, 10.0
"""Bounds of a fitted temperature."""

PRIOR = 10
"""So many images speak for the scores as they are.

They are imagined to come out as often as their scores say, and keep a small validation side that
happens to be all right from asking for scores of 1.
"""

BINS = 15
"""As in Guo et al., so that figures compare."""

_HALF_A_STEP = 1 / 512
"""Of a score in 8 bits."""

_FLAT = 1e-6
"""Slope of the log-loss, in nats, below which no temperature is better than another."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Images whose best score lies above ``low`` and up to ``high``.

    ``count`` (at least 1) of them, with the mean best score ``confidence`` and the share
    ``accuracy`` that is right.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far scores can be believed.

    ``ece``: expected calibration error, the mean distance of confidence and accuracy, 0–1;
    ``log_loss`` in nats; ``bins``: those with an image, from low to high.
    """

    ece: float
    log_loss: float
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class ScoreThreshold:
    """The best score from which on an answer is accepted.

    Of the ``images`` that it was chosen on, the share ``coverage`` is accepted, and of these the
    share ``reached`` is right, with ``lower`` the lower bound of its 95 % interval. Where nothing
    reaches the required ``precision``, ``met`` is False, and the figures are those of the score that
    comes nearest.
    """

    precision: float
    score: float
    reached: float
    lower: float
    coverage: float
    images: int

    @property
    def met(self) -> bool:
        return self.reached >= self.precision

    def words(self) -> str:
        """The threshold, or why there is none, as a sentence."""
        share = f"{self.coverage:.1%} of {self.images} validation images"
        right = f"{self.reached:.1%} of these are correct (95 % interval from {self.lower:.1%})"
        if self.met:
            return f"A score threshold of {self.score:.1%} accepts {share}; {right}."
        return (
            f"No threshold reaches a precision of {self.precision:.1%}. The best, {self.score:.1%}, "
            f"accepts {share}; {right}."
        )


def fit_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature T by which logits are to be divided, from a validation side.

    Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017): T minimizes the log-loss.
    Beside the n images stand :data:`PRIOR` that are labeled by the scores themselves, the
    conjugate prior of this family (Diaconis and Ylvisaker, Annals of Statistics 7 (1979) 269), so
    that the log-loss stays convex in 1/T and is never higher at T than at 1.

    Args:
        probabilities: softmax float [n, classes], n ≥ 1, of images that no weight has seen.
        labels: int64 [n].

    Returns:
        T from :data:`SHARPEST` to :data:`SOFTEST`; above 1 the scores were too sure.
    """
    from scipy.optimize import brentq

    logits = _logs(probabilities)
    own = logits[np.arange(len(labels)), labels].mean()
    usual = _expected(logits, 1.0)

    def slope(sharpness: float) -> float:
        """The derivative of the log-loss by 1/T, in nats an image; it only ever rises."""
        expected = _expected(logits, sharpness)
        return float(expected - own + PRIOR / len(labels) * (expected - usual))

    here = slope(1.0)
    if abs(here) < _FLAT:
        return 1.0
    end = 1 / SOFTEST if here > 0 else 1 / SHARPEST
    if slope(end) * here > 0:
        return 1 / end
    return 1 / float(brentq(slope, *sorted((1.0, end))))


def scale_probabilities(
    probabilities: NDArray[np.float32], temperature: float
) -> NDArray[np.float32]:
    """What softmax scores, float [n, classes], become when the logits are divided."""
    return _shares(_logs(probabilities), 1 / temperature).astype(np.float32)


def scale_logits(model: Any, temperature: float) -> Any:
    """A copy of ``model`` whose logits are divided by ``temperature``; ``model`` stays as it is.

    ``model``: flat tf_keras model that ends in a softmax layer "head". Its kernel and bias take
    the temperature in, so that every file made of the copy gives the calibrated scores at no cost.
    """
    copy = clone_model(model)
    head = copy.get_layer("head")
    head.set_weights([weights / temperature for weights in head.get_weights()])
    return copy


def reliability(
    scores: NDArray[np.float32], labels: NDArray[np.int64], bins: int = BINS
) -> Reliability:
    """How well scores, float [n, classes], meet the truth, int64 [n]; n ≥ 1.

    The expected calibration error is that of Guo et al. (2017), over ``bins`` of equal width. A
    score of 0, which quantized scores round to, counts as half of the least score above 0 (at
    most half a step of 8 bits).
    """
    confidence, right = _answers(scores, labels)
    places = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    found = []
    for place in np.unique(places):
        inside = places == place
        found.append(
            ReliabilityBin(
                low=int(place) / bins,
                high=(int(place) + 1) / bins,
                count=int(inside.sum()),
                confidence=float(confidence[inside].mean()),
                accuracy=float(right[inside].mean()),
            )
        )
    ece = sum(b.count * abs(b.confidence - b.accuracy) for b in found) / len(labels)
    log_loss = -float(_logs(scores)[np.arange(len(labels)), labels].mean())
    return Reliability(ece, log_loss, tuple(found))


def fit_threshold(
    scores: NDArray[np.float32], labels: NDArray[np.int64], precision: float
) -> ScoreThreshold:
    """The least score from which on answers are right with ``precision``, a share.

    It lies midway to the next lower best score (below the lowest: to that of a guess), as far as
    it can from the images on both sides, since another processor may round a quantized score to
    the next step.

    Args:
        scores: float [n, classes], n ≥ 1, of the very file that it is for.
        labels: int64 [n].
        precision: above 0, up to 1.

    Raises:
        UsageError: a precision out of range.
    """
    if not 0 < precision <= 1:
        raise UsageError(
            "--precision to be above 0 and at most 1",
            f"{precision:g}",
            "use a fraction such as 0.95",
            code="option-out-of-range",
        )
    confidence, right = _answers(scores, labels)
    cuts, places = np.unique(confidence, return_inverse=True)
    accepted = np.bincount(places)[::-1].cumsum()[::-1]
    hits = np.bincount(places, weights=right)[::-1].cumsum()[::-1]
    reached = hits / accepted
    enough = np.flatnonzero(reached >= precision)
    at = int(enough[0]) if len(enough) else int(reached.argmax())
    guess = min(1 / scores.shape[1], float(cuts[0]))
    return ScoreThreshold(
        precision=precision,
        score=_midway(float(cuts[at - 1]) if at else guess, float(cuts[at])),
        reached=float(reached[at]),
        lower=wilson_interval(int(hits[at]), int(accepted[at]))[0],
        coverage=float(accepted[at] / len(labels)),
        images=len(labels),
    )


def _answers(
    scores: NDArray[np.float32], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The best score of each image, and whether its class is the true one."""
    return scores.max(axis=1).astype(np.float64), scores.argmax(axis=1) == labels


def _logs(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logarithms of scores; one that was rounded to 0 counts as half of the least other one."""
    exact = scores.astype(np.float64)
    least = min(exact[exact > 0].min() / 2, _HALF_A_STEP)
    logs: NDArray[np.float64] = np.log(np.maximum(exact, least))
    return logs


def _expected(logits: NDArray[np.float64], sharpness: float) -> float:
    """The mean logit of the true class, were classes as likely as the sharpened scores say."""
    return float((_shares(logits, sharpness) * logits).sum(axis=1).mean())


def _shares(logits: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    """The softmax of sharpened logits."""
    sharp = sharpness * logits
    powers: NDArray[np.float64] = np.exp(sharp - sharp.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _midway(low: float, high: float) -> float:
    """The middle as float32, which is what metadata holds; never as low as ``low``."""
    middle = float(np.float32((low + high) / 2))
    return middle if low < middle <= high else high
