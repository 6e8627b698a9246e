"""The WebSocket of a client: its requests, and images and results as fast as it takes them."""

import asyncio
import json
import time
from collections import deque

from edge.errors import EdgeError
from edge.sinks.web.access import Message, Receive, Scope, Send
from edge.sinks.web.hub import Hub, error_text
from edge.sinks.web.page_camera import PageCamera
from edge.sinks.web.quality import BEST, AdaptiveQuality
from edge.sinks.web.requests import change_settings, parse_flag, parse_message

MAX_CLIENTS = 8
"""Clients at a time."""

MAX_MESSAGE_BYTES = 2_000_000
"""Size of a message from a client."""

_MIN_IMAGE_INTERVAL_S, _MIN_RESULT_INTERVAL_S = 1 / 36, 1 / 15
"""Minimum seconds between images, and between results."""

_MAX_QUEUED = 512
"""Messages that may wait for a slow client; older ones are dropped."""

_BUSY = 8
"""Queued messages from which on no more results are added."""

TRY_AGAIN_LATER, NORMAL = 1013, 1000  # RFC 6455, and its registry of close codes


class WebSocketEndpoint:
    """The WebSocket of the page, as an ASGI application."""

    def __init__(self, hub: Hub, send_timeout_s: float) -> None:
        self._hub, self.send_timeout_s = hub, send_timeout_s
        self.camera = PageCamera(hub.camera)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a client until it leaves or the stream ends."""
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        if len(self._hub.clients) >= MAX_CLIENTS:
            reason = f"too many viewers (at most {MAX_CLIENTS}): close another page"
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": reason})
            return
        session = ClientSession(self._hub, self, receive, send)
        self._hub.clients.add(session)
        try:
            with self._hub.watching():
                await session.run()
        except* OSError:  # gone, or stuck for too long
            pass
        finally:
            self._hub.clients.discard(session)
            self.camera.release(session)


class ClientSession:
    """The connection of a client. Used only in the event loop."""

    def __init__(self, hub: Hub, endpoint: WebSocketEndpoint, receive: Receive, send: Send) -> None:
        self._hub, self._endpoint, self._receive, self._raw_send = hub, endpoint, receive, send
        self._texts: deque[str] = deque(maxlen=_MAX_QUEUED)
        self._queued = asyncio.Event()
        self._acknowledged = asyncio.Event()

    def send_text(self, text: str) -> None:
        """Queue a message; the order is kept."""
        self._texts.append(text)
        self._queued.set()

    async def run(self) -> None:
        """Serve the client.

        Raises:
            ExceptionGroup: Of OSError, when it has left, is stuck, or was notified of the end.
        """
        self.send_text(json.dumps(self._hub.hello()))
        self.send_text(self._hub.events_text())
        for stats in self._hub.history:
            self.send_text(stats)
        async with asyncio.TaskGroup() as group:
            for loop in (
                self._receive_messages(),
                self._send_messages(),
                self._send_images(),
                self._send_results(),
            ):
                group.create_task(loop)

    async def _receive_messages(self) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            try:
                await self._handle(message)
            except EdgeError as error:
                self.send_text(error_text(error))
        raise ConnectionError

    async def _send_messages(self) -> None:
        while not (self._hub.ended.is_set() and not self._texts):
            await self._queued.wait()
            self._queued.clear()
            while self._texts:
                await self._send({"type": "websocket.send", "text": self._texts.popleft()})
        await self._send({"type": "websocket.close", "code": NORMAL, "reason": "ended"})
        raise ConnectionError

    async def _send_images(self) -> None:
        quality = AdaptiveQuality()
        async for encoded in self._hub.outputs():
            # A still image has no next one that could be better.
            jpeg = await encoded.jpeg(BEST if self._hub.still else quality.level)
            self._acknowledged.clear()
            sent = time.perf_counter()
            await self._send({"type": "websocket.send", "bytes": jpeg})
            await self._acknowledged.wait()
            now = time.perf_counter()
            quality.acknowledged(sent, now)
            await asyncio.sleep(max(0.0, sent + _MIN_IMAGE_INTERVAL_S - now))

    async def _send_results(self) -> None:
        async for encoded in self._hub.outputs():
            # The hub sends results with events itself, each of them.
            has_events = getattr(encoded.output.result, "events", None)
            if not has_events and len(self._texts) < _BUSY:
                self.send_text(encoded.text())
            await asyncio.sleep(_MIN_RESULT_INTERVAL_S)

    async def _send(self, message: Message) -> None:
        async with asyncio.timeout(self._endpoint.send_timeout_s):
            await self._raw_send(message)

    async def _handle(self, message: Message) -> None:
        if message.get("bytes") is not None:
            await self._take_image(message["bytes"])
            return
        request = parse_message(message.get("text") or "")
        kind, control = request.get("type"), self._hub.control
        if kind == "ack":
            self._acknowledged.set()
        elif kind == "snapshot":
            index = (await self._hub.take_snapshot()).index
            self.send_text(json.dumps({"type": "snapshot", "url": f"/snapshot.jpg?frame={index}"}))
        elif kind == "record":
            await self._hub.record(parse_flag(request.get("on")))
        elif kind in ("pause", "resume"):
            control.pause() if kind == "pause" else control.resume()
            self._hub.broadcast_state()
        else:
            await asyncio.to_thread(control.adjust, lambda old: change_settings(old, request))
            self._hub.broadcast_state()

    async def _take_image(self, jpeg: bytes) -> None:
        camera = self._endpoint.camera.claim(self)
        try:
            await asyncio.to_thread(camera.put, jpeg)
        finally:
            self.send_text(json.dumps({"type": "camera-ack"}))
