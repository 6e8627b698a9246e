"""What an evaluation measures: of one model, and of two on the same images."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.metrics.resampling import Bounds

ClassFigures = Mapping[str, float | int | Bounds | None]


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """Metrics of a model on a set of images.

    Attributes:
        metrics: by name, 0 to 1 but where the name says otherwise; NaN where undefined.
        intervals: 95 % intervals, by metric.
        per_class: figures by class.
        samples: float64 [r], of metrics in the same resamples of the images.
        details: further figures of the task, ready for JSON.
        faults: float64 [images], how wrong each image is; 0 for right.
        outcomes: of each image, as the task keeps them.
    """

    metrics: Mapping[str, float]
    intervals: Mapping[str, Bounds]
    per_class: Mapping[str, ClassFigures]
    samples: Mapping[str, NDArray[np.float64]]
    details: Mapping[str, Any]
    faults: NDArray[np.float64]
    outcomes: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ImageTime:
    """Milliseconds per image, with preparing the image and reading the outputs, and what ran it.

    ``invoke_ms``: the median of the model alone.
    """

    p50_ms: float
    p95_ms: float
    invoke_ms: float
    interpreter: str
    delegate: str
    threads: int


@dataclass(frozen=True, slots=True)
class PairedDrop:
    """How much lower a metric of a model is than that of the reference, on the same images.

    ``drop`` is a difference of shares, below 0 for a gain; ``interval``: its 95 % interval.
    """

    metric: str
    reference: float
    value: float
    drop: float
    interval: Bounds

    @property
    def proven(self) -> bool:
        """True where the interval excludes that both are equal."""
        low, high = self.interval
        return low > 0 or high < 0


@dataclass(frozen=True, slots=True)
class PairedEvaluation:
    """A model compared with another, the reference, on the same images.

    ``effects``: what differs, in sentences.
    """

    reference: str
    drops: tuple[PairedDrop, ...]
    effects: tuple[str, ...]
    time: ImageTime


@dataclass(frozen=True, slots=True)
class ImageMistake:
    """An image with its mistakes in words; ``uri``: a picture of them as a JPEG, "" without."""

    name: str
    words: str
    uri: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MetricLimit:
    """A minimum of a metric, and what was reached, None where the metric is undefined."""

    metric: str
    heading: str
    minimum: float
    value: float | None

    @property
    def met(self) -> bool:
        """True where the metric is not below the minimum."""
        return self.value is not None and self.value >= self.minimum

    @property
    def words(self) -> str:
        """Say in a sentence whether the minimum is reached."""
        reached = "undefined" if self.value is None else f"{100 * self.value:.1f} %"
        side = "reaches" if self.met else "is below"
        return f"{self.heading} {reached} {side} the minimum of {100 * self.minimum:g} %"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Result of ``edge evaluate``.

    Attributes:
        task: "classify", "detect" or "segment".
        model: path of the model.
        dataset: path of the labeled images.
        images: number of images.
        split: subset of the data set that was evaluated, None for all images.
        metrics: by name, the most important first; None where undefined.
        intervals: 95 % intervals, by metric.
        per_class: figures by class.
        time: latency.
        notes: sentences for the user about what was left out or assumed.
        details: further figures of the task.
        mistakes: the worst first.
        against: the comparison with a second model.
        limits: minimums that were set.
    """

    task: str
    model: str
    dataset: str
    images: int
    split: str | None
    metrics: Mapping[str, float | None]
    intervals: Mapping[str, Bounds]
    per_class: Mapping[str, ClassFigures]
    time: ImageTime
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)
    mistakes: tuple[ImageMistake, ...] = ()
    against: PairedEvaluation | None = None
    limits: tuple[MetricLimit, ...] = ()

    @property
    def success(self) -> bool:
        """True if all limits are met."""
        return all(limit.met for limit in self.limits)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without pictures; shares are rounded to 6 places."""
        values: dict[str, Any] = {
            "task": self.task,
            "metrics": self.metrics,
            "per_class": self.per_class,
            "images": self.images,
            "intervals": self.intervals,
            "latency": asdict(self.time),
            "model": self.model,
            "dataset": self.dataset,
            "split": self.split,
            **self.details,
            "mistakes": [{"image": m.name, "words": m.words} for m in self.mistakes],
            "notes": self.notes,
            "limits": [{**asdict(limit), "met": limit.met} for limit in self.limits],
        }
        if self.against is not None:
            values["against"] = {
                **asdict(self.against),
                "drops": [{**asdict(drop), "proven": drop.proven} for drop in self.against.drops],
            }
        plain = _plain(values)
        assert isinstance(plain, dict)
        return plain

    def to_json(self) -> str:
        """Return the content of evaluation.json."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: rounded numbers, null for NaN, lists."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
