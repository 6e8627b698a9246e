"""The WebSocket of a visitor: its commands, and the view and images as fast as it takes them."""

import asyncio
import itertools
import json
import time
from collections.abc import Mapping
from typing import Any

from edge.errors import EdgeError
from edge.sinks.web.access import Message, Receive, Scope, Send
from edge.sinks.web.hub import error_text
from edge.sinks.web.page_camera import PageCamera
from edge.sinks.web.quality import AdaptiveQuality
from edge.sinks.web.session import MAX_CLIENTS, NORMAL, TRY_AGAIN_LATER
from edge.sources.browser import BrowserCamera
from edge.teaching.page.hub import TeachingHub
from edge.teaching.page.inbox import Inbox
from edge.teaching.page.messages import parse_command
from edge.teaching.page.view import TeachingView

_MIN_IMAGE_INTERVAL_S, _MIN_VIEW_INTERVAL_S = 1 / 36, 1 / 10
"""Minimum seconds between images, and between views."""

VERSION = 1
"""Of the messages: a page of another version reloads itself."""


class VisitorEndpoint:
    """The WebSocket of the page, as an ASGI application."""

    def __init__(
        self, hub: TeachingHub, inbox: Inbox, camera: BrowserCamera | None, send_timeout_s: float
    ) -> None:
        self.hub, self.inbox, self.camera = hub, inbox, PageCamera(camera)
        self.send_timeout_s = send_timeout_s
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a visitor until it leaves or the page ends."""
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        if len(self.hub.clients) >= MAX_CLIENTS:
            reason = f"too many visitors (at most {MAX_CLIENTS}): close another page"
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": reason})
            return
        visitor = Visitor(self, next(self._numbers), receive, send)
        try:
            with self.hub.serving(visitor):
                await visitor.run()
        except* OSError:  # gone, or stuck for too long
            pass
        finally:
            self.camera.release(visitor)
            self.inbox.submit(lambda session: session.stop_recording(visitor.number))


class Visitor:
    """The connection of a visitor, by its number. Used only in the event loop."""

    def __init__(self, endpoint: VisitorEndpoint, number: int, receive: Receive, send: Send):
        self.number = number
        self._endpoint, self._receive, self._raw_send = endpoint, receive, send
        self._acknowledged = asyncio.Event()
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Serve the visitor.

        Raises:
            ExceptionGroup: Of OSError, when it has left, is stuck, or was notified of the end.
        """
        await self._send_json({"type": "hello", "version": VERSION})
        async with asyncio.TaskGroup() as group:
            for loop in (self._receive_messages(), self._send_views(), self._send_frames()):
                group.create_task(loop)

    async def _receive_messages(self) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            try:
                if message.get("bytes") is not None:
                    await self._take_image(message["bytes"])
                else:
                    await self._obey(message.get("text") or "")
            except EdgeError as error:
                await self._send_text(error_text(error))
        raise ConnectionError

    async def _obey(self, text: str) -> None:
        command = parse_command(text, self.number)
        if command is None:
            self._acknowledged.set()
        else:
            await asyncio.wrap_future(self._endpoint.inbox.submit(command))

    async def _send_views(self) -> None:
        """Send the view with each change, of the cards only those that changed."""
        shown: dict[str, Mapping[str, Any]] = {}
        async for view in self._endpoint.hub.views():
            await self._send_json(_state(view, shown))
            shown = {card["label"]: card for card in view.cards}
            await asyncio.sleep(_MIN_VIEW_INTERVAL_S)
        await self._send_json({"type": "end", "message": "Teaching has ended"})
        await self._send({"type": "websocket.close", "code": NORMAL, "reason": "ended"})
        raise ConnectionError

    async def _send_frames(self) -> None:
        quality = AdaptiveQuality()
        async for frame in self._endpoint.hub.frames():
            jpeg = await frame.image.jpeg(quality.level)
            self._acknowledged.clear()
            sent = time.perf_counter()
            await self._send_json(frame.message())
            await self._send({"type": "websocket.send", "bytes": jpeg})
            await self._acknowledged.wait()
            now = time.perf_counter()
            quality.acknowledged(sent, now)
            await asyncio.sleep(max(0.0, sent + _MIN_IMAGE_INTERVAL_S - now))

    async def _send_json(self, message: Mapping[str, Any]) -> None:
        await self._send_text(json.dumps(message))

    async def _send_text(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def _send(self, message: Message) -> None:
        async with asyncio.timeout(self._endpoint.send_timeout_s), self._sending:
            await self._raw_send(message)

    async def _take_image(self, jpeg: bytes) -> None:
        camera = self._endpoint.camera.claim(self)
        try:
            await asyncio.to_thread(camera.put, jpeg)
        finally:
            await self._send_json({"type": "camera-ack"})


def _state(view: TeachingView, shown: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the message of type "state": the order of the cards, and those not ``shown`` yet."""
    return {
        "type": "state",
        **view.rest,
        "order": [card["label"] for card in view.cards],
        "cards": [card for card in view.cards if shown.get(card["label"]) != card],
    }
