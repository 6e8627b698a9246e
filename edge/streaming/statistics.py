"""Stream statistics: frames, throughput, latency per stage, bottleneck.

Percentiles come from histograms, which use constant memory for any number of durations.
"""

import math
import time
from dataclasses import dataclass, field
from typing import Any

from edge.frame import StreamStatus
from edge.interpreter import Engine
from edge.results import Counts

_MIN_S = 1e-7
_RATIO = 1.01
_BUCKETS = math.ceil(math.log(1e10) / math.log(_RATIO))


class LatencyHistogram:
    """Counts durations in buckets 1 % wide, from 0.1 µs to 1000 s.

    A stream of days keeps the percentiles of all its frames this way, each accurate to 1 %. One
    thread adds; others may read at the same time.
    """

    __slots__ = ("_counts", "count", "total")

    def __init__(self) -> None:
        self._counts = [0] * (_BUCKETS + 1)
        self.count = 0
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        bucket = math.log(seconds / _MIN_S) / _LOG_RATIO if seconds > _MIN_S else 0.0
        self._counts[min(int(bucket), _BUCKETS)] += 1
        self.count += 1
        self.total += seconds

    @property
    def mean(self) -> float:
        """Mean in seconds; 0 without durations."""
        return self.total / self.count if self.count else 0.0

    def percentile_ms(self, percent: float) -> float:
        """Return the duration that ``percent`` of all do not exceed, in ms; 0 without durations."""
        rank = percent / 100 * self.count
        reached = 0
        for bucket, count in enumerate(self._counts):
            reached += count
            if count and reached >= rank:
                return 1e3 * _MIN_S * math.exp(_LOG_RATIO * (bucket + 0.5))
        return 0.0

    def to_dict(self) -> dict[str, float]:
        """Return ``{"p50_ms", "p95_ms"}``."""
        return {f"p{p}_ms": round(self.percentile_ms(p), 4) for p in (50, 95)}


_LOG_RATIO = math.log(_RATIO)


STAGES = ("capture", "preprocess", "invoke", "postprocess", "draw", "sink")

_PIPELINED = (("capture", "preprocess"), ("invoke", "postprocess"), ("draw",), ("sink",))
"""Stages grouped by thread: those of a group run in sequence, the groups in parallel."""

_SEQUENTIAL = (("capture",), ("preprocess", "invoke", "postprocess"), ("draw",), ("sink",))
"""The same where inputs cannot be prefetched."""


