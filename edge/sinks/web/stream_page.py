"""The stream's page: its routes, with live images as MJPEG and WebSocket, and snapshots."""

import asyncio
from collections.abc import AsyncIterator, Sequence, Sized
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from edge.sinks.web.access import Receive, Scope, Send
from edge.sinks.web.connections import ConnectionLimits, Connections
from edge.sinks.web.hub import Hub, Snapshot
from edge.sinks.web.quality import BEST
from edge.sinks.web.recording import NAME
from edge.sinks.web.server import STATIC, PageFiles
from edge.sinks.web.session import MAX_CLIENTS, WebSocketEndpoint

_MAX_VIEWERS = 2 * MAX_CLIENTS
_STREAM = "/stream.mjpg"

_FIRST_IMAGE_TIMEOUT_S = 10.0
"""Seconds to wait for an image, where none has been drawn yet."""


class StreamPage:
    """Serves what a hub passes on; a :class:`edge.sinks.web.server.ServedPage`."""

    streams = frozenset({_STREAM})

    def __init__(self, hub: Hub, limits: ConnectionLimits) -> None:
        self._hub, self._limits = hub, limits
        self.run, self.end = hub.run, hub.end

    @property
    def clients(self) -> Sized:
        """The clients that have the page open."""
        return self._hub.clients

    def routes(self, connections: Connections) -> Sequence[BaseRoute]:
        """Return the routes of the page."""
        return _routes(self._hub, connections, self._limits)


def _routes(hub: Hub, connections: Connections, limits: ConnectionLimits) -> list[BaseRoute]:
    async def page(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def state(_: Request) -> Response:
        return JSONResponse(hub.hello())

    async def stream(_: Request) -> Response:
        if connections.viewers > _MAX_VIEWERS:
            raise HTTPException(503, "too many viewers: close another page")
        return _MjpegResponse(hub)

    async def snapshot(request: Request) -> Response:
        image = await _find_snapshot(hub, request.query_params.get("frame"))
        name = f"{hub.control.task.name}-{image.index:06d}.jpg"
        headers = {"content-disposition": f'inline; filename="{name}"'}
        return Response(image.jpeg, media_type="image/jpeg", headers=headers)

    async def recording(request: Request) -> Response:
        name = request.path_params["name"]
        path = hub.recorder.folder / name
        if not NAME.fullmatch(name) or not path.is_file():
            raise HTTPException(404, f"no recording '{name}'")
        return FileResponse(path, media_type="video/x-matroska", filename=name)

    return [
        Route("/", page),
        Route("/api/state", state),
        Route(_STREAM, stream),
        Route("/snapshot.jpg", snapshot),
        Route("/recordings/{name}", recording),
        WebSocketRoute("/ws", WebSocketEndpoint(hub, limits.send_timeout_s)),
        Mount("/static", PageFiles(directory=STATIC)),
    ]


async def _find_snapshot(hub: Hub, frame: str | None) -> Snapshot:
    """Return the snapshot of a frame, else of the newest one."""
    for snapshot in hub.snapshots:
        if str(snapshot.index) == frame:
            return snapshot
    with hub.watching(), suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_IMAGE_TIMEOUT_S):
            async for encoded in hub.outputs():
                return await encoded.snapshot()
    raise HTTPException(503, "no image yet: the stream is paused or waiting for its source")


_BOUNDARY = "frame"


class _MjpegResponse(StreamingResponse):
    """An MJPEG stream, drawn while somebody watches it."""

    def __init__(self, hub: Hub) -> None:
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        super().__init__(_mjpeg_parts(hub), media_type=kind)
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._hub.watching(), suppress(ClientDisconnect):
            await super().__call__(scope, receive, send)


async def _mjpeg_parts(hub: Hub) -> AsyncIterator[bytes]:
    async for encoded in hub.outputs():
        jpeg = await encoded.jpeg(BEST)
        head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
        yield head.encode() + b"\r\n" + jpeg + b"\r\n"
