"""The web server: Starlette's routes, run by uvicorn in a thread of its own.

The one file that needs the extra ``web``.
"""

import asyncio
import secrets
import socket
import threading
import traceback
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
import websockets  # noqa: F401 (uvicorn speaks WebSocket through it alone)
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from edge.sinks.web import address as places
from edge.sinks.web.access import (
    AccessMiddleware,
    App,
    Message,
    Receive,
    Scope,
    Send,
    loopback_hosts,
)
from edge.sinks.web.adaptive_quality import BEST
from edge.sinks.web.hub import Hub, Snapshot
from edge.sinks.web.recording import NAME
from edge.sinks.web.session import LARGEST, MOST, WebSocketEndpoint

STATIC = Path(__file__).parent / "static"

_ENCODERS = 2
_CONNECTIONS = 64
_WATCHERS = 2 * MOST
_PATIENCE = 20.0
"""Seconds that an image may be stuck before who asked for it counts as gone."""

_FIRST = 10.0
"""Seconds to wait for an image, where none has been drawn yet."""

_ENDING = 1.0
"""Seconds for visitors to hear that the stream has ended."""


class WebServer:
    """Serves the page until :meth:`stop`.

    Args:
        listening: a socket that listens already.
        hub: what the page shows.

    Attributes:
        address: of the page, as ``http://HOST:PORT``.
        query: the token that others than this machine need, as "?token=…"; else "".
        url: both together.
        tunnel: what ssh forwards from another machine, for ``ssh -L``.
        loopback: whether only this machine itself can connect.
    """

    def __init__(self, listening: socket.socket, hub: Hub) -> None:
        bound, port = listening.getsockname()[:2]
        self.port, self.loopback = port, places.is_loopback(bound)
        self.address = places.shown(bound, port)
        self.tunnel = f"{port}:{places.reached(bound)}:{port}"
        token = None if self.loopback else secrets.token_urlsafe(24)
        self.query = f"?token={token}" if token else ""
        self.url = f"{self.address}/{self.query}"
        hosts = loopback_hosts(bound) if self.loopback else None
        self._hub, self._listening = hub, listening
        app = _reporting(AccessMiddleware(_app(hub), hosts, token, f"edge_{port}"))
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, log_level="critical", access_log=False,
            proxy_headers=False, server_header=False, ws_max_size=LARGEST,
            ws_per_message_deflate=False, limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._work, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell the visitors that it is over, and end."""
        with suppress(RuntimeError, TimeoutError):
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(2 * _ENDING)
        self._server.should_exit = True
        self._thread.join(5 * _ENDING)

    def _work(self) -> None:
        with self._runner as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop.set_default_executor(ThreadPoolExecutor(_ENCODERS, "web encode"))
        collecting = asyncio.create_task(self._hub.run())
        await self._server.serve([self._listening])
        collecting.cancel()

    async def _end(self) -> None:
        self._hub.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(_ENDING):
                while self._hub.visitors:
                    await asyncio.sleep(0.02)


def _reporting(app: App) -> App:
    """``app``, whose failures are printed: uvicorn is silent, as it also reports what is none."""

    async def reporting(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except OSError:  # the visitor is gone
            pass
        except Exception:
            traceback.print_exc()
            raise

    return reporting


def _app(hub: Hub) -> Starlette:
    """The routes of the page."""

    async def page(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def state(_: Request) -> Response:
        return JSONResponse(hub.hello())

    async def stream(_: Request) -> Response:
        if hub.watchers >= _WATCHERS:
            raise HTTPException(503, "too many viewers: close another page")
        return _Mjpeg(hub)

    async def snapshot(request: Request) -> Response:
        found = await _asked(hub, request.query_params.get("frame"))
        name = f"{hub.control.task.name}-{found.index:06d}.jpg"
        headers = {"content-disposition": f'inline; filename="{name}"'}
        return Response(found.jpeg, media_type="image/jpeg", headers=headers)

    async def recording(request: Request) -> Response:
        name = request.path_params["name"]
        path = hub.recorder.folder / name
        if not NAME.fullmatch(name) or not path.is_file():
            raise HTTPException(404, f"no recording '{name}'")
        return FileResponse(path, media_type="video/x-matroska", filename=name)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/state", state),
            Route("/stream.mjpg", stream),
            Route("/snapshot.jpg", snapshot),
            Route("/recordings/{name}", recording),
            WebSocketRoute("/ws", WebSocketEndpoint(hub)),
            Mount("/static", _Static(directory=STATIC)),
        ],
        exception_handlers={HTTPException: _line},
    )


class _Static(StaticFiles):
    """Files of the page, asked for anew each time: the next version may be another."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers["cache-control"] = "no-cache"
        return response


async def _line(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(f"{error.detail}\n", error.status_code, headers=error.headers)


async def _asked(hub: Hub, frame: str | None) -> Snapshot:
    """The image of a frame that was kept; else the newest."""
    for kept in hub.snapshots:
        if str(kept.index) == frame:
            return kept
    with hub.watching(), suppress(TimeoutError):
        async with asyncio.timeout(_FIRST):
            async for shown in hub.outputs():
                return await shown.snapshot()
    raise HTTPException(503, "no image yet: the stream is paused or waiting for its source")


_BOUNDARY = "frame"


class _Mjpeg(StreamingResponse):
    """A stream whose reader is given up where it takes nothing for too long."""

    def __init__(self, hub: Hub) -> None:
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        super().__init__(_parts(hub), media_type=kind)
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def timely(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE):
                await send(message)

        with self._hub.watching(), suppress(OSError, ClientDisconnect):
            await super().__call__(scope, receive, timely)


async def _parts(hub: Hub) -> AsyncIterator[bytes]:
    async for shown in hub.outputs():
        jpeg = await shown.jpeg(BEST)
        head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
        yield head.encode() + b"\r\n" + jpeg + b"\r\n"
