"""Sections of the report, apart from the variants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from converters.report.codec import Added, Items, Key, Omitted, Pattern, Range, Since
from converters.report.variant import Count, Names, Number, Share, Unit

Digest = Annotated[str, Pattern("^[0-9a-f]{64}$")]
Target = Literal["cpu", "edgetpu", "all"]


@dataclass(frozen=True, slots=True)
class ToolkitReport:
    """``name`` and ``version`` of the program that wrote the report."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class MetricReport:
    """The metric of the task, by which files are judged and compared.

    ``key``, as in names of fields; ``name``, as in tables; ``option`` that requires a minimum.
    """

    key: str
    name: str
    option: str


@dataclass(frozen=True, slots=True)
class SourceReport:
    """The earlier result that was compressed.

    ``name`` of its folder, and its ``created``, ``command`` and ``chosen``.
    """

    name: str
    created: str
    command: str
    chosen: str


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """``name`` of a file that cannot be read, and the ``reason``."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Findings in the dataset, as names of files.

    ``broken``: unreadable; ``duplicates``: groups of the same image in one class;
    ``across_split``: those of them that a given split had in several subsets; ``conflicts``:
    groups of the same image with several labels, excluded; ``near_conflicts``: pairs of nearly the
    same image with two labels, kept; ``converted``: kind of conversion to names; ``ignored``:
    files of other kinds; ``warnings``: sentences.
    """

    broken: tuple[BrokenFile, ...]
    duplicates: tuple[Annotated[Names, Items(2)], ...]
    across_split: tuple[Annotated[Names, Items(2)], ...]
    conflicts: tuple[Annotated[Names, Items(2)], ...]
    near_conflicts: tuple[Annotated[Names, Items(2, 2)], ...]
    converted: Mapping[str, Names]
    ignored: Names
    warnings: Names


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetReport:
    """The dataset.

    ``name``; ``classes`` in the order of the outputs; ``counts``: usable images per class;
    ``images``: their sum ("pictures" in the JSON); ``audit``; ``path`` at the time.
    """

    name: str
    path: Annotated[str | None, Since(2)] = None
    classes: Annotated[Names, Items(1)]
    counts: Mapping[str, Count]
    images: Annotated[Count, Key("pictures")]
    audit: AuditReport


@dataclass(frozen=True, slots=True)
class SplitSizes:
    """Numbers of images in ``train``, ``validation`` and ``test``."""

    train: Count
    validation: Count
    test: Count


@dataclass(frozen=True, slots=True)
class SplitReport:
    """The split of the dataset.

    ``sizes`` of the subsets; ``seed``; ``given``: whether it came with the dataset; ``fractions``
    of the subsets, null for a given split; ``train``, ``validation`` and ``test``: sha256 of every
    image's file.
    """

    sizes: SplitSizes
    seed: int
    given: bool
    fractions: Mapping[str, float] | None
    train: tuple[Digest, ...]
    validation: tuple[Digest, ...]
    test: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessingReport:
    """The conversion of an image to the model's input.

    The image is resized to ``width`` × ``height`` pixels, and a pixel ``p`` becomes
    ``(p - mean) / std``. ``resize``, ``interpolation`` and ``color`` ("colour" in the JSON) name
    the method and the channel order.
    """

    resize: str = ""
    interpolation: str = ""
    color: Annotated[str, Key("colour")] = ""
    width: Count
    height: Count
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class WeightsReport:
    """The backbone's weights before training.

    ``name`` of their source; ``alpha``: width multiplier; ``size``: input size; ``fingerprint``:
    sha256 of architecture and weights; ``learned``: False for random weights; ``provenance``;
    ``notes``: sentences.
    """

    name: str
    alpha: float
    size: Count
    fingerprint: str
    learned: bool
    provenance: Mapping[str, str]
    notes: Names


@dataclass(frozen=True, slots=True)
class CurveReport:
    """A learning curve: ``title``, ``x_label``, ``y_label``, ``x``, and ``series`` by name.

    A value in ``series`` is null where nothing was measured.
    """

    title: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    series: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """Training of the model.

    ``method``, such as "frozen", "fine-tuned" or "scratch"; ``validation_quality``: the task's
    metric (0-1) on the validation split, and of a classifier the same as ``validation_accuracy``;
    ``notes``: sentences; ``details``: plain values; ``curves``: learning curves.
    """

    method: str
    validation_quality: Annotated[Share, Added()]
    validation_accuracy: Annotated[Share | None, Omitted()] = None
    notes: Names
    details: Mapping[str, Any]
    curves: tuple[CurveReport, ...]


@dataclass(frozen=True, slots=True)
class CalibrationChange:
    """Reliability of the float32 scores of a subset.

    ``log_loss_before`` and ``log_loss_after`` the calibration, in nats; ``ece_before`` and
    ``ece_after``: expected calibration error (0-1).
    """

    log_loss_before: Number
    log_loss_after: Number
    ece_before: Share
    ece_after: Share


