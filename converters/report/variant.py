"""Report of a variant: its metrics, latencies and predicted mapping to the Edge TPU."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from converters.report.codec import Added, FromKey, Items, Key, Omitted, Range, Since
from converters.report.formatting import number

BASELINE = "int8"
"""The variant that others are compared with."""

Share = Annotated[float, Range(0, 1)]
Count = Annotated[int, Range(0)]
Number = Annotated[float, Range(0)]
Names = tuple[str, ...]
Unit = Literal["cpu", "edgetpu"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdReport:
    """The lowest score that is accepted, chosen on the validation split.

    ``precision`` that was required ("wanted" in the JSON); ``score``; the precision ``reached``
    with it, and ``lower``, the lower bound of its 95 % interval; ``coverage``: share of images
    that are accepted; ``images`` of the split ("pictures" in the JSON).
    """

    precision: Annotated[Share, Key("wanted")]
    score: Share
    reached: Share
    lower: Share = 0.0
    coverage: Share
    images: Annotated[Count, Key("pictures")]

    @property
    def met(self) -> bool:
        """True if the required precision was reached."""
        return self.reached >= self.precision


@dataclass(frozen=True, slots=True)
class TimingReport:
    """Latency of one inference: median ``p50_ms`` and 95th percentile ``p95_ms``.

    ``interpreter`` and ``delegate`` that ran it, with so many ``threads``; ``noisy``: also when
    measured again, the times varied too much to be relied on.
    """

    threads: Annotated[int, Range(1)]
    p50_ms: Number
    p95_ms: Number
    interpreter: str
    delegate: str
    noisy: bool = False

    def runner(self) -> str:
        """Name interpreter, delegate and threads."""
        return f"{self.interpreter}, {self.delegate}, {number(self.threads, 'thread')}"


@dataclass(frozen=True, slots=True)
class RunnerReport:
    """``interpreter`` and ``delegate`` that ran an inference, with so many ``threads``."""

    interpreter: str
    delegate: str
    threads: Annotated[int, Range(1)]


@dataclass(frozen=True, slots=True)
class RefusedOpReport:
    """An operation that the Edge TPU is predicted not to run.

    ``op``: its name; ``index`` in the order of execution; ``output``: name of its output tensor;
    ``reason``; ``obstacle``: the cause in this operation ("found" in the JSON); ``change``: advice;
    ``source`` and ``confidence`` of the rule; ``cause``: index of the first refused operation that
    it depends on; ``lost_after``: operations on the CPU only because they come after it, by name
    ("behind" in the JSON).
    """

    op: str
    index: Count
    output: str | None
    reason: str
    obstacle: Annotated[str, Key("found")]
    change: str
    source: str
    confidence: str
    cause: int | None = None
    lost_after: Annotated[Mapping[str, Count] | None, Key("behind")] = None


@dataclass(frozen=True, slots=True)
class EdgeTpuMemoryReport:
    """Bytes of parameters that fit ``on_chip``, and those streamed from ``off_chip``."""

    on_chip: Count
    off_chip: Count


@dataclass(frozen=True, slots=True)
class EdgeTpuReport:
    """Predicted mapping of a file to the Edge TPU, as printed by ``edge check --json``.

    ``status``: full, partly or none; ``mapped``: number of operations on the Edge TPU; ``cpu``:
    the others, name to count; ``first_refused``: null, or the first of ``refused``;
    ``parameters``: their place; ``compiled``: whether the file was compiled already.
    """

    status: Literal["full", "partly", "none"]
    mapped: Count
    cpu: Mapping[str, Count]
    first_refused: RefusedOpReport | None
    parameters: EdgeTpuMemoryReport | None
    compiled: bool = False
    refused: tuple[RefusedOpReport, ...] = ()

    @property
    def on_cpu(self) -> int:
        """Number of operations on the CPU."""
        return sum(self.cpu.values())

    @property
    def operations(self) -> int:
        """Number of all operations."""
        return self.mapped + self.on_cpu


@dataclass(frozen=True, slots=True)
class ClassReport:
    """Metrics of the class ``label``: ``precision``, ``recall`` and ``f1`` (0-1).

    ``support``: number of test images.
    """

    label: str
    precision: Share
    recall: Share
    f1: Share
    support: Count


@dataclass(frozen=True, slots=True)
class ClassQualityReport:
    """``figures`` of the class ``label`` by name; ``support``: test images or objects of it."""

    label: str
    support: Count
    figures: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Quality of a file on the test split: the same for all tasks.

    ``value`` of the report's ``metric`` (0-1) with its 95 % ``interval``; ``validation``: the
    metric on the validation split, null in older reports; ``agreement``: share of test images with
    the predictions of float32, null for tasks without; ``figures``: other metrics by name;
    ``per_class``.
    """

    value: Share
    interval: tuple[Share, Share]
    validation: Share | None
    agreement: Share | None
    figures: Mapping[str, float | None]
    per_class: tuple[ClassQualityReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantReport:
    """A variant of the model.

    ``file``: its path below the output folder; ``recipe`` that built it, empty for those that are
    always built; ``notes``: sentences on what was done, and ``steps``: the same as plain values,
    an object per step; ``gain``: null, or a sentence on what the recipe did not gain and why.

    ``quality`` on the test split; ``threshold``.

    Of a classifier only: ``accuracy`` (0-1) on the test split, with its 95 %
    ``accuracy_interval``; ``validation_accuracy`` on the validation split; ``agreement``: share of
    test images with the prediction of float32; ``log_loss`` in nats and expected calibration error
    ``ece``, both of the test split; ``per_class``; ``confusion``: rows are the true class.

    ``bytes`` of the file, and ``gzip_bytes`` compressed; ``parameters``: weights and biases;
    ``multiply_adds`` of one inference; ``sparsity``: share of zeros among the weights of
    convolutions and dense layers; ``latencies`` by rising number of threads; ``p50_ms`` and
    ``p95_ms``: with the interpreter's own number of threads, run by ``latency``; ``edgetpu``.
    """

    name: Annotated[str, FromKey()]
    file: str
    recipe: Annotated[str, Since(2)] = ""
    notes: Annotated[Names, Since(2)] = ()
    steps: Annotated[tuple[Mapping[str, Any], ...], Since(2)] = ()
    gain: Annotated[str | None, Since(2, nullable=True)] = None
    quality: Annotated[QualityReport, Added()]
    accuracy: Annotated[Share | None, Omitted()] = None
    accuracy_interval: Annotated[tuple[Share, Share] | None, Omitted()] = None
    validation_accuracy: Annotated[Share | None, Omitted()] = None
    agreement: Annotated[Share | None, Omitted()] = None
    log_loss: Annotated[Number | None, Omitted()] = None
    ece: Annotated[Share | None, Omitted()] = None
    threshold: Annotated[ThresholdReport | None, Since(2, nullable=True)] = None
    bytes: Count
    gzip_bytes: Count
    parameters: Annotated[Count | None, Since(2)] = None
    multiply_adds: Annotated[Count | None, Since(2)] = None
    sparsity: Annotated[Share | None, Since(2)] = None
    latencies: Annotated[tuple[TimingReport, ...], Items(1), Since(2)] = ()
    p50_ms: Number
    p95_ms: Number
    latency: RunnerReport
    edgetpu: Annotated[EdgeTpuReport | None, Since(2)] = None
    per_class: Annotated[tuple[ClassReport, ...] | None, Omitted()] = None
    confusion: Annotated[tuple[tuple[Count, ...], ...] | None, Omitted()] = None

    @property
    def timing(self) -> TimingReport:
        """The latency that is compared and plotted: with the interpreter's own threads."""
        runner = self.latency
        noisy = any(timed.noisy for timed in self.latencies if timed.threads == runner.threads)
        return TimingReport(
            runner.threads, self.p50_ms, self.p95_ms, runner.interpreter, runner.delegate, noisy
        )

    @property
    def timings(self) -> tuple[TimingReport, ...]:
        """All latencies by rising number of threads, ``timing`` among them."""
        by_threads = {timing.threads: timing for timing in (*self.latencies, self.timing)}
        return tuple(by_threads[threads] for threads in sorted(by_threads))

    def with_threads(self, threads: int) -> TimingReport | None:
        """Return the latency with a number of threads, or None."""
        return next((timing for timing in self.timings if timing.threads == threads), None)
