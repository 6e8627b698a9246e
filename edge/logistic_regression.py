"""Multinomial logistic regression on embeddings, with NumPy alone.

It is the classification head of transfer learning: fitted on the workstation by ``edge convert``,
and wherever embeddings are at hand.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge import blas

Floats = NDArray[np.float32]

_MAX_ITERATIONS = 300

_TOLERANCE = 1e-4
"""Largest slope of the mean loss by a weight at which the fit has converged."""

_MEMORY = 10
"""Steps from which the curvature is estimated."""

_MAX_LINE_STEPS, _LINE_TOLERANCE = 12, 0.1
"""Evaluations along a direction, and the share of the first slope at which they end."""


@dataclass(frozen=True, slots=True)
class LogisticRegression:
    """A linear classifier of embeddings: ``softmax(embedding @ kernel + bias)``.

    ``kernel``: float32 [d, classes]; ``bias``: float32 [classes]; ``converged``: False if the
    solver stopped early, which leaves a usable classifier.
    """

    kernel: Floats
    bias: Floats
    converged: bool = True

    def probabilities(self, embeddings: Floats) -> Floats:
        """Return the scores of embeddings, float32 [n, d], as float32 [n, classes]."""
        return _softmax(embeddings @ self.kernel + self.bias)


def fit(
    embeddings: Floats,
    labels: NDArray[np.int64],
    c: float,
    start: LogisticRegression | None = None,
    weights: Floats | None = None,
) -> LogisticRegression:
    """Fit on labeled embeddings, with an L2 penalty on the weights of standardized features.

    The result minimizes ``c * sum(weights * log_loss) + sum(kernel**2) / 2``, with the kernel of
    the standardized features. Standardization and penalty keep the quantized file in mind: see
    :func:`_standardization`.

    Args:
        embeddings: float32 [n, d].
        labels: int64 [n], from 0; every number up to the highest one occurs.
        c: inverse strength of the regularization, above 0.
        start: a classifier to start from, such as that of the data before a change; it may have
            fewer classes (the new ones start from zero). It saves time and changes the result
            within the tolerance only.
        weights: float32 [n], how much each image counts, 1 on average; None: all the same.

    Returns:
        The classifier of the embeddings as they are, without standardization.
    """
    mean, scale = _standardization(embeddings)
    classes = int(labels.max()) + 1
    solution = np.zeros((embeddings.shape[1] + 1, classes), np.float32)
    if start is not None:
        known = start.kernel.shape[1]
        solution[:-1, :known] = start.kernel * scale[:, None]
        solution[-1, :known] = start.bias + mean @ start.kernel
    shares = np.full(len(labels), 1 / len(labels), np.float32)
    if weights is not None:
        shares *= weights
    with blas.one_thread():
        converged = _minimize(
            solution, (embeddings - mean) / scale, labels, shares, 1 / (c * len(labels))
        )
    kernel = solution[:-1] / scale[:, None]
    return LogisticRegression(kernel, solution[-1] - mean @ kernel, converged)


def _standardization(embeddings: Floats) -> tuple[Floats, Floats]:
    """Return mean and scale of the features, float32 [d].

    Features below the resolution of int8 are not amplified: the quantized embedding has 256 steps
    from 0 to its largest value, and a feature that varies by less than two of them would be scaled
    up, with its rounding noise, to the size of the others, and its huge weights would use up their
    range.
    """
    mean = embeddings.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = embeddings.std(axis=0, dtype=np.float64).astype(np.float32)
    scale = np.maximum(deviation, 2 * np.abs(embeddings).max() / 255)
    return mean, np.where(scale > 0, scale, np.float32(1))


def _minimize(
    weights: Floats, features: Floats, labels: NDArray[np.int64], shares: Floats, penalty: float
) -> bool:
    """Minimize the penalized mean log-loss in place; return whether that converged.

    L-BFGS (Nocedal, Wright: Numerical Optimization, chapter 7). The logits are linear in the
    weights, so that they are computed once per direction, not once per step along it.

    Args:
        weights: float32 [d + 1, classes], from where to start; the last row, the bias, is free.
        features: float32 [n, d].
        labels: int64 [n].
        shares: float32 [n], of each image in the loss.
        penalty: factor of ``sum(weights**2) / 2``.
    """
    rows = np.arange(len(labels))

    def gradient(logits: Floats) -> Floats:
        error = _softmax(logits)
        error[rows, labels] -= 1
        error *= shares[:, None]
        slope = np.empty_like(weights)
        np.matmul(features.T, error, out=slope[:-1])
        slope[:-1] += np.float32(penalty) * weights[:-1]
        slope[-1] = error.sum(axis=0)
        return slope

    logits = features @ weights[:-1] + weights[-1]
    slope = gradient(logits)
    history: deque[tuple[Floats, Floats]] = deque(maxlen=_MEMORY)
    for _ in range(_MAX_ITERATIONS):
        if np.abs(slope).max() <= _TOLERANCE:
            return True
        direction = _direction(slope, history)
        change = features @ direction[:-1] + direction[-1]
        step = _line_search(
            logits, change, labels, shares,
            penalty * float(np.vdot(weights[:-1], direction[:-1])),
            penalty * float(np.vdot(direction[:-1], direction[:-1])),
        )  # fmt: skip
        direction *= step
        weights += direction
        logits += step * change
        before, slope = slope, gradient(logits)
        history.append((direction, slope - before))
    return False


def _direction(slope: Floats, history: deque[tuple[Floats, Floats]]) -> Floats:
    """Return the descent direction for ``slope``: the two-loop recursion of L-BFGS."""
    direction = -slope
    shares = []
    for step, change in reversed(history):
        share = np.vdot(step, direction) / np.vdot(step, change)
        direction -= share * change
        shares.append(share)
    if history:
        step, change = history[-1]
        direction *= np.vdot(step, change) / np.vdot(change, change)
    for (step, change), share in zip(history, reversed(shares), strict=True):
        direction += (share - np.vdot(change, direction) / np.vdot(step, change)) * step
    return direction


def _line_search(
    logits: Floats,
    change: Floats,
    labels: NDArray[np.int64],
    images: Floats,
    tilt: float,
    bend: float,
) -> np.float32:
    """Return how far to go along a direction: about to the minimum of the convex loss there.

    Newton's method between bounds. ``change`` is the direction's effect on the logits, float32
    [n, classes]; ``images``: the share of each in the loss; ``tilt`` and ``bend`` are the
    first and second derivative of the penalty.
    """
    target = change[np.arange(len(labels)), labels]

    def derivatives(step: float) -> tuple[float, float]:
        shares = _softmax(logits + np.float32(step) * change)
        expected = (shares * change).sum(axis=1)
        spread = (shares * change**2).sum(axis=1) - expected**2
        first = float(np.vdot(images, expected - target)) + tilt + step * bend
        return first, float(np.vdot(images, spread)) + bend

    first, second = derivatives(0.0)
    limit = _LINE_TOLERANCE * abs(first)
    low, high, step = 0.0, np.inf, -first / second
    for _ in range(_MAX_LINE_STEPS):
        first, second = derivatives(step)
        if abs(first) <= limit:
            break
        low, high = (step, high) if first < 0 else (low, step)
        step -= first / second
        if not low < step < high:  # Newton overshot: the loss is nearly straight here
            step = 2 * low if high == np.inf else (low + high) / 2
    return np.float32(step)


def _softmax(logits: Floats) -> Floats:
    powers: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers
