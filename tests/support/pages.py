"""A stream with the page of the sink ``web``, and a client of it without a browser."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from streams import MeanTask

from edge.sinks.web import WebSink, open_web
from edge.sinks.web.connections import DEFAULT_LIMITS, ConnectionLimits
from edge.sources import open_source
from edge.sources.browser import BrowserSource
from edge.sources.source import SourceOptions
from edge.streaming import stream
from edge.streaming.control import StreamControl
from edge.streaming.sink import StreamContext
from edge.streaming.statistics import StreamStats
from edge.tasks.task import Task

STREAM = "synthetic:160x120@30"


@dataclass
class Page:
    """A running stream; ``token`` is "" where none is needed."""

    sink: WebSink
    control: StreamControl
    stop: threading.Event
    notes: list[str]
    done: list[StreamStats] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.sink.url.partition("?")[0].rstrip("/")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def token(self) -> str:
        return self.sink.url.partition("token=")[2]


@contextmanager
def page(
    folder: Path,
    source: str = STREAM,
    host: str = "127.0.0.1",
    task: Task | None = None,
    wrapped: Callable[[WebSink], Any] = lambda sink: sink,
    limits: ConnectionLimits = DEFAULT_LIMITS,
    loop: bool = False,
) -> Iterator[Page]:
    """A page in a stream of its own, ended with the block; recordings go into ``folder``.

    ``wrapped``: wraps its sink; ``loop``: the source is a file that starts again at its end.
    """
    opened = open_source(source, SourceOptions(realtime=True, loop=loop))
    control, stop, notes = StreamControl(task or MeanTask()), threading.Event(), []
    camera = opened.camera if isinstance(opened, BrowserSource) else None
    context = StreamContext(
        opened.fps, opened.live, stop.set, notes.append, control, opened.name, camera
    )
    sink = wrapped(open_web(f"{host}:0?recordings={folder}", context, limits))
    running = Page(sink, control, stop, notes)

    def work() -> None:
        running.done.append(
            stream.run(
                lambda: opened, control.task, [sink], stop=stop, say=notes.append, control=control
            )
        )

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield running
    finally:
        stop.set()
        thread.join(15)
    assert not thread.is_alive()


class Client:
    """A WebSocket of the page that acknowledges images, as the page does."""

    def __init__(self, page: Page, **options: Any) -> None:
        # Only where the extra web is installed.
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        address = page.url.replace("http", "ws") + "/ws"
        headers = {"Cookie": f"edge_{page.port}={page.token}"} if page.token else {}
        self._connection = connect(
            address,
            additional_headers=headers,
            max_size=None,
            open_timeout=10,
            close_timeout=0.2,
            **options,
        )
        self._closed = ConnectionClosed
        self.socket = self._connection.__enter__()
        self.jpegs: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__(None, None, None)

    def send(self, kind: str, **rest: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **rest}))

    def next(self) -> dict[str, Any]:
        """The next message; {"type": "image"} for an image, which is acknowledged."""
        message = self.socket.recv(timeout=10)
        if isinstance(message, bytes):
            self.jpegs.append(message)
            with contextlib.suppress(self._closed):  # what came before the end is still to be read
                self.send("ack")
            return {"type": "image"}
        content: dict[str, Any] = json.loads(message)
        return content

    def until(self, kind: str, fits: Callable[[dict[str, Any]], bool] = lambda _: True) -> Any:
        """The next message of a kind that fits; others are passed over."""
        while True:
            message = self.next()
            if message["type"] == kind and fits(message):
                return message

    def ask(self, kind: str, **rest: Any) -> dict[str, Any]:
        """Send a message, and return the state or error that comes of it."""
        self.send(kind, **rest)
        while True:
            message = self.next()
            if message["type"] in ("state", "error", "snapshot"):
                return message
