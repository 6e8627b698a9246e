"""Verdict on the accuracy that a variant lost, with confidence intervals for small test sets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConversionError
from edge.quantities import counted

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


MAX_NAMED = 5
"""Maximum number of classes and layers that a verdict names."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Comparison of a variant's accuracy with that of float32.

    ``drop``: accuracy of float32 minus its own, in points (paired), with its 95 % ``interval``.
    ``status``: "pass", "warn" (the drop exceeds the limit, but its lower bound does not) or
    "fail". ``reason``: one sentence. ``classes``: those that lose most; ``layers``: those whose
    quantized output deviates most from float32 (name, signal-to-noise in dB), worst first.
    """

    variant: str
    status: str
    reason: str
    max_drop: float
    drop: float
    interval: tuple[float, float]
    classes: tuple[str, ...] = ()
    layers: tuple[tuple[str, float], ...] = ()


def judge(
    variant: str,
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    truth: NDArray[np.int64],
    classes: Sequence[str],
    max_drop: float,
) -> Verdict:
    """Judge a drop in accuracy, from the images that were correct before and after.

    The verdict is "fail" only if the lower 95 % bound of the paired drop exceeds ``max_drop``: with
    few test images a larger drop can be chance.

    Args:
        variant: Name of the variant.
        before: bool [n], whether float32 was correct on each image.
        after: bool [n], whether ``variant`` was.
        truth: int64 [n], the class of each image.
        classes: Names of the classes.
        max_drop: Points of accuracy that may be lost.
    """
    trials = len(truth)
    lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
    low, high = (100 * bound for bound in paired_difference_interval(lost, gained, trials))
    drop = 100 * (lost - gained) / trials
    figure = (
        f"{variant} {'loses' if drop >= 0 else 'gains'} {abs(drop):.1f} points compared to float32 "
        f"(95 % interval of the loss {low:.1f} to {high:.1f})"
    )
    if low > max_drop:
        status, reason = "fail", f"{figure}, more than the {max_drop:g} allowed"
    elif drop > max_drop:
        doubt = f"but {counted(trials, 'test image')} are too few to be sure"
        status, reason = "warn", f"{figure}, more than the {max_drop:g} allowed, {doubt}"
    else:
        status, reason = "pass", f"{figure}, within the {max_drop:g} allowed"
    worst = () if status == "pass" else _worst_classes(before, after, truth, classes)
    return Verdict(variant, status, reason, max_drop, drop, (low, high), worst)


def check_finite(name: str, scores: NDArray[np.float32]) -> None:
    """Check that scores [n, classes] are finite.

    Raises:
        ConversionError: they are not; the error names the variant.
    """
    bad = int((~np.isfinite(scores)).any(1).sum())
    if bad:
        raise ConversionError(
            "finite scores",
            f"NaN or infinity for {bad} of {counted(len(scores), 'image')} in {name}",
            _fix(name),
            code="scores-not-finite",
        )


def check_informative(name: str, scores: NDArray[np.float32]) -> None:
    """Check that scores [n, classes] depend on the image: neither constant nor saturated.

    Raises:
        ConversionError: they do not; the error names the variant.
    """
    fix = _fix(name)
    if len(scores) > 1 and float(np.ptp(scores, axis=0).max()) < 1e-6:
        raise ConversionError(
            "scores that depend on the image",
            f"the same scores for all {counted(len(scores), 'test image')} in {name}",
            fix,
            code="scores-constant",
        )
    # A softmax has one highest class: several at 1, or all at 0, are saturated.
    stuck = int((((scores >= 1 - 1 / 256).sum(1) > 1) | (scores <= 0).all(1)).sum())
    if 2 * stuck > len(scores):
        raise ConversionError(
            "scores with a single highest class",
            f"saturated scores for {stuck} of {counted(len(scores), 'image')} in {name}",
            fix,
            code="scores-saturated",
        )


def _fix(name: str) -> str:
    again = "train again with other --weights, more --epochs or another --seed"
    return again if "float" in name else f"use another recipe, such as float16, or {again}"


def _worst_classes(
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    truth: NDArray[np.int64],
    classes: Sequence[str],
) -> tuple[str, ...]:
    """Return the classes that lose most images, worst first."""
    change = before.astype(np.int64) - after.astype(np.int64)
    losses = np.bincount(truth, weights=change, minlength=len(classes))
    worst = np.argsort(-losses, kind="stable")[:MAX_NAMED]
    return tuple(classes[c] for c in worst if losses[c] > 0)
