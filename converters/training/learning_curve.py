"""Learning curve: accuracy over the number of photos, and what more photos would bring.

Heads are fitted on parts of the images, and each predicts the images of a fold that it was fitted
without. The error falls as a power of the number of photos, ``scale * photos ** -exponent``
(Hestness et al., "Deep Learning Scaling is Predictable, Empirically", 2017); with a floor as a
third parameter, predictions from half of the images were worse
(``tests/benchmarks/learning_curve.py``). Intervals come from resampled images.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from converters.training.cross_validation import FOLDS, fold_numbers
from edge import blas, logistic_regression

SHARES = (0.125, 0.25, 0.5, 1.0)
"""Parts of the training images that heads are fitted on."""

_RESAMPLES = 300
_ERRORS = 0.5
"""Errors added to those of a resample, so that none has a logarithm."""

_STEEPEST = 1.0
"""Largest exponent: errors that fall faster than the number of photos rises are chance."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval from ``low`` to ``high``."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """Predictions by heads that were fitted on parts of the images.

    ``photos``: float64 [sizes, classes], training images of each class, ascending; ``correct``:
    bool [sizes, n], whether each image was predicted correctly; ``labels``: int64 [n].
    """

    photos: Floats
    correct: NDArray[np.bool_]
    labels: NDArray[np.int64]

    @property
    def totals(self) -> Floats:
        """Numbers of training images, float64 [sizes]."""
        totals: Floats = self.photos.sum(axis=1)
        return totals

    @property
    def accuracy(self) -> Floats:
        """Measured accuracy (0–1), float64 [sizes]."""
        accuracy: Floats = self.correct.mean(axis=1)
        return accuracy

    def predict(self, photos: Sequence[float]) -> tuple[Estimate, ...]:
        """Return the accuracy (0–1) by the power law at numbers of training images."""
        errors = _errors(self.correct, _resamples(len(self.labels)))
        scale, exponent = _power_law(self.totals, errors)
        estimates = []
        for number in photos:
            accuracy: Floats = 1 - np.minimum(1.0, scale * np.power(number, -exponent))
            estimates.append(_estimate(accuracy))
        return tuple(estimates)

    def gains(self, factors: Sequence[float]) -> tuple[Estimate, ...]:
        """Return how much more (0–1) of each class is recognized with a multiple of the photos.

        The exponent is that of all classes: the images of one are too few for its own.
        """
        weights = _resamples(len(self.labels))
        _, exponent = _power_law(self.totals, _errors(self.correct, weights))
        gains = []
        for label, factor in enumerate(factors):
            own = self.labels == label
            photos = self.photos[:, label]
            errors = _errors(self.correct[:, own], weights[:, own])
            scale = (errors * photos ** (exponent[:, None] + 1)).sum(axis=1) / photos.sum()
            now = np.minimum(1, scale * photos[-1] ** -exponent)
            gains.append(_estimate(now * (1 - factor**-exponent)))
        return tuple(gains)


def measure_curve(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    c: float,
    seed: int,
    most_work: float = np.inf,
) -> LearningCurve | None:
    """Measure the accuracy of heads on an eighth to all of the images.

    Args:
        features: float32 [n, d], embeddings.
        labels: int64 [n], every class from 0 on.
        groups: int64 [n]; images of a group stay together.
        c: inverse strength of the regularization; see :func:`edge.logistic_regression.fit`.
        seed: of folds and parts.
        most_work: rows × features × classes × fits of all images that are affordable.

    Returns:
        None where it is not possible (a class has too few images that are not alike) or would take
        too long.
    """
    classes = int(labels.max()) + 1
    distinct = min(len(np.unique(groups[labels == label])) for label in range(classes))
    if distinct < FOLDS or features.size * classes * FOLDS * sum(SHARES) > most_work:
        return None
    numbers = fold_numbers(labels, groups, FOLDS, seed)
    rank = _random_rank(groups, seed)
    correct = np.empty((len(SHARES), len(labels)), bool)
    photos = np.zeros((FOLDS, len(SHARES), classes))

    def predict(size: int, fold: int) -> None:
        held_out = numbers == fold
        chosen = part_of(np.flatnonzero(~held_out), SHARES[size], labels, rank)
        fitted = logistic_regression.fit(features[chosen], labels[chosen], c)
        predicted = fitted.probabilities(features[held_out]).argmax(axis=1)
        correct[size, held_out] = predicted == labels[held_out]
        photos[fold, size] = np.bincount(labels[chosen], minlength=classes)

    with blas.one_thread(), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        jobs = product(range(len(SHARES)), range(FOLDS))
        for _ in pool.map(predict, *zip(*jobs, strict=True)):
            pass
    return LearningCurve(photos.mean(axis=0), correct, labels)


def part_of(
    images: NDArray[np.int64],
    share: float,
    labels: NDArray[np.int64],
    rank: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return a share of the images of each class, those that rank first; at least one."""
    parts = []
    for label in np.unique(labels[images]):
        members = images[labels[images] == label]
        members = members[np.argsort(rank[members], kind="stable")]
        parts.append(members[: max(1, round(share * len(members)))])
    return np.concatenate(parts)


def _random_rank(groups: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return a random rank for each image, the same within a group."""
    _, group = np.unique(groups, return_inverse=True)
    rank: NDArray[np.int64] = np.random.default_rng(seed).permutation(group.max() + 1)[group]
    return rank


def _resamples(images: int) -> Floats:
    """Return how often each image is drawn, float64 [resamples + 1, n]; the first: each once."""
    rng = np.random.default_rng(images)
    drawn = rng.multinomial(images, np.full(images, 1 / images), _RESAMPLES)
    return np.vstack([np.ones(images), drawn])


def _errors(correct: NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the share of errors by resample and size, float64 [resamples, sizes]."""
    wrong = weights @ (~correct.T).astype(np.float64)
    shares: Floats = (wrong + _ERRORS) / (weights.sum(axis=1, keepdims=True) + 2 * _ERRORS)
    return shares


def _power_law(photos: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Fit ``scale`` and ``exponent``, float64 [resamples], by least squares of logarithms.

    Sizes count by their photos: predictions are beyond the largest.
    """
    weights = photos / photos.sum()
    x, y = np.log(photos), np.log(errors)
    x0, y0 = weights @ x, y @ weights
    slope = (weights * (x - x0) * (y - y0[:, None])).sum(axis=1) / (weights @ (x - x0) ** 2)
    exponent = np.clip(-slope, 0, _STEEPEST)
    return np.exp(y0 + exponent * x0), exponent


def _estimate(values: Floats) -> Estimate:
    """Return the value of the images as they are, and the interval of the resamples."""
    low, high = np.quantile(values[1:], (0.025, 0.975))
    value = float(values[0])
    return Estimate(value, min(value, float(low)), max(value, float(high)))
