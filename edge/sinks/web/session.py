"""One visitor's WebSocket: what it wants, and what it gets as fast as it takes it."""

import asyncio
import json
import time
from collections import deque
from dataclasses import replace
from typing import Any

from edge.errors import EdgeError, OutputError, UsageError, did_you_mean
from edge.sinks.web.access import Message, Receive, Scope, Send
from edge.sinks.web.adaptive_quality import AdaptiveQuality
from edge.sinks.web.hub import Hub, error_text
from edge.tasks.settings import TaskSettings

MOST = 8
"""Visitors at a time."""

LARGEST = 2_000_000
"""Bytes of a message from a visitor."""

_PATIENCE = 20.0
"""Seconds that a message may be stuck before the visitor counts as gone."""

_IMAGES, _RESULTS = 1 / 36, 1 / 15
"""Least seconds between images, and between results."""

_WAITING = 512
"""Messages that may wait for a slow visitor; older ones are dropped."""

_BUSY = 8
"""Messages that wait while no more results are added to them."""

_WORDS = ("ack", "pause", "resume", "score", "classes", "record", "snapshot")

TRY_AGAIN_LATER, NORMAL = 1013, 1000  # RFC 6455, and its registry of close codes


class WebSocketEndpoint:
    """The WebSocket of the page, as an ASGI application."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._camera: ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        if len(self._hub.visitors) >= MOST:
            reason = f"too many viewers (at most {MOST}): close another page"
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": reason})
            return
        visit = ClientSession(self._hub, self, receive, send)
        self._hub.visitors.add(visit)
        try:
            with self._hub.watching():
                await visit.run()
        except* OSError:  # gone, or stuck for too long
            pass
        finally:
            self._hub.visitors.discard(visit)
            if self._camera is visit:
                self._camera = None

    def is_camera(self, visit: "ClientSession") -> bool:
        """Whether this visitor is the camera: the first that sends is, until it leaves."""
        if self._camera is None:
            self._camera = visit
        return self._camera is visit


class ClientSession:
    """One visitor; used in the event loop alone."""

    def __init__(self, hub: Hub, visits: WebSocketEndpoint, receive: Receive, send: Send) -> None:
        self._hub, self._visits, self._receive, self._raw = hub, visits, receive, send
        self._texts: deque[str] = deque(maxlen=_WAITING)
        self._some = asyncio.Event()
        self._acknowledged = asyncio.Event()

    def tell(self, text: str) -> None:
        self._texts.append(text)
        self._some.set()

    async def run(self) -> None:
        """Serve the visitor.

        Raises:
            ExceptionGroup: of OSError, when it has left, is stuck, or has heard of the end.
        """
        self.tell(json.dumps(self._hub.hello()))
        for stats in self._hub.history:
            self.tell(stats)
        async with asyncio.TaskGroup() as group:
            for work in (self._listen(), self._talk(), self._show(), self._say_results()):
                group.create_task(work)

    async def _listen(self) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            try:
                await self._heard(message)
            except EdgeError as error:
                self.tell(error_text(error))
        raise ConnectionError

    async def _talk(self) -> None:
        while not (self._hub.ended.is_set() and not self._texts):
            await self._some.wait()
            self._some.clear()
            while self._texts:
                await self._send({"type": "websocket.send", "text": self._texts.popleft()})
        await self._send({"type": "websocket.close", "code": NORMAL, "reason": "ended"})
        raise ConnectionError

    async def _show(self) -> None:
        pace = AdaptiveQuality()
        async for shown in self._hub.outputs():
            jpeg = await shown.jpeg(pace.level)
            self._acknowledged.clear()
            sent = time.perf_counter()
            await self._send({"type": "websocket.send", "bytes": jpeg})
            await self._acknowledged.wait()
            now = time.perf_counter()
            pace.acknowledged(sent, now)
            await asyncio.sleep(max(0.0, sent + _IMAGES - now))

    async def _say_results(self) -> None:
        async for shown in self._hub.outputs():
            told = getattr(shown.output.result, "events", None)  # each of those is told
            if not told and len(self._texts) < _BUSY:
                self.tell(shown.text())
            await asyncio.sleep(_RESULTS)

    async def _send(self, message: Message) -> None:
        async with asyncio.timeout(_PATIENCE):
            await self._raw(message)

    async def _heard(self, message: Message) -> None:
        if message.get("bytes") is not None:
            await self._imaged(message["bytes"])
            return
        said = _parsed(message.get("text") or "")
        kind, control = said.get("type"), self._hub.control
        if kind == "ack":
            self._acknowledged.set()
        elif kind == "snapshot":
            index = (await self._hub.keep()).index
            self.tell(json.dumps({"type": "snapshot", "url": f"/snapshot.jpg?frame={index}"}))
        elif kind == "record":
            await self._hub.record(_flag(said.get("on")))
        elif kind in ("pause", "resume"):
            control.pause() if kind == "pause" else control.resume()
            self._hub.tell_state()
        else:
            await asyncio.to_thread(control.adjust, lambda old: _changed(old, said))
            self._hub.tell_state()

    async def _imaged(self, jpeg: bytes) -> None:
        camera = self._hub.camera
        if camera is None:
            raise UsageError(
                "no images from a page's camera",
                "one",
                "use --source browser",
                code="browser-camera-not-used",
                summary="this stream does not use the browser's camera",
            )
        if not self._visits.is_camera(self):
            raise OutputError(
                "one camera",
                "a second one",
                "close the other page",
                code="browser-camera-in-use",
                summary="another page's camera is in use",
            )
        try:
            await asyncio.to_thread(camera.put, jpeg)
        finally:
            self.tell(json.dumps({"type": "camera-ack"}))


def _parsed(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("type"), str):
        raise UsageError(
            'a message such as {"type": "pause"}',
            text[:60],
            "reload the page",
            code="invalid-message",
        )
    if said["type"] not in _WORDS:
        fix = did_you_mean(said["type"], _WORDS, f"send one of {', '.join(_WORDS)}")
        raise UsageError("a known message", f"'{said['type'][:60]}'", fix, code="invalid-message")
    return said


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise UsageError(
            '"on": true or false',
            json.dumps(value)[:60],
            "reload the page",
            code="invalid-message",
        )
    return value


def _changed(old: TaskSettings, said: dict[str, Any]) -> TaskSettings:
    """The settings that a message "score" or "classes" asks for."""
    value = said.get("value")
    if said["type"] == "score":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(
                "a score from 0 to 1",
                json.dumps(value)[:60],
                "use a score such as 0.4",
                code="invalid-option-value",
            )
        return replace(old, score=float(value))
    if value is None:
        return replace(old, classes=None)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise UsageError(
            "a list of class names",
            json.dumps(value)[:60],
            "send a list of strings",
            code="invalid-message",
        )
    return replace(old, classes=tuple(value))
