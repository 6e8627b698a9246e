"""Backward elimination: channels leave by how little least squares cannot make up for.

The surgeon of Hassibi and Stork, "Second Order Derivatives for Network Pruning: Optimal Brain
Surgeon", NIPS 1992, on the linear regression that a projection is: what the other channels predict
of a channel is not lost with it.
"""

import numpy as np
from numpy.typing import NDArray

_RIDGE = 1e-3
"""Added to the diagonal of the covariance, relative to its mean."""

_AT_ONCE = 8
"""Channels that leave together; widths are multiples of it anyway."""


def eliminate(
    covariance: NDArray[np.float64], projection: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Remove channel after channel, refitting the projection of those that stay.

    Args:
        covariance: float64 [channels, channels].
        projection: float32 [channels, outputs].

    Returns:
        The channels in the order in which they leave, int64 [channels], and the variance of the
        output that is lost without the first of them, float64 [channels + 1].
    """
    channels = len(covariance)
    added = _RIDGE * np.trace(covariance) / channels + np.finfo(np.float32).tiny
    precision = np.linalg.inv(covariance + added * np.eye(channels))
    weights = projection.astype(np.float64)
    left = np.arange(channels)
    order, losses = [], [0.0]
    while len(left):
        alone = np.square(weights).sum(axis=1) / np.diag(precision)
        going, staying = np.split(np.argsort(alone, kind="stable"), [min(_AT_ONCE, len(left))])
        staying.sort()
        moved = np.linalg.solve(precision[np.ix_(going, going)], weights[going])
        lost = max(0.0, float((weights[going] * moved).sum()))
        across = precision[np.ix_(staying, going)]
        weights = weights[staying] - across @ moved
        spread = np.linalg.solve(precision[np.ix_(going, going)], across.T)
        precision = precision[np.ix_(staying, staying)] - across @ spread
        losses += list(losses[-1] + lost * np.arange(1, len(going) + 1) / len(going))
        order.append(left[going])
        left = left[staying]
    return np.concatenate(order), np.array(losses)
