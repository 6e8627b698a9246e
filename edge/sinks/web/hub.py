"""The hub of the page: newest image, statistics and state for all clients."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from edge import telemetry
from edge.errors import EdgeError, OutputError
from edge.frame import Output
from edge.sinks.jsonl import to_record
from edge.sinks.web.quality import FULL, EncodedImage, QualityLevel
from edge.sinks.web.recording import Recorder
from edge.streaming.control import StreamControl
from edge.streaming.sink import StreamContext

_HISTORY_S = 120
"""Seconds of statistics that a new client gets."""

_MAX_EVENTS = 60
"""Events that a new client gets."""

_MAX_SNAPSHOTS = 8


class HubClient(Protocol):
    """A client that has the page open."""

    def send_text(self, text: str) -> None:
        """Queue a message; the order is kept."""


class EncodedFrame:
    """An output for clients, encoded once for all of them. Used only in the event loop."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self._image = None if output.image is None else EncodedImage(output.image)
        self._text: str | None = None

    async def jpeg(self, level: QualityLevel) -> bytes:
        """Encode the image, which there must be, as a JPEG, in another thread."""
        assert self._image is not None
        return await self._image.jpeg(level)

    async def snapshot(self) -> "Snapshot":
        """Encode the image at its full size."""
        return Snapshot(self.output.index, await self.jpeg(FULL))

    def text(self) -> str:
        """Return the message of type "result"."""
        if self._text is None:
            summary = self.output.result.summary()
            message = {"type": "result", **to_record(self.output), "summary": summary}
            if self.output.image is not None:
                message["size"] = list(self.output.image.shape[1::-1])
            self._text = json.dumps(message)
        return self._text


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The JPEG of frame ``index``, at its full size."""

    index: int
    jpeg: bytes


class Hub:
    """Passes outputs from the stream's thread to clients in the event loop.

    Args:
        context: Of the stream.
        control: Of the stream.
        recorder: Records for the clients.
    """

    def __init__(self, context: StreamContext, control: StreamControl, recorder: Recorder) -> None:
        self.control, self.camera, self.recorder = control, context.camera, recorder
        self.clients: set[HubClient] = set()
        self.still, self.finished = context.still, False
        self.history: deque[str] = deque(maxlen=_HISTORY_S)
        self._events: deque[tuple[float, dict[str, Any]]] = deque(maxlen=_MAX_EVENTS)
        self.snapshots: deque[Snapshot] = deque(maxlen=_MAX_SNAPSHOTS)
        self.newest: EncodedFrame | None = None
        self.ended = asyncio.Event()
        self._source, self.watchers = context.source, 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._published: Output | None = None
        self._waking = False

    @property
    def watched(self) -> bool:
        """True while a client watches or records, or may want to see a still image later."""
        return self.still or self.watchers > 0 or self.recorder.name is not None

    def publish(self, output: Output) -> None:
        """Take an output, without waiting for clients. Called from the stream's thread."""
        self._published = output
        self.recorder.put(output)
        if self._loop is None:
            return
        with suppress(RuntimeError):  # the loop is closed
            if getattr(output.result, "events", None):
                self._loop.call_soon_threadsafe(self._send_events, output)
            if (self.still or self.watchers > 0) and not self._waking:
                self._waking = True
                self._loop.call_soon_threadsafe(self._wake)

    async def run(self) -> None:
        """Collect and send statistics once a second, until cancelled."""
        self._loop = asyncio.get_running_loop()
        last: Output | None = None
        while True:
            await asyncio.sleep(1.0)
            newest = self._published
            if newest is not None and newest is not last:
                last = newest
                stats = await self._stats(last)
                self.history.append(stats)
                self.broadcast(stats)

    async def outputs(self) -> AsyncIterator[EncodedFrame]:
        """Yield the newest output with an image, each once, until the stream ends.

        Iterate within :meth:`watching`, else nothing is drawn.
        """
        last = None
        while not self.ended.is_set():
            if self.newest is None or self.newest is last:
                await self._changed.wait()
            else:
                last = self.newest
                yield last

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Have images drawn while the block runs."""
        self.watchers += 1
        try:
            yield
        finally:
            self.watchers -= 1
            if self.watchers == 0 and not (self.control.paused or self.still):
                self.newest = None  # the next client must not see an old one

    def broadcast(self, text: str) -> None:
        """Send a message to all clients."""
        for client in self.clients:
            client.send_text(text)

    def broadcast_state(self) -> None:
        """Send the state to all clients."""
        self.broadcast(json.dumps({"type": "state", **self._state()}))

    def hello(self) -> dict[str, Any]:
        """Return the first message to a client."""
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
            "ended": self.finished,
            "clients": len(self.clients),
        }

    def events_text(self) -> str:
        """Return the message of type "events": the last ones, and how long ago they were."""
        now = time.monotonic()
        events = [{**event, "ago_s": round(now - at, 1)} for at, event in self._events]
        return json.dumps({"type": "events", "events": events})

    async def record(self, on: bool) -> None:
        """Start or stop a recording, and send the state to all.

        Raises:
            OutputError: It cannot be written.
        """
        loop = asyncio.get_running_loop()

        def failed(error: EdgeError) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._recording_failed, error)

        if on:
            self.recorder.start(failed)
        else:
            await asyncio.to_thread(self.recorder.stop)
        self.broadcast_state()

    async def take_snapshot(self) -> "Snapshot":
        """Encode the newest image and keep it for download.

        Raises:
            OutputError: There is none yet.
        """
        if self.newest is None:
            raise OutputError(
                "an image",
                "none yet",
                "wait for the first frame",
                code="no-frame-yet",
                summary="there is no image yet",
            )
        snapshot = await self.newest.snapshot()
        self.snapshots.append(snapshot)
        return snapshot

    def finish(self) -> None:
        """Notify all clients that no more images come; the last one stays. Thread-safe."""
        self.finished = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self.broadcast, self._end_text())

    def end(self) -> None:
        """Notify all clients that the stream has ended and the page goes away."""
        self.finished = False
        self.broadcast(self._end_text())
        self.ended.set()
        self._changed.set()

    def _wake(self) -> None:
        self._waking = False
        newest = self._published  # read once: the stream's thread writes it
        if newest is None or newest.image is None:
            return
        self.newest = EncodedFrame(newest)
        self._changed.set()
        self._changed = asyncio.Event()

    def _end_text(self) -> str:
        message = {"type": "end", "message": "The stream has ended", "stays": self.finished}
        return json.dumps(message)

    def _send_events(self, output: Output) -> None:
        now = time.monotonic()
        self._events.extend((now, event) for event in output.result.to_dict()["events"])
        if self.clients:
            self.broadcast(EncodedFrame(output).text())

    def _recording_failed(self, error: EdgeError) -> None:
        self.broadcast(error_text(error))
        self.broadcast_state()

    def _state(self) -> dict[str, Any]:
        return {
            "settings": self.control.settings.to_dict(),
            "paused": self.control.paused,
            "recording": self.recorder.name,
        }

    async def _stats(self, output: Output) -> str:
        status = output.status
        message = {
            "type": "stats",
            "time_s": round(output.time_s, 3),
            "fps": round(status.fps, 2),
            "invoke_ms": round(status.invoke_ms, 3),
            "latency_ms": round(status.latency_ms, 3),
            "dropped": status.dropped,
            "delegate": status.delegate,
            "clients": len(self.clients),
            "temperature_c": await asyncio.to_thread(telemetry.temperature),
        }
        return json.dumps(message)


def error_text(error: EdgeError) -> str:
    """Return an error as a message of type "error"."""
    return json.dumps({"type": "error", "code": error.code, "message": str(error)})
