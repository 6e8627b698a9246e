"""Confidence intervals of accuracies and of their differences, made for small test sets."""

import math
from collections.abc import Callable

from converters.verification.roots import find_root

CONFIDENCE = 0.95

_Z = 1.959963984540054
"""Standard normal quantile of a two-sided interval of :data:`CONFIDENCE`."""

_MAX_IMAGES = 1_000_000
"""Images above which a claim counts as out of reach."""


def wilson_interval(successes: float, trials: float) -> tuple[float, float]:
    """Compute the 95 % interval of a share after Wilson (1927), as fractions.

    ``trials`` is at least 1, and the numbers need not be whole, as for a mean over several runs.

    >>> low, high = wilson_interval(81, 263)
    >>> print(f"{low:.4f} {high:.4f}")  # Newcombe, Statistics in Medicine 17 (1998) 857, table I
    0.2553 0.3662
    """
    share, square = successes / trials, _Z * _Z
    center = (share + square / (2 * trials)) / (1 + square / trials)
    spread = math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    half = _Z * spread / (1 + square / trials)
    # At 0 and 1 the bound is the share itself, up to rounding.
    low = 0.0 if successes == 0 else center - half
    return low, 1.0 if successes == trials else center + half


def paired_difference_interval(lost: float, gained: float, trials: float) -> tuple[float, float]:
    """Compute the 95 % score interval of a difference between two shares of the same images.

    The shares differ by ``(lost - gained) / trials``: ``lost`` images were correct before and
    are wrong now, ``gained`` the reverse. Tango, "Equivalence test and confidence interval for
    the difference in proportions for the paired-sample design", Statistics in Medicine 17 (1998)
    891–908. Unlike Wald's it keeps its width when no image changed, which says little about a
    small test subset.

    Returns:
        lower and upper bound, as fractions in [-1, 1].

    >>> low, high = paired_difference_interval(6, 16, 161)  # Cavo et al. 2012, in Fagerland,
    >>> print(f"{low:.4f} {high:.4f}")  # Lydersen, Laake: Analysis of Contingency Tables, ch. 8
    -0.1240 -0.0054
    """
    estimate = (lost - gained) / trials

    def bound(end: float, target: float) -> float:
        def excess(difference: float) -> float:
            return _score(difference, lost, gained, trials) - target

        # At ±1 exactly the statistic is without variance; there the estimate itself is the bound.
        return end if estimate == end else find_root(excess, estimate, end * (1 - 1e-12))

    return bound(-1.0, _Z), bound(1.0, -_Z)


def _score(difference: float, lost: float, gained: float, trials: float) -> float:
    """Compute Tango's statistic: the data's distance from ``difference`` in standard errors.

    ``share`` is the maximum likelihood estimate of the share of gained images under the
    hypothesis that the true difference is ``difference``.
    """
    b = (2 * trials - lost + gained) * difference - lost - gained
    c = -gained * difference * (1 - difference)
    share = (math.sqrt(max(b * b - 8 * trials * c, 0.0)) - b) / (4 * trials)
    variance = trials * (2 * share + difference * (1 - difference))
    distance = lost - gained - trials * difference
    return distance / math.sqrt(variance) if variance > 0 else 0.0


def images_needed(proven: Callable[[int], bool], tested: int) -> int | None:
    """Return how many images more than ``tested`` it takes until ``proven(images)`` is true.

    ``proven`` is false for ``tested`` images and stays true once it is, as where the same shares
    are seen on more images. None: not even a million images would do.
    """
    low, high = tested, 2 * tested
    while not proven(high):
        if high > _MAX_IMAGES:
            return None
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if proven(middle) else (middle, high)
    return high - tested
