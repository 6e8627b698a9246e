"""The web server: a page's routes, run by uvicorn in its own thread.

It and the modules of routes are the only ones that need the extra ``web``.
"""

import asyncio
import os
import secrets
import socket
import threading
import traceback
from collections.abc import Callable, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import h11
import uvicorn
import websockets  # noqa: F401 (uvicorn speaks WebSocket through it alone)
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
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
from edge.sinks.web.session import MAX_MESSAGE_BYTES

STATIC = Path(__file__).parent / "static"
"""Files of the stream's page, some of which other pages use, too."""

_ENCODER_THREADS = 2

_END_TIMEOUT_S = 1.0
"""Seconds for clients to take the message that the page ends."""


class ServedPage(Protocol):
    """What a server serves. Used in the server's event loop."""

    @property
    def clients(self) -> Sized:
        """The clients that have the page open."""
        ...

    @property
    def streams(self) -> frozenset[str]:
        """Paths of answers that never end, whose clients are viewers."""
        ...

    def routes(self, connections: Connections) -> Sequence[BaseRoute]:
        """Return the routes of the page."""
        ...

    async def run(self) -> None:
        """Do what the page does by itself, until cancelled."""

    def end(self) -> None:
        """Notify all clients that the page goes away."""


class WebServer:
    """Serves the page until :meth:`stop`.

    Args:
        listening: A listening socket.
        page: What it serves.
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
        page: ServedPage,
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
        self._page, self._listening = page, listening
        self._connections = Connections(listening, self._make_protocol, limits, say)
        routes: App = Starlette(
            routes=page.routes(self._connections),
            exception_handlers={HTTPException: _plain_text_error},
        )
        app = _serving(routes, self._connections, limits, page.streams)
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
        """Notify the clients of the end, and stop."""
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
        work = (self._page.run(), self._connections.accept(), self._connections.sweep())
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
        self._page.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_TIMEOUT_S):
                while self._page.clients:
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


def _serving(
    app: App, connections: Connections, limits: ConnectionLimits, streams: frozenset[str]
) -> App:
    """Wrap ``app`` to tell viewers from guests, and to disconnect clients that take no data."""

    async def serving(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(limits.send_timeout_s):
                await send(message)

        client, is_http = scope["client"], scope["type"] == "http"
        with connections.serving(client, viewer=not is_http or scope["path"] in streams):
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


class PageFiles(StaticFiles):
    """Files of the page, revalidated each time: another version may be installed."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file; a name that no file can have finds none."""
        return ("", None) if "\0" in path else super().lookup_path(path)

    def file_response(self, *args: Any, **options: Any) -> Response:
        """Answer with a file."""
        response = super().file_response(*args, **options)
        response.headers["cache-control"] = "no-cache"
        return response


async def _plain_text_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(f"{error.detail}\n", error.status_code, headers=error.headers)
