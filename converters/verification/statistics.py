"""Confidence intervals for shares of a small test subset."""

import math

CONFIDENCE = 0.95


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Compute the 95 % interval of a share after Wilson (1927), as fractions.

    >>> low, high = wilson_interval(81, 263)
    >>> print(f"{low:.4f} {high:.4f}")  # Newcombe, Statistics in Medicine 17 (1998) 857, table I
    0.2553 0.3662
    """
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def paired_difference_interval(lost: int, gained: int, trials: int) -> tuple[float, float]:
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
    from scipy.optimize import brentq
    from scipy.stats import norm

    z = float(norm.ppf((1 + CONFIDENCE) / 2))
    estimate = (lost - gained) / trials

    def bound(end: float, target: float) -> float:
        def excess(difference: float) -> float:
            return _score(difference, lost, gained, trials) - target

        # At ±1 exactly the statistic is without variance; there the estimate itself is the bound.
        return end if estimate == end else float(brentq(excess, estimate, end * (1 - 1e-12)))

    return bound(-1.0, z), bound(1.0, -z)


def _score(difference: float, lost: int, gained: int, trials: int) -> float:
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
