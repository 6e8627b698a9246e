"""Quality of a file: the one metric of its task with its interval, and what a file lost of it.

Accuracy, mAP and mIoU differ in how they are computed and how their intervals are found; what is
required of them, and what the test images prove, is the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Interval = tuple[float, float]
IntervalFor = Callable[[int], Interval]
"""The 95 % interval if there were so many test images, and they were like the ones there are."""


@dataclass(frozen=True, slots=True)
class QualityMetric:
    """The one metric of a task, a share (0-1), by which its files are judged and compared.

    ``key``: in JSON, as "accuracy" or "map50"; ``name``: in tables and sentences, as "mAP50";
    ``option``: of the commands, that requires a minimum of it.
    """

    key: str
    name: str
    option: str


@dataclass(frozen=True, slots=True)
class ClassQuality:
    """Figures of the class ``label``, by name; ``support``: test images or objects of it."""

    label: str
    support: int
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality of a file on the test split.

    ``value`` of the metric with its 95 % ``interval``, on so many ``images``, and
    ``interval_for`` other numbers of images; ``validation``: the metric on the validation split;
    ``agreement``: share of test images with the same predictions as float32, None for tasks
    without; ``figures``: other metrics by name; ``details``: more of the task's own.
    """

    metric: QualityMetric
    value: float
    interval: Interval
    images: int
    interval_for: IntervalFor
    validation: float
    agreement: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    per_class: tuple[ClassQuality, ...] = ()
    details: Any = None


@dataclass(frozen=True, slots=True)
class PairedLoss:
    """Loss of a file against another one on the same ``images``, in points of the metric.

    ``drop`` with its 95 % ``interval``, and ``interval_for`` other numbers of images, in points;
    ``classes``: names of those that lose, worst first.
    """

    drop: float
    interval: Interval
    images: int
    interval_for: IntervalFor
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WeakClass:
    """Confusion behind a weak class: ``count`` of ``images`` of ``label`` taken for ``taken_for``.

    Either ``label`` has a low recall, or ``taken_for`` a low precision.
    """

    label: str
    taken_for: str
    count: int
    images: int


def scaled_interval(value: float, interval: Interval, images: int) -> IntervalFor:
    """Return the interval for other numbers of images: its halves shrink with their root.

    For intervals by resampling, which have no formula.
    """

    def interval_for(number: int) -> Interval:
        scale = (images / number) ** 0.5
        return value - scale * (value - interval[0]), value + scale * (interval[1] - value)

    return interval_for
