"""Intervals by resampling the images: the bootstrap of Efron (1979), percentiles of the metric."""

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
CONFIDENCE = 0.95

Bounds = tuple[float, float]


def resample(images: int, seed: int = 0, count: int = RESAMPLES) -> NDArray[np.float32]:
    """Draw images with replacement.

    Two models that are evaluated with the same weights are compared on the same images: the
    difference of their metrics is then that of a pair.

    Returns:
        float32 [count, images], how often each image was drawn; the sum of a row is ``images``.

    >>> resample(4, count=2).sum(axis=1).tolist()
    [4.0, 4.0]
    """
    drawn = np.random.default_rng(seed).integers(0, images, (count, images))
    drawn += images * np.arange(count)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=images * count)
    return counts.reshape(count, images).astype(np.float32)


def interval(samples: NDArray[np.float64]) -> Bounds:
    """Return the 95 % interval of a metric's values in resamples; NaN where none is known."""
    known = samples[~np.isnan(samples)]
    if not len(known):
        return float("nan"), float("nan")
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(known, (tail, 100 - tail))
    return float(low), float(high)


def drop_interval(reference: NDArray[np.float64], other: NDArray[np.float64]) -> Bounds:
    """Return the interval of the drop from ``reference`` to ``other`` in the same resamples."""
    return interval(reference - other)
