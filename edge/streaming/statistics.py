"""What a stream did, told truly: how many frames, how fast, and which stage holds it up."""

import time
from dataclasses import dataclass, field
from typing import Any

from edge.frame import StreamStatus
from edge.interpreter import Engine
from edge.streaming.histogram import LatencyHistogram

STAGES = ("capture", "preprocess", "invoke", "postprocess", "draw", "sink")

_AHEAD = (("capture", "preprocess"), ("invoke", "postprocess"), ("draw",), ("sink",))
"""Stages that run one after the other in one thread; the threads run side by side."""

_IN_TURN = (("capture",), ("preprocess", "invoke", "postprocess"), ("draw",), ("sink",))
"""The same where inputs are not prepared ahead."""


@dataclass(frozen=True, slots=True)
class StreamStats:
    """A finished stream.

    ``frames``: inferred; ``dropped``: frames of a live source that nobody had time for;
    ``corrupt``: that could not be decoded; ``reconnects``: how often the source came back;
    ``lost``: outputs per sink that it was too slow for; ``seconds``: from the first frame asked
    for to the last sink's return. ``stages`` and ``latency`` (from a frame's arrival to the
    slowest sink's return) in ms. ``limiting``: the stage that sets the pace, the longest of the
    busiest thread; "capture" where a camera gives no more frames.
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

    @property
    def fps(self) -> float:
        return self.frames / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values; ``stages`` and ``latency`` hold ``p50_ms`` and ``p95_ms``.

        A stage that did not run, such as drawing without a sink for images, took 0 ms.
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
            **self.board,
        }


class StreamMeter:
    """Collects while a stream runs. Each stage is added to by one thread alone."""

    def __init__(self, prefetchable: bool) -> None:
        self._threads = _AHEAD if prefetchable else _IN_TURN
        self.stages = {stage: LatencyHistogram() for stage in STAGES if stage != "sink"}
        self.sinks: list[LatencyHistogram] = []
        self.holding: set[LatencyHistogram] = (
            set()
        )  # drawing and sinks, where the stream waits for them
        self.latencies: list[LatencyHistogram] = []
        self.frames = self.dropped = self.corrupt = self.reconnects = 0
        self._recent = 0.0
        self._last: float | None = None
        self._invoke = 0.0
        self._latency = 0.0

    def processed(self, captured: float, invoke: float) -> None:
        """Count a frame whose result is there; ``invoke`` in seconds."""
        now = time.perf_counter()
        self.frames += 1
        if self._last is not None:
            self._recent = _smooth(self._recent, now - self._last)
        self._last = now
        self._invoke = _smooth(self._invoke, invoke)
        self._latency = _smooth(self._latency, now - captured)

    def resumed(self) -> None:
        """Count the time since the last frame as none: the stream was paused."""
        self._last = None

    def status(self, delegate: str) -> StreamStatus:
        """Live figures, smoothed over about the last 20 frames."""
        return StreamStatus(
            fps=1 / self._recent if self._recent else 0.0,
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
    ) -> StreamStats:
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
        )

    def _limiting(self) -> str:
        """The longest stage of the thread that takes longest for a frame, of those that count."""
        means = {stage: times.mean for stage, times in self.stages.items()}
        means["draw"] *= self.stages["draw"] in self.holding
        means["sink"] = max((sink.mean for sink in self.holding & {*self.sinks}), default=0.0)
        busiest = max(self._threads, key=lambda stages: sum(means[stage] for stage in stages))
        return max(busiest, key=lambda stage: means[stage])


def _smooth(mean: float, value: float) -> float:
    return value if mean == 0 else 0.95 * mean + 0.05 * value
