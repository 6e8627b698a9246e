"""Calibration of scores: of predictions with a score of 0.9, nine in ten should be correct."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.tf import clone_model
from converters.verification.intervals import wilson_interval
from converters.verification.roots import find_root
from edge.errors import UsageError
from edge.quantities import counted

SHARPEST, SOFTEST = 0.25, 10.0
"""Bounds of a fitted temperature."""

PRIOR = 10
"""Weight of the prior in favor of the uncalibrated scores, in images.

The prior keeps a small validation subset whose predictions all happen to be correct from
requiring scores of 1.
"""

BINS = 15
"""Number of bins as in Guo et al., so that figures are comparable."""

_HALF_A_STEP = 1 / 512
"""Half a quantization step of a score in 8 bits."""

_FLAT = 1e-6
"""Slope of the log-loss, in nats, below which no temperature is better than another."""

_CHI_SQUARED_95 = 3.841
"""95 % quantile of the chi-squared distribution with one degree of freedom."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Images whose best score lies above ``low`` and up to ``high``.

    ``count`` (at least 1) images, with the mean best score ``confidence`` and the share
    ``accuracy`` of correct predictions.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Reliability of scores.

    ``ece``: expected calibration error, the mean distance of confidence and accuracy, 0–1;
    ``log_loss`` in nats; ``bins``: those with an image, from low to high.
    """

    ece: float
    log_loss: float
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class ScoreThreshold:
    """Minimum best score of an accepted prediction.

    Of the ``images`` that it was chosen on, the share ``coverage`` is accepted, and of these the
    share ``reached`` is correct, with ``lower`` the lower bound of its 95 % interval. If no score
    reaches the required ``precision``, ``met`` is False, and the figures are those of the score
    that comes closest.
    """

    precision: float
    score: float
    reached: float
    lower: float
    coverage: float
    images: int

    @property
    def met(self) -> bool:
        """True if the required precision is reached."""
        return self.reached >= self.precision

    def words(self) -> str:
        """Describe the threshold, or why there is none, in a sentence."""
        share = f"{self.coverage:.1%} of {counted(self.images, 'validation image')}"
        right = f"{self.reached:.1%} of these are correct (95 % interval from {self.lower:.1%})"
        if self.met:
            return f"A score threshold of {self.score:.1%} accepts {share}; {right}."
        return (
            f"No threshold reaches a precision of {self.precision:.1%}. The best, "
            f"{self.score:.1%}, accepts {share}; {right}."
        )


def fit_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Fit the temperature T that divides the logits, on a validation subset.

    Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017): T minimizes the log-loss.
    The n images are joined by :data:`PRIOR` that are labeled by the scores themselves, the
    conjugate prior of this family (Diaconis and Ylvisaker, Annals of Statistics 7 (1979) 269), so
    that the log-loss stays convex in 1/T and is never higher at T than at 1.

    T is followed only as far as the images prove a need for it: until the mean best score enters
    the 95 % interval of the accuracy, where it may be right already. Nine predictions that are all
    correct prove an accuracy of 70 %, so that scores of 80 % on average are not raised. And a T
    that the images do not prove to be better than 1 (likelihood ratio, 95 %) is left out: it
    would be fitted to chance.

    Args:
        probabilities: softmax float [n, classes], n ≥ 1, of images not used in training.
        labels: int64 [n].

    Returns:
        T from :data:`SHARPEST` to :data:`SOFTEST`; above 1 the scores were overconfident.
    """
    likeliest = likeliest_temperature(probabilities, labels)
    if likeliest == 1:
        return 1.0
    temperature = _supported(likeliest, probabilities, labels)
    return temperature if _is_better(temperature, probabilities, labels) else 1.0