@dataclass(frozen=True, slots=True)
class StreamStats:
    """Statistics of a finished stream.

    Attributes:
        source: Name of the source.
        task: Name of the task.
        frames: Frames that were processed.
        dropped: Frames of a live source for which the model was too slow.
        corrupt: Frames that could not be decoded.
        reconnects: Number of times that the source was reopened.
        lost: Outputs per sink that it was too slow for.
        seconds: From the request for the first frame to the last sink's return.
        stages: p50 and p95 of each stage, in ms.
        latency: p50 and p95 from a frame's capture to the slowest sink's return, in ms.
        limiting: The bottleneck: the longest stage of the busiest thread; "capture" where a
            camera delivers no more frames.
        interpreter: Package and version of the interpreter.
        delegate: "cpu" or "edgetpu".
        threads: Of the interpreter.
        notes: For the user.
        board: Temperature and throttling, where they can be read.
        counts: Final counts by name of line, zone or exercise.
    """

    source: str
    task: str
    frames: int
    dropped: int
    corrupt: int
    reconnects: int
    lost: dict[str, int]
    seconds: float
    stages: dict[str, dict[str, float]]
    latency: dict[str, float]
    limiting: str
    interpreter: str
    delegate: str
    threads: int
    notes: tuple[str, ...] = ()
    board: dict[str, Any] = field(default_factory=dict)
    counts: Counts = field(default_factory=dict)

    @property
    def fps(self) -> float:
        """Processed frames per second."""
        return self.frames / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values; ``stages`` and ``latency`` hold ``p50_ms`` and ``p95_ms``.

        A stage that did not run, such as drawing without a sink for images, takes 0 ms.
        """
        return {
            "source": self.source,
            "task": self.task,
            "frames": self.frames,
            "dropped": self.dropped,
            "corrupt": self.corrupt,
            "reconnects": self.reconnects,
            "lost": self.lost,
            "seconds": round(self.seconds, 4),
            "fps": round(self.fps, 3),
            "stages": self.stages,
            "latency": self.latency,
            "limiting": self.limiting,
            "interpreter": self.interpreter,
            "delegate": self.delegate,
            "threads": self.threads,
            "notes": list(self.notes),
            "counts": {
                name: count if isinstance(count, int) else dict(count)
                for name, count in self.counts.items()
            },
            **self.board,
        }


class StreamMeter:
    """Measures a running stream. Each stage is measured by a single thread."""

    def __init__(self, prefetchable: bool) -> None:
        self._threads = _PIPELINED if prefetchable else _SEQUENTIAL
        self.stages = {stage: LatencyHistogram() for stage in STAGES if stage != "sink"}
        self.sinks: list[LatencyHistogram] = []
        # Drawing and sinks that the stream waits for.
        self.blocking: set[LatencyHistogram] = set()
        self.latencies: list[LatencyHistogram] = []
        self.frames = self.dropped = self.corrupt = self.reconnects = 0
        self._interval = 0.0
        self._last: float | None = None
        self._invoke = 0.0
        self._latency = 0.0

    def processed(self, captured: float, invoke: float) -> None:
        """Count a processed frame; ``captured`` by ``perf_counter``, ``invoke`` in seconds."""
        now = time.perf_counter()
        self.frames += 1
        if self._last is not None:
            self._interval = _smooth(self._interval, now - self._last)
        self._last = now
        self._invoke = _smooth(self._invoke, invoke)
        self._latency = _smooth(self._latency, now - captured)

    def resumed(self) -> None:
        """Ignore the time since the last frame: the stream was paused."""
        self._last = None

    def status(self, delegate: str) -> StreamStatus:
        """Return live statistics, smoothed over about the last 20 frames."""
        return StreamStatus(
            fps=1 / self._interval if self._interval else 0.0,
            invoke_ms=1e3 * self._invoke,
            latency_ms=1e3 * self._latency,
            dropped=self.dropped,
            delegate=delegate,
        )

    def finish(
        self,
        *,
        source: str,
        task: str,
        seconds: float,
        lost: dict[str, int],
        runtime: Engine,
        notes: tuple[str, ...],
        board: dict[str, Any],
        counts: Counts,
    ) -> StreamStats:
        """Return the statistics of the whole stream; arguments as of :class:`StreamStats`."""
        slowest = max(self.sinks, key=lambda sink: sink.total, default=LatencyHistogram())
        stages = {**self.stages, "sink": slowest}
        latency = max(self.latencies, key=lambda sink: sink.total, default=LatencyHistogram())
        return StreamStats(
            source=source,
            task=task,
            frames=self.frames,
            dropped=self.dropped,
            corrupt=self.corrupt,
            reconnects=self.reconnects,
            lost=lost,
            seconds=seconds,
            stages={stage: stages[stage].to_dict() for stage in STAGES},
            latency=latency.to_dict(),
            limiting=self._limiting(),
            interpreter=runtime.package,
            delegate=runtime.delegate,
            threads=runtime.threads,
            notes=notes,
            board=board,
            counts=counts,
        )

    def _limiting(self) -> str:
        """Find the longest stage of the thread that takes longest per frame."""
        means = {stage: times.mean for stage, times in self.stages.items()}
        means["draw"] *= self.stages["draw"] in self.blocking
        means["sink"] = max((sink.mean for sink in self.blocking & {*self.sinks}), default=0.0)
        busiest = max(self._threads, key=lambda stages: sum(means[stage] for stage in stages))
        return max(busiest, key=lambda stage: means[stage])


def _smooth(mean: float, value: float) -> float:
    return value if mean == 0 else 0.95 * mean + 0.05 * value
