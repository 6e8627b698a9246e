"""Verdict: checks of a variant's scores, and of its accuracy compared to float32."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.verification.statistics import paired_difference_interval
from edge.errors import ConversionError

NAMED = 5
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
        doubt = f"but {trials} test images are too few to be sure"
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
            f"NaN or infinity for {bad} of {len(scores)} images in {name}",
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
            f"the same scores for all {len(scores)} test images in {name}",
            fix,
            code="scores-constant",
        )
    # A softmax has one highest class: several at 1, or all at 0, are saturated.
    stuck = int((((scores >= 1 - 1 / 256).sum(1) > 1) | (scores <= 0).all(1)).sum())
    if 2 * stuck > len(scores):
        raise ConversionError(
            "scores with a single highest class",
            f"saturated scores for {stuck} of {len(scores)} images in {name}",
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
    worst = np.argsort(-losses, kind="stable")[:NAMED]
    return tuple(classes[c] for c in worst if losses[c] > 0)