def likeliest_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the temperature of the lowest log-loss with the prior, whether proven or not."""
    logits = _logs(probabilities)
    own = logits[np.arange(len(labels)), labels].mean()
    usual = _expected(logits, 1.0)

    def slope(sharpness: float) -> float:
        """Compute the derivative of the log-loss by 1/T, in nats per image; it is monotonic."""
        expected = _expected(logits, sharpness)
        return float(expected - own + PRIOR / len(labels) * (expected - usual))

    start = slope(1.0)
    if abs(start) < _FLAT:
        return 1.0
    end = 1 / SOFTEST if start > 0 else 1 / SHARPEST
    if slope(end) * start > 0:
        return 1 / end
    return 1 / find_root(slope, *sorted((1.0, end)))


def _supported(
    temperature: float, probabilities: NDArray[np.float32], labels: NDArray[np.int64]
) -> float:
    """Return the temperature from 1 to ``temperature`` that the interval of the accuracy allows."""
    logits = _logs(probabilities)
    correct = int((probabilities.argmax(axis=1) == labels).sum())
    low, high = wilson_interval(correct, len(labels))

    def confidence(temperature: float) -> float:
        return float(_shares(logits, 1 / temperature).max(axis=1).mean())

    usual, goal = confidence(1.0), low if temperature < 1 else high
    if (goal - usual) * (1 - temperature) <= 0:
        return 1.0
    if (confidence(temperature) - goal) * (1 - temperature) <= 0:
        return temperature
    return find_root(lambda t: confidence(t) - goal, *sorted((1.0, temperature)))


def _is_better(
    temperature: float, probabilities: NDArray[np.float32], labels: NDArray[np.int64]
) -> bool:
    """Return True if the likelihood ratio of T and 1 is beyond chance at 95 % (Wilks 1938)."""
    rows = np.arange(len(labels))
    logits = _logs(probabilities)

    def log_likelihood(temperature: float) -> float:
        own = _shares(logits, 1 / temperature)[rows, labels]
        return float(np.log(np.maximum(own, np.finfo(np.float64).tiny)).sum())

    return 2 * (log_likelihood(temperature) - log_likelihood(1.0)) > _CHI_SQUARED_95


def scale_probabilities(
    probabilities: NDArray[np.float32], temperature: float
) -> NDArray[np.float32]:
    """Scale softmax scores, float [n, classes], as if the logits were divided."""
    return _shares(_logs(probabilities), 1 / temperature).astype(np.float32)


def scale_logits(model: Any, temperature: float) -> Any:
    """Copy a model with its logits divided by ``temperature``.

    ``model`` is a flat tf_keras model that ends in a softmax layer "head". The copy's kernel and
    bias contain the temperature, so that every file converted from it has calibrated scores at no
    cost.
    """
    copy = clone_model(model)
    head = copy.get_layer("head")
    head.set_weights([weights / temperature for weights in head.get_weights()])
    return copy


def reliability(
    scores: NDArray[np.float32], labels: NDArray[np.int64], bins: int = BINS
) -> Reliability:
    """Measure the reliability of scores, float [n, classes], for labels, int64 [n]; n ≥ 1.

    The expected calibration error is that of Guo et al. (2017), over ``bins`` of equal width. A
    score of 0, which quantized scores round to, counts as half of the lowest score above 0 (at
    most half a step of 8 bits).
    """
    confidence, correct = _top_scores(scores, labels)
    indices = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    filled = []
    for index in np.unique(indices):
        inside = indices == index
        filled.append(
            ReliabilityBin(
                low=int(index) / bins,
                high=(int(index) + 1) / bins,
                count=int(inside.sum()),
                confidence=float(confidence[inside].mean()),
                accuracy=float(correct[inside].mean()),
            )
        )
    ece = sum(b.count * abs(b.confidence - b.accuracy) for b in filled) / len(labels)
    log_loss = -float(_logs(scores)[np.arange(len(labels)), labels].mean())
    return Reliability(ece, log_loss, tuple(filled))


def fit_threshold(
    scores: NDArray[np.float32], labels: NDArray[np.int64], precision: float
) -> ScoreThreshold:
    """Find the lowest threshold above which predictions reach ``precision``, a share.

    It lies midway to the next lower best score (below the lowest: to that of a guess), as far as
    possible from the images on both sides, since another processor may round a quantized score to
    the next step.

    Args:
        scores: float [n, classes], n ≥ 1, of the model file that the threshold is for.
        labels: int64 [n].
        precision: above 0, up to 1.

    Raises:
        UsageError: the precision is out of range.
    """
    if not 0 < precision <= 1:
        raise UsageError(
            "--precision to be above 0 and at most 1",
            f"{precision:g}",
            "use a fraction such as 0.95",
            code="option-out-of-range",
        )
    confidence, correct = _top_scores(scores, labels)
    cuts, indices = np.unique(confidence, return_inverse=True)
    accepted = np.bincount(indices)[::-1].cumsum()[::-1]
    hits = np.bincount(indices, weights=correct)[::-1].cumsum()[::-1]
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


def _top_scores(
    scores: NDArray[np.float32], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the best score of each image, and whether its class is correct."""
    return scores.max(axis=1).astype(np.float64), scores.argmax(axis=1) == labels


def _logs(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return logarithms of scores; a score of 0 counts as half of the lowest other one."""
    exact = scores.astype(np.float64)
    minimum = min(exact[exact > 0].min() / 2, _HALF_A_STEP)
    logs: NDArray[np.float64] = np.log(np.maximum(exact, minimum))
    return logs


def _expected(logits: NDArray[np.float64], sharpness: float) -> float:
    """Return the expected logit of the true class under the sharpened scores."""
    return float((_shares(logits, sharpness) * logits).sum(axis=1).mean())


def _shares(logits: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    """Compute the softmax of sharpened logits."""
    sharp = sharpness * logits
    powers: NDArray[np.float64] = np.exp(sharp - sharp.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _midway(low: float, high: float) -> float:
    """Return the middle as float32, as in metadata; always above ``low``."""
    middle = float(np.float32((low + high) / 2))
    return middle if low < middle <= high else high