@dataclass(frozen=True, slots=True)
class ReliabilityBinReport:
    """Test images with a highest score from ``low`` to ``high``.

    ``count``; their mean score ``confidence``, and the share ``accuracy`` that is correct.
    """

    low: Share
    high: Share
    count: Count
    confidence: Share
    accuracy: Share


@dataclass(frozen=True, slots=True)
class ReliabilityReport:
    """Reliability diagrams of the test split, ``before`` and ``after`` the calibration."""

    before: tuple[ReliabilityBinReport, ...]
    after: tuple[ReliabilityBinReport, ...]


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """Temperature scaling of the scores.

    ``temperature`` that the logits were divided by; its effect on ``validation`` and ``test``;
    ``reliability`` diagrams.
    """

    temperature: Number
    validation: CalibrationChange
    test: CalibrationChange
    reliability: ReliabilityReport


@dataclass(frozen=True, slots=True)
class LimitsReport:
    """Limits on the model, null without: ``max_latency_ms``, ``max_size_kb``, ``min_accuracy``.

    ``min_quality``: minimum of the metric of a task that is no classification.
    """

    max_latency_ms: float | None = None
    max_size_kb: float | None = None
    min_accuracy: float | None = None
    min_quality: Annotated[float | None, Omitted()] = None

    @property
    def minimum(self) -> float | None:
        """The minimum of the task's metric."""
        return self.min_quality if self.min_accuracy is None else self.min_accuracy


@dataclass(frozen=True, slots=True)
class LimitFailureReport:
    """A ``limit`` that a ``variant`` does not meet, in the unit of the limit.

    ``limit``: "max_latency_ms", "max_size_kb", "min_" with the key of the metric, or "edgetpu".
    ``actual``: the variant's own figure ("found" in the JSON), and the one ``required`` ("wanted"
    in the JSON); for the limit "edgetpu" operations on the CPU.
    """

    variant: str
    limit: Annotated[str, Pattern(r"^(max_latency_ms|max_size_kb|min_\w+|edgetpu)$")]
    actual: Annotated[float, Key("found")]
    required: Annotated[float, Key("wanted")]


@dataclass(frozen=True, slots=True)
class ChoiceReport:
    """Selection of the variant ``chosen`` for model.tflite.

    ``target`` that it must run on, ``limits``; ``met``: whether it is within them; ``reason``;
    ``failures`` of all variants; ``pareto``: variants that no other beats in accuracy and latency.
    """

    target: Target
    limits: LimitsReport
    chosen: str
    met: bool
    reason: str
    failures: tuple[LimitFailureReport, ...]
    pareto: Annotated[Names, Items(1)]


@dataclass(frozen=True, slots=True)
class CompiledReport:
    """Compilation for the Edge TPU.

    ``file``: null if there is none; ``notes``: sentences; ``compiler``: whether there is one here,
    and its ``version``; ``mapped``: number of operations on the Edge TPU; ``cpu``: the others,
    name to count.
    """

    file: str | None
    notes: Names
    compiler: bool
    version: str | None
    mapped: Count
    cpu: Mapping[str, Count]


@dataclass(frozen=True, slots=True)
class PublishedLatencyReport:
    """Latency of a network, ``model``, that others published.

    ``dtype`` int8 or float32; ``ms``; ``multiply_adds`` of the network; ``runs_on`` cpu or edgetpu;
    ``source``; ``threads`` (0: not published); ``bus`` of the accelerator; ``note``.
    """

    model: str
    dtype: Literal["int8", "float32"]
    ms: Number
    multiply_adds: Count
    runs_on: Unit
    source: str
    threads: Count = 0
    bus: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class EstimateReport:
    """Estimated latency ``ms`` on a board, from ``low_ms`` to ``high_ms``, not measured.

    ``runs_on``: cpu or edgetpu; ``published``: latencies that it is based on.
    """

    ms: Number
    low_ms: Number
    high_ms: Number
    runs_on: Unit
    published: Annotated[tuple[PublishedLatencyReport, ...], Items(1)]


@dataclass(frozen=True, slots=True)
class BoardReport:
    """The board that the model is for.

    ``name``; ``title``; ``tested``: how far its profile was tested ("tried" in the JSON);
    ``target``; ``size``: input size; ``threads`` (null: one per core, at most 4); ``estimates``:
    latency per variant, null where none can be estimated.
    """

    name: str
    title: str
    tested: Annotated[str, Key("tried")]
    target: Target
    size: Annotated[int, Range(1)]
    threads: Annotated[int | None, Range(1)]
    estimates: Mapping[str, EstimateReport | None]


@dataclass(frozen=True, slots=True)
class NextStepReport:
    """A proposal: ``why``, and the shell ``command`` for it, "" for mere advice."""

    why: str
    command: str


@dataclass(frozen=True, slots=True)
class EnvironmentReport:
    """Computer and software: ``python``, ``platform``, ``cpu``, ``cores``, ``packages``.

    ``packages``: name to version, null if it is not installed.
    """

    python: str
    platform: str
    cpu: str
    cores: int | None
    packages: Mapping[str, str | None]
