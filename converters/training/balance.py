"""Balance of classes: ways to fit a head where some classes have far fewer images than others."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edge import logistic_regression
from edge.logistic_regression import LogisticRegression

AUTO, NONE = "auto", "none"

_IMBALANCED = 1.5
"""Ratio of the largest to the smallest class from which a balance is looked for."""

Features = NDArray[np.float32]
Labels = NDArray[np.int64]
FitHead = Callable[[Features, Labels, float, LogisticRegression | None], LogisticRegression]
"""Fits embeddings and labels with C, from a start; see :func:`edge.logistic_regression.fit`."""


def is_imbalanced(labels: Labels) -> bool:
    """Return whether the classes of training images differ enough for a balance to matter."""
    images = np.bincount(labels)
    return bool(images.max() >= _IMBALANCED * images.min())


def fit_plain(
    features: Features, labels: Labels, c: float, start: LogisticRegression | None
) -> LogisticRegression:
    """Fit with every image counting the same."""
    return logistic_regression.fit(features, labels, c, start)


def fit_with(balance: str, seed: int) -> FitHead:
    """Return the function that fits a head with a balance of :data:`BALANCES`, but for "auto"."""
    return partial(_FITS[balance], seed) if balance != NONE else fit_plain


def macro_log_loss(scores: NDArray[np.float32], labels: Labels) -> float:
    """Return the log-loss in nats, each class counting the same, of scores [n, classes]."""
    own = scores[np.arange(len(labels)), labels].astype(np.float64)
    losses = -np.log(np.maximum(own, np.finfo(np.float32).tiny))
    images = np.bincount(labels)
    sums = np.bincount(labels, weights=losses)
    return float((sums[images > 0] / images[images > 0]).mean())


def _weighted(
    seed: int, features: Features, labels: Labels, c: float, start: LogisticRegression | None
) -> LogisticRegression:
    """Fit with a weight for each image, so that all classes count the same."""
    images = np.bincount(labels)
    weights = (len(labels) / len(images) / images)[labels].astype(np.float32)
    return logistic_regression.fit(features, labels, c, start, weights)


def _oversampled(
    seed: int, features: Features, labels: Labels, c: float, start: LogisticRegression | None
) -> LogisticRegression:
    """Fit on images of small classes drawn more than once, as many as the largest class has."""
    rows = _drawn(labels, int(np.bincount(labels).max()), seed)
    return logistic_regression.fit(features[rows], labels[rows], c, start)


def _undersampled(
    seed: int, features: Features, labels: Labels, c: float, start: LogisticRegression | None
) -> LogisticRegression:
    """Fit on as many images of each class as the smallest has."""
    rows = _drawn(labels, int(np.bincount(labels).min()), seed)
    return logistic_regression.fit(features[rows], labels[rows], c, start)


def _adjusted(
    seed: int, features: Features, labels: Labels, c: float, start: LogisticRegression | None
) -> LogisticRegression:
    """Fit as usual, and take the classes' shares of the images out of the bias.

    Menon et al., "Long-tail Learning via Logit Adjustment" (ICLR 2021), after training.
    """
    shares = np.log(np.bincount(labels) / len(labels)).astype(np.float32)
    shares -= shares.mean()
    if start is not None:
        start = LogisticRegression(start.kernel, start.bias + shares, start.converged)
    fitted = logistic_regression.fit(features, labels, c, start)
    return LogisticRegression(fitted.kernel, fitted.bias - shares, fitted.converged)


def _drawn(labels: Labels, number: int, seed: int) -> NDArray[np.int64]:
    """Return rows with ``number`` of each class, all of them equally often up to one."""
    rng = np.random.default_rng(seed)
    rows = []
    for label in range(int(labels.max()) + 1):
        order = rng.permutation(np.flatnonzero(labels == label))
        rows.append(np.resize(order, number))
    return np.sort(np.concatenate(rows))


_FITS = {
    "weights": _weighted,
    "oversample": _oversampled,
    "undersample": _undersampled,
    "logit-adjusted": _adjusted,
}

BALANCES = (AUTO, NONE, *_FITS)
"""What ``--balance`` takes; "auto" chooses on the validation split by macro log-loss."""
