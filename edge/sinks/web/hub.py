"""What all visitors share: the newest image, the statistics, the state, and who is there."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from edge import telemetry
from edge.errors import EdgeError, OutputError
from edge.frame import Output
from edge.sinks.jsonl import to_record
from edge.sinks.web.adaptive_quality import FULL, QualityLevel, encode
from edge.sinks.web.recording import Recorder
from edge.streaming.control import StreamControl
from edge.streaming.sink import StreamContext

_HISTORY = 120
"""Seconds of statistics that a new visitor gets."""

_SNAPSHOTS = 8


class HubClient(Protocol):
    """Somebody who has the page open."""

    def tell(self, text: str) -> None:
        """Send a message, when the way is free; the order is kept."""


class EncodedFrame:
    """An output on its way to visitors; what they get of it is made once for all.

    Used in the event loop alone.
    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self._jpegs: dict[QualityLevel, asyncio.Task[bytes]] = {}
        self._text: str | None = None

    async def jpeg(self, level: QualityLevel) -> bytes:
        """The image as a JPEG; encoded in another thread."""
        assert self.output.image is not None
        if level not in self._jpegs:
            made = asyncio.to_thread(encode, self.output.image, level)
            self._jpegs[level] = asyncio.create_task(made)
        return await asyncio.shield(self._jpegs[level])

    async def snapshot(self) -> "Snapshot":
        """The image at its full size."""
        return Snapshot(self.output.index, await self.jpeg(FULL))

    def text(self) -> str:
        """The message "result"."""
        if self._text is None:
            summary = self.output.result.summary()
            said = {"type": "result", **to_record(self.output), "summary": summary}
            self._text = json.dumps(said)
        return self._text


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The image of frame ``index``, at its full size."""

    index: int
    jpeg: bytes


class Hub:
    """What :meth:`publish` gets from the stream's thread is for visitors, in the event loop's."""

    def __init__(self, context: StreamContext, control: StreamControl, recorder: Recorder) -> None:
        self.control, self.camera, self.recorder = control, context.camera, recorder
        self.visitors: set[HubClient] = set()
        self.history: deque[str] = deque(maxlen=_HISTORY)
        self.snapshots: deque[Snapshot] = deque(maxlen=_SNAPSHOTS)
        self.shown: EncodedFrame | None = None
        self.ended = asyncio.Event()
        self._source, self.watchers = context.source, 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._newest: Output | None = None
        self._waking = False

    @property
    def watched(self) -> bool:
        """Whether anybody wants images."""
        return self.watchers > 0 or self.recorder.name is not None

    def publish(self, output: Output) -> None:
        """Take an output; never waits for a visitor. Called from the stream's thread."""
        self._newest = output
        self.recorder.put(output)
        if self.watchers == 0 or self._loop is None:
            return
        with suppress(RuntimeError):  # the loop is closed: nobody looks any more
            if getattr(output.result, "events", None):
                self._loop.call_soon_threadsafe(self._tell_events, output)
            if not self._waking:
                self._waking = True
                self._loop.call_soon_threadsafe(self._wake)

    async def run(self) -> None:
        """Collect statistics once a second, for as long as the loop runs."""
        self._loop = asyncio.get_running_loop()
        last: Output | None = None
        while True:
            await asyncio.sleep(1.0)
            newest = self._newest
            if newest is not None and newest is not last:
                last = newest
                stats = await self._stats(last)
                self.history.append(stats)
                self.tell(stats)

    async def outputs(self) -> AsyncIterator[EncodedFrame]:
        """The newest output with an image, again and again, until the stream ends.

        Whoever iterates does it within :meth:`watching`, or nothing is drawn.
        """
        last = None
        while not self.ended.is_set():
            if self.shown is None or self.shown is last:
                await self._changed.wait()
            else:
                last = self.shown
                yield last

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Images are drawn while the block runs."""
        self.watchers += 1
        try:
            yield
        finally:
            self.watchers -= 1
            if self.watchers == 0 and not self.control.paused:
                self.shown = None  # who comes next does not want to see an old one

    def tell(self, text: str) -> None:
        """Send a message to all."""
        for visitor in self.visitors:
            visitor.tell(text)

    def tell_state(self) -> None:
        """Send all what has changed."""
        self.tell(json.dumps({"type": "state", **self._state()}))

    def hello(self) -> dict[str, Any]:
        """What a visitor has to know first."""
        task = self.control.task
        return {
            "type": "hello",
            "version": 1,
            "task": task.name,
            "model": task.runtime.name.rpartition("/")[2],
            "source": self._source,
            "camera": self.camera is not None,
            "labels": list(task.settings().labels),
            **self._state(),
            "clients": len(self.visitors),
        }

    async def record(self, on: bool) -> None:
        """Begin or end a recording, and tell all.

        Raises:
            OutputError: it cannot be written.
        """
        loop = asyncio.get_running_loop()

        def failed(error: EdgeError) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._recording_failed, error)

        if on:
            self.recorder.begin(failed)
        else:
            await asyncio.to_thread(self.recorder.end)
        self.tell_state()

    async def keep(self) -> "Snapshot":
        """The newest image, kept for a while.

        Raises:
            OutputError: there is none yet.
        """
        if self.shown is None:
            raise OutputError(
                "an image",
                "none yet",
                "wait for the first frame",
                code="no-frame-yet",
                summary="there is no image yet",
            )
        kept = await self.shown.snapshot()
        self.snapshots.append(kept)
        return kept

    def end(self) -> None:
        """Tell all that the stream is over."""
        self.tell(json.dumps({"type": "end", "message": "The stream has ended"}))
        self.ended.set()
        self._changed.set()

    def _wake(self) -> None:
        self._waking = False
        newest = self._newest  # read once, as the stream's thread writes it
        if newest is None or newest.image is None:
            return
        self.shown = EncodedFrame(newest)
        self._changed.set()
        self._changed = asyncio.Event()

    def _tell_events(self, output: Output) -> None:
        self.tell(EncodedFrame(output).text())

    def _recording_failed(self, error: EdgeError) -> None:
        self.tell(error_text(error))
        self.tell_state()

    def _state(self) -> dict[str, Any]:
        return {
            "settings": self.control.settings.to_dict(),
            "paused": self.control.paused,
            "recording": self.recorder.name,
        }

    async def _stats(self, output: Output) -> str:
        status = output.status
        said = {
            "type": "stats",
            "time_s": round(output.time_s, 3),
            "fps": round(status.fps, 2),
            "invoke_ms": round(status.invoke_ms, 3),
            "latency_ms": round(status.latency_ms, 3),
            "dropped": status.dropped,
            "delegate": status.delegate,
            "clients": len(self.visitors),
            "temperature_c": await asyncio.to_thread(telemetry.temperature),
        }
        return json.dumps(said)


def error_text(error: EdgeError) -> str:
    """Return an error as a message of type "error"."""
    return json.dumps({"type": "error", "code": error.code, "message": str(error)})
