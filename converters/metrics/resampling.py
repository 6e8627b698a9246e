"""Intervals by resampling the images: the bootstrap of Efron (1979), with its percentiles."""

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
CONFIDENCE = 0.95

Bounds = tuple[float, float]

_Z = 1.959963984540054
"""Standard normal quantile of a two-sided interval of :data:`CONFIDENCE`."""

_SAME = 1e-9
"""Range of values that differ by rounding alone."""


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


def interval(samples: NDArray[np.float64], images: int, highest: float = 1.0) -> Bounds:
    """Return the 95 % interval of a metric, 0 to ``highest``, from its values in resamples.

    Where all resamples agree, as when every image is right, they are silent about images that
    would differ. Of these there may be as many as Wilson's bound for a share of 0 among so many
    images allows, and the interval reaches as far as they could move the metric.

    Args:
        samples: float64 [r], NaN where the metric is undefined.
        images: number of images that tell something about the metric, at least 1.
        highest: 1 for a share.

    Returns:
        NaN where the metric is undefined in all resamples.

    >>> interval(np.full(1000, 1.0), images=20)[0] > 0.8
    True
    """
    low, high = _percentiles(samples, images)
    return max(low, 0.0), min(high, highest)


def drop_interval(
    reference: NDArray[np.float64], other: NDArray[np.float64], images: int
) -> Bounds:
    """Return the interval of the drop from ``reference`` to ``other`` in the same resamples.

    Arguments are those of :func:`interval`; the bounds lie between -1 and 1.
    """
    low, high = _percentiles(reference - other, images)
    return max(low, -1.0), min(high, 1.0)


def _percentiles(samples: NDArray[np.float64], images: int) -> Bounds:
    known = samples[~np.isnan(samples)]
    if not len(known):
        return float("nan"), float("nan")
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(known, (tail, 100 - tail))
    unseen = _Z**2 / (images + _Z**2) if np.ptp(known) < _SAME else 0.0
    return float(low - unseen), float(high + unseen)
