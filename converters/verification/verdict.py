"""Verdict on a variant: what the test images prove about its quality, and what they do not."""

from dataclasses import dataclass, replace

from converters.verification.intervals import images_needed
from converters.verification.quality import Interval, IntervalFor, PairedLoss, QualityMetric
from edge.quantities import counted

PASS, NOT_PROVEN, FAIL = "pass", "not-proven", "fail"
_FROM_BEST = (PASS, NOT_PROVEN, FAIL)

MAX_NAMED = 5
"""Maximum number of classes and layers that a verdict names."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """One requirement, and whether the images prove it.

    ``requirement``: "loss" (against float32), "baseline" (better than without any knowledge) or
    "min_" with the key of the metric, such as "min_accuracy". ``status``: "pass" (proven at 95 %),
    "fail" (the opposite is) or "not-proven". ``reason``: a clause. ``more_images``: how many more
    test images would decide it if they were like these, None where it is decided or no practicable
    number would.
    """

    requirement: str
    status: str
    reason: str
    more_images: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict on a variant: the judgments on it, the loss of quality first.

    ``drop``: metric of float32 minus its own, in points (paired), with its 95 % ``interval``,
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
class QualityEvidence:
    """A figure to judge, and what the judgment rests on.

    ``value`` of the metric (0–1) that the file has on the test split; the 95 % ``interval`` that
    it is judged by, and ``images``, how many that rests on. ``interval_for`` other numbers of
    images; None where the interval is that of a cross-validation, not of the file.
    """

    metric: QualityMetric
    value: float
    interval: Interval
    images: int
    interval_for: IntervalFor | None

    @property
    def words(self) -> str:
        """Describe the figure and what it rests on."""
        low, high = (100 * bound for bound in self.interval)
        of = "cross-validated" if self.interval_for is None else "test"
        return f"95 % interval {low:.1f} to {high:.1f} from {counted(self.images, f'{of} image')}"


def judge_loss(variant: str, loss: PairedLoss, max_drop: float) -> Verdict:
    """Judge what a variant lost against float32 on the same images.

    It is "pass" only if the upper 95 % bound of the paired drop is within ``max_drop`` points, and
    "fail" only if the lower bound exceeds it: in between, the drop may be chance.
    """
    worst = loss.classes[:MAX_NAMED] if loss.drop > max_drop else ()
    judgment = _judge_loss(variant, loss, max_drop)
    return Verdict(variant, (judgment,), max_drop, loss.drop, loss.interval, worst)


def no_loss(variant: str, max_drop: float) -> Verdict:
    """Return the verdict on the loss of the variant that others are compared with."""
    reason = f"{variant} is the reference for the other variants"
    return Verdict(variant, (Judgment("loss", PASS, reason),), max_drop, 0.0, (0.0, 0.0))


def with_quality(
    verdict: Verdict, measured: QualityEvidence, baseline: Baseline | None, minimum: float | None
) -> Verdict:
    """Add judgments on the quality itself to a verdict on its loss.

    Args:
        verdict: on the loss.
        measured: the quality.
        baseline: what a model without any knowledge reaches, None where that is nothing.
        minimum: the share (0–1) that was required, or None.
    """
    added = [] if baseline is None else [_judge_baseline(measured, baseline)]
    if minimum is not None:
        added.append(_judge_minimum(measured, minimum))
    return replace(verdict, judgments=(*verdict.judgments, *added))


def _judge_loss(variant: str, loss: PairedLoss, max_drop: float) -> Judgment:
    low, high = loss.interval
    figure = (
        f"{variant} {'loses' if loss.drop >= 0 else 'gains'} {abs(loss.drop):.1f} points compared "
        f"to float32 (95 % interval of the loss {low:.1f} to {high:.1f})"
    )
    if low > max_drop:
        return Judgment("loss", FAIL, f"{figure}, more than the {max_drop:g} allowed")
    if high <= max_drop:
        return Judgment("loss", PASS, f"{figure}, within the {max_drop:g} allowed")

    def proven(images: int) -> bool:
        bounds = loss.interval_for(images)
        return bounds[1] <= max_drop or bounds[0] > max_drop

    more = images_needed(proven, loss.images)
    claim = "exceeds" if loss.drop > max_drop else "stays within"
    tested = counted(loss.images, "test image")
    doubt = f"{tested} do not prove that it {claim} the {max_drop:g} allowed"
    return Judgment("loss", NOT_PROVEN, f"{figure}: {doubt}{_remedy(more)}", more)


def _judge_baseline(measured: QualityEvidence, baseline: Baseline) -> Judgment:
    than = f"{baseline.words} ({100 * baseline.value:.1f} %)"
    low, high = measured.interval
    if high <= baseline.value:
        reason = f"the model is no better than {than}: {measured.words}"
        return Judgment("baseline", FAIL, reason)
    if low > baseline.value and measured.value > baseline.value:
        return Judgment("baseline", PASS, f"the model is better than {than}")
    more = _more_for(measured, baseline.value)
    reason = f"the model is not shown to be better than {than}: {measured.words}{_remedy(more)}"
    return Judgment("baseline", NOT_PROVEN, reason, more)


def _judge_minimum(measured: QualityEvidence, minimum: float) -> Judgment:
    metric, requirement = measured.metric, f"min_{measured.metric.key}"
    reached = f"{100 * measured.value:.1f} % {metric.name} on the test images"
    if measured.value < minimum:
        return Judgment(requirement, FAIL, f"{reached} is below {metric.option} {minimum:g}")
    if measured.interval[0] >= minimum:
        return Judgment(requirement, PASS, f"{reached}, at least {metric.option} {minimum:g}")
    more = _more_for(measured, minimum)
    reason = (
        f"{reached} does not prove {metric.option} {minimum:g}: {measured.words}{_remedy(more)}"
    )
    return Judgment(requirement, NOT_PROVEN, reason, more)


def _more_for(measured: QualityEvidence, bound: float) -> int | None:
    """Return how many more test images would prove a quality above ``bound``, if any would."""
    interval_for = measured.interval_for
    if measured.value <= bound or interval_for is None:
        return None
    return images_needed(lambda images: interval_for(images)[0] > bound, measured.images)


def _remedy(more: int | None) -> str:
    return "" if more is None else f"; about {more:,} more like these would decide it"
