"""Verdict on a variant: what the test images prove about its accuracy, and what they do not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from converters.verification.intervals import (
    images_needed,
    paired_difference_interval,
    wilson_interval,
)
from edge.quantities import counted

PASS, NOT_PROVEN, FAIL = "pass", "not-proven", "fail"
_FROM_BEST = (PASS, NOT_PROVEN, FAIL)

MAX_NAMED = 5
"""Maximum number of classes and layers that a verdict names."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """One requirement, and whether the images prove it.

    ``requirement``: "loss" (against float32), "baseline" (better than always predicting the most
    common class) or "min_accuracy". ``status``: "pass" (proven at 95 %), "fail" (the opposite is)
    or "not-proven". ``reason``: a clause. ``more_images``: how many more test images would decide
    it if they were like these, None where it is decided or no practicable number would.
    """

    requirement: str
    status: str
    reason: str
    more_images: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict on a variant: the judgments on it, the loss of accuracy first.

    ``drop``: accuracy of float32 minus its own, in points (paired), with its 95 % ``interval``,
    and ``max_drop``, the one allowed. ``classes``: those that lose most; ``layers``: those whose
    quantized output deviates most from float32 (name, signal-to-noise in dB), worst first.
    """

    variant: str
    judgments: tuple[Judgment, ...]
    max_drop: float
    drop: float
    interval: tuple[float, float]
    classes: tuple[str, ...] = ()
    layers: tuple[tuple[str, float], ...] = ()

    @property
    def status(self) -> str:
        """The worst status of a judgment."""
        return max((j.status for j in self.judgments), key=_FROM_BEST.index)

    @property
    def reason(self) -> str:
        """The reason of the first judgment with this status."""
        return next(j.reason for j in self.judgments if j.status == self.status)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a model without any knowledge reaches: ``value`` of the metric (0–1), and how.

    ``words``: such as "always predicting the most common class".
    """

    value: float
    words: str


@dataclass(frozen=True, slots=True)
class MeasuredAccuracy:
    """An accuracy to judge, a share (0–1).

    ``accuracy`` of the file on the test split; the 95 % ``interval`` that it is judged by, and
    ``images``, how many that rests on. ``cross_validated``: the interval is that of the
    cross-validated head, not of the file.
    """

    accuracy: float
    interval: tuple[float, float]
    images: int
    cross_validated: bool = False

    @property
    def words(self) -> str:
        """Describe the figure and what it rests on."""
        low, high = (100 * bound for bound in self.interval)
        of = "cross-validated" if self.cross_validated else "test"
        return f"95 % interval {low:.1f} to {high:.1f} from {counted(self.images, f'{of} image')}"


def judge_loss(
    variant: str,
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    truth: NDArray[np.int64],
    classes: Sequence[str],
    max_drop: float,
) -> Verdict:
    """Judge a drop in accuracy, from the images that were correct before and after.

    It is "pass" only if the upper 95 % bound of the paired drop is within ``max_drop``, and "fail"
    only if the lower bound exceeds it: in between, the drop may be chance.

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
    judgment = _judge_loss(variant, lost, gained, trials, max_drop)
    worst = _worst_classes(before, after, truth, classes) if drop > max_drop else ()
    return Verdict(variant, (judgment,), max_drop, drop, (low, high), worst)


def no_loss(variant: str, max_drop: float) -> Verdict:
    """Return the verdict on the loss of the variant that others are compared with."""
    reason = f"{variant} is the reference for the other variants"
    return Verdict(variant, (Judgment("loss", PASS, reason),), max_drop, 0.0, (0.0, 0.0))


def with_accuracy(
    verdict: Verdict, measured: MeasuredAccuracy, majority: float, min_accuracy: float | None
) -> Verdict:
    """Add judgments on the accuracy itself to a verdict on its loss.

    Args:
        verdict: on the loss.
        measured: the accuracy.
        majority: accuracy (0–1) of always predicting the most common class.
        min_accuracy: the share (0–1) that was required, or None.
    """
    added = [_judge_baseline(measured, majority)]
    if min_accuracy is not None:
        added.append(_judge_minimum(measured, min_accuracy))
    return replace(verdict, judgments=(*verdict.judgments, *added))


def _judge_loss(variant: str, lost: int, gained: int, trials: int, max_drop: float) -> Judgment:
    low, high = (100 * bound for bound in paired_difference_interval(lost, gained, trials))
    drop = 100 * (lost - gained) / trials
    figure = (
        f"{variant} {'loses' if drop >= 0 else 'gains'} {abs(drop):.1f} points compared to float32 "
        f"(95 % interval of the loss {low:.1f} to {high:.1f})"
    )
    if low > max_drop:
        return Judgment("loss", FAIL, f"{figure}, more than the {max_drop:g} allowed")
    if high <= max_drop:
        return Judgment("loss", PASS, f"{figure}, within the {max_drop:g} allowed")

    def proven(images: int) -> bool:
        scale = images / trials
        bounds = paired_difference_interval(lost * scale, gained * scale, images)
        return 100 * bounds[1] <= max_drop or 100 * bounds[0] > max_drop

    more = images_needed(proven, trials)
    claim = "exceeds" if drop > max_drop else "stays within"
    doubt = f"{counted(trials, 'test image')} do not prove that it {claim} the {max_drop:g} allowed"
    return Judgment("loss", NOT_PROVEN, f"{figure}: {doubt}{_remedy(more)}", more)


def _judge_baseline(measured: MeasuredAccuracy, majority: float) -> Judgment:
    than = f"always predicting the most common class ({100 * majority:.1f} %)"
    low, high = measured.interval
    if high <= majority:
        reason = f"the model is no better than {than}: {measured.words}"
        return Judgment("baseline", FAIL, reason)
    if low > majority and measured.accuracy > majority:
        return Judgment("baseline", PASS, f"the model is better than {than}")
    more = _more_for(measured, majority)
    reason = f"the model is not shown to be better than {than}: {measured.words}{_remedy(more)}"
    return Judgment("baseline", NOT_PROVEN, reason, more)


def _judge_minimum(measured: MeasuredAccuracy, minimum: float) -> Judgment:
    accuracy = f"{100 * measured.accuracy:.1f} % accuracy on the test images"
    if measured.accuracy < minimum:
        reason = f"{accuracy} is below --min-accuracy {minimum:g}"
        return Judgment("min_accuracy", FAIL, reason)
    if measured.interval[0] >= minimum:
        return Judgment("min_accuracy", PASS, f"{accuracy}, at least --min-accuracy {minimum:g}")
    more = _more_for(measured, minimum)
    reason = (
        f"{accuracy} does not prove --min-accuracy {minimum:g}: {measured.words}{_remedy(more)}"
    )
    return Judgment("min_accuracy", NOT_PROVEN, reason, more)


def _more_for(measured: MeasuredAccuracy, bound: float) -> int | None:
    """Return how many more test images would prove an accuracy above ``bound``, if any would."""
    if measured.accuracy <= bound or measured.cross_validated:
        return None

    def proven(images: int) -> bool:
        return wilson_interval(measured.accuracy * images, images)[0] > bound

    return images_needed(proven, measured.images)


def _remedy(more: int | None) -> str:
    return "" if more is None else f"; about {more:,} more like these would decide it"


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
