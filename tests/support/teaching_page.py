"""The page of ``edge teach`` in this process, with a camera that a test controls."""

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import color_photos

from edge.errors import SourceError
from edge.frame import Frame
from edge.sinks.web.address import parse_address
from edge.sources.source import SourceOptions
from edge.teaching.once import TeachResult
from edge.teaching.page import serving
from edge.teaching.teacher import Teacher

_PATIENCE_S = 20


class ColorCamera:
    """A live source of one color, 50 frames a second; ``unplugged``: it is gone."""

    name, live, fps = "camera", True, 50.0

    def __init__(self) -> None:
        self.color = "red"
        self.unplugged = False
        self._pause = threading.Event()

    def read(self) -> Frame:
        self._pause.wait(0.02)
        if self.unplugged:
            raise SourceError("frames", "no more frames", "plug it in", code="source-lost")
        return Frame(0, 0.0, color_photos.image(self.color, 7))

    def close(self) -> None: ...

    def open(self, *_: object) -> "ColorCamera":
        if self.unplugged:
            raise SourceError("a camera", "none", "plug it in", code="camera-open-failed")
        return self


@dataclass
class ServedTeaching:
    """A running page; ``url`` as it was printed."""

    url: str
    camera: ColorCamera
    stop: threading.Event
    thread: threading.Thread
    results: list[TeachResult | None] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.url.partition("?")[0].rstrip("/")

    def end(self) -> TeachResult | None:
        self.stop.set()
        self.thread.join(_PATIENCE_S)
        assert not self.thread.is_alive()
        return self.results[0]


@contextmanager
def serving_page(
    teacher: Teacher, monkeypatch: Any, host: str = "127.0.0.1"
) -> Iterator[ServedTeaching]:
    """A page that ends with the block."""
    camera, stop = ColorCamera(), threading.Event()
    monkeypatch.setattr(serving, "open_source", camera.open)
    notes: queue.Queue[str] = queue.Queue()

    def work() -> None:
        address = parse_address(f"{host}:0")
        done = serving.serve(teacher, "0", SourceOptions(), address, stop=stop, say=notes.put)
        page.results.append(done)

    thread = threading.Thread(target=work)
    page = ServedTeaching("", camera, stop, thread)
    thread.start()
    try:
        page.url = notes.get(timeout=_PATIENCE_S).split()[2]
        yield page
    finally:
        stop.set()
        thread.join(_PATIENCE_S)


class TeachingClient:
    """A visitor without a browser, who acknowledges images as the page does."""

    def __init__(self, page: ServedTeaching, **options: Any) -> None:
        # Only where the extra web is installed.
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        self._closed = ConnectionClosed
        address = page.address.replace("http", "ws") + "/ws"
        self._connection = connect(
            address, max_size=None, open_timeout=10, close_timeout=0.2, **options
        )
        self.socket = self._connection.__enter__()
        self.cards: dict[str, dict[str, Any]] = {}
        self.state: dict[str, Any] = {}
        self.answer: list[tuple[str, float]] = []
        self.errors: list[str] = []
        self.ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__(None, None, None)

    def send(self, kind: str, **rest: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **rest}))

    def next(self) -> dict[str, Any]:
        """The next message; of images only that they have come."""
        message = self.socket.recv(timeout=_PATIENCE_S)
        if isinstance(message, bytes):
            with contextlib.suppress(self._closed):  # what came before is still to be read
                self.send("ack")
            return {"type": "image"}
        content: dict[str, Any] = json.loads(message)
        if content["type"] == "state":
            known = self.cards | {card["label"]: card for card in content["cards"]}
            self.cards = {label: known[label] for label in content["order"]}
            self.state = content
        self.ended = content["type"] == "end"
        if content["type"] == "error":
            self.errors.append(content["code"])
        if content["type"] == "answer":
            self.answer = content["scores"]
        return content

    def until(self, so: Callable[["TeachingClient"], Any]) -> None:
        """Read messages until ``so`` is true of what they said."""
        while not so(self):
            self.next()

    def error(self, kind: str, **rest: Any) -> str:
        """Send a message, and return the code of the error that comes of it."""
        self.send(kind, **rest)
        while (message := self.next())["type"] != "error":
            pass
        return str(message["code"])
