"""The web server: Starlette's routes, run by uvicorn in its own thread.

The only module that needs the extra ``web``.
"""

import asyncio
import os
import secrets
import socket
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import h11
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

from edge.sinks.web import address as addresses
from edge.sinks.web.access import (
    AccessMiddleware,
    App,
    Message,
    Receive,
    Scope,
    Send,
    loopback_hosts,
)
from edge.sinks.web.connections import DEFAULT_LIMITS, ConnectionLimits, Connections, RateLimit
from edge.sinks.web.hub import BEST, Hub, Snapshot
from edge.sinks.web.recording import NAME
from edge.sinks.web.session import (
    MAX_CLIENTS,
    MAX_MESSAGE_BYTES,
    WebSocketEndpoint,
)

STATIC = Path(__file__).parent / "static"

_ENCODER_THREADS = 2
_MAX_VIEWERS = 2 * MAX_CLIENTS
_STREAM = "/stream.mjpg"

_FIRST_IMAGE_TIMEOUT_S = 10.0
"""Seconds to wait for an image, where none has been drawn yet."""

_END_TIMEOUT_S = 1.0
"""Seconds for clients to take the message that the stream has ended."""


class WebServer:
    """Serves the page until :meth:`stop`.

    Args:
        listening: A listening socket.
        hub: Passes outputs to the clients.
        limits: Of connections.
        say: Shows the user a sentence.

    Attributes:
        address: Of the page, as ``http://HOST:PORT``.
        query: The token as "?token=…" where other machines can connect; else "".
        url: ``address`` with ``query``.
        tunnel: Argument of ``ssh -L`` on another machine.
        loopback: True where only this machine can connect.
    """

    def __init__(
        self,
        listening: socket.socket,
        hub: Hub,
        limits: ConnectionLimits = DEFAULT_LIMITS,
        say: Callable[[str], None] = print,
    ) -> None:
        bound, port = listening.getsockname()[:2]
        self.port, self.loopback = port, addresses.is_loopback(bound)
        self.address = addresses.page_url(bound, port)
        self.tunnel = f"{port}:{addresses.local_host(bound)}:{port}"
        token = None if self.loopback else secrets.token_urlsafe(24)
        self.query = f"?token={token}" if token else ""
        self.url = f"{self.address}/{self.query}"
        hosts = loopback_hosts(bound) if self.loopback else None
        self._hub, self._listening = hub, listening
        self._connections = Connections(listening, self._make_protocol, limits, say)
        app = _serving(_app(hub, self._connections, limits), self._connections, limits)
        app = _reporting(AccessMiddleware(app, hosts, token, f"edge_{port}"))
        config = uvicorn.Config(
            app, http="h11", lifespan="off", log_config=None, log_level="critical",
            access_log=False, proxy_headers=False, server_header=False,
            ws_max_size=MAX_MESSAGE_BYTES, ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        config.load()
        self._server = uvicorn.Server(config)
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._work, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Notify the clients that the stream has ended, and stop."""
        with suppress(RuntimeError, TimeoutError):
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(2 * _END_TIMEOUT_S)
        self._server.should_exit = True
        self._thread.join(5 * _END_TIMEOUT_S)

    def _work(self) -> None:
        with self._runner as runner:
            runner.run(self._serve())

    def _make_protocol(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self._server.config.http_protocol_class
        return make(config=self._server.config, server_state=self._server.server_state,
                    app_state={})  # fmt: skip

    async def _serve(self) -> None:
        self._loop.set_default_executor(ThreadPoolExecutor(_ENCODER_THREADS, "web encode"))
        self._loop.set_exception_handler(_LimitedReport())
        work = (self._hub.run(), self._connections.accept(), self._connections.sweep())
        self._tasks = [asyncio.create_task(routine) for routine in work]
        await self._server.serve([])  # we accept ourselves
        await self._stop_accepting()

    async def _stop_accepting(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._listening.close()

    async def _end(self) -> None:
        await self._stop_accepting()
        self._hub.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_TIMEOUT_S):
                while self._hub.clients:
                    await asyncio.sleep(0.02)


def _reporting(app: App) -> App:
    """Wrap ``app`` to print its exceptions; uvicorn's log is off: it has harmless ones, too."""
    limit = RateLimit()

    async def reporting(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except (OSError, h11.LocalProtocolError):  # the client has left, or sent nonsense
            pass
        except Exception:
            if limit.count():
                traceback.print_exc()
            raise

    return reporting


def _serving(app: App, connections: Connections, limits: ConnectionLimits) -> App:
    """Wrap ``app`` to tell viewers from guests, and to disconnect clients that take no data."""

    async def serving(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(limits.send_timeout_s):
                await send(message)

        client, is_http = scope["client"], scope["type"] == "http"
        with connections.serving(client, viewer=not is_http or scope["path"] == _STREAM):
            try:
                await app(scope, receive, send_in_time if is_http else send)
            except TimeoutError:
                connections.abort(client)

    return serving


class _LimitedReport:
    """Prints the exceptions of the event loop, at most one a minute."""

    def __init__(self) -> None:
        self._limit = RateLimit()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if self._limit.count():
            loop.default_exception_handler(context)


def _app(hub: Hub, connections: Connections, limits: ConnectionLimits) -> Starlette:
    """Make the application with the routes of the page."""

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

    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/state", state),
            Route(_STREAM, stream),
            Route("/snapshot.jpg", snapshot),
            Route("/recordings/{name}", recording),
            WebSocketRoute("/ws", WebSocketEndpoint(hub, limits.send_timeout_s)),
            Mount("/static", _Static(directory=STATIC)),
        ],
        exception_handlers={HTTPException: _plain_text_error},
    )


class _Static(StaticFiles):
    """Files of the page, revalidated each time: another version may be installed."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        return ("", None) if "\0" in path else super().lookup_path(path)

    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers["cache-control"] = "no-cache"
        return response


async def _plain_text_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(f"{error.detail}\n", error.status_code, headers=error.headers)


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
