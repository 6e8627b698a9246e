"""Hub: newest image with its answer, and the view, from the teaching thread to all visitors."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from edge.frame import Frame
from edge.results import Classification
from edge.sinks.web.quality import EncodedImage
from edge.teaching.page.view import TeachingView


@dataclass(frozen=True, slots=True, eq=False)
class LiveFrame:
    """A frame for visitors, with the classes that the model recognizes; None without a model."""

    image: EncodedImage
    answer: Classification | None
    fps: float

    def message(self) -> dict[str, Any]:
        """Return the message of type "answer"."""
        classes = self.answer.classes if self.answer is not None else ()
        scores = [[each.label, round(each.score, 4)] for each in classes]
        return {"type": "answer", "scores": scores, "fps": round(self.fps, 1)}


class TeachingHub:
    """Passes values from the teaching thread to visitors in the event loop.

    Attributes:
        clients: Those that have the page open.
        ended: Set when the page goes away.
    """

    def __init__(self) -> None:
        self.clients: set[object] = set()
        self.ended = asyncio.Event()
        self._view: TeachingView | None = None
        self._frame: LiveFrame | None = None
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def view(self) -> TeachingView | None:
        """The newest view."""
        return self._view

    def publish(self, frame: Frame, answer: Classification | None, fps: float) -> None:
        """Show a frame to those who watch. Called from the teaching thread."""
        if self.clients:
            self._call(self._set_frame, frame, answer, fps)

    def show(self, view: TeachingView) -> None:
        """Show a view to all. Called from the teaching thread."""
        self._call(self._set_view, view)

    async def run(self) -> None:
        """Know the event loop that the visitors are served in."""
        self._loop = asyncio.get_running_loop()

    def end(self) -> None:
        """Notify all visitors that the page goes away."""
        self.ended.set()
        self._wake()

    @contextmanager
    def serving(self, client: object) -> Iterator[None]:
        """Count a visitor while the block runs."""
        self.clients.add(client)
        try:
            yield
        finally:
            self.clients.discard(client)
            if not self.clients:
                self._frame = None  # the next visitor must not see an old one

    async def frames(self) -> AsyncIterator[LiveFrame]:
        """Yield the newest frame, each once, until the page ends."""
        last = None
        while not self.ended.is_set():
            if self._frame is None or self._frame is last:
                await self._changed.wait()
            else:
                last = self._frame
                yield last

    async def views(self) -> AsyncIterator[TeachingView]:
        """Yield the newest view, each once, until the page ends."""
        last = None
        while not self.ended.is_set():
            if self._view is None or self._view is last:
                await self._changed.wait()
            else:
                last = self._view
                yield last

    def _call(self, function: Any, *args: Any) -> None:
        if self._loop is None:
            if function == self._set_view:
                self._view = args[0]
            return
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function, *args)

    def _set_frame(self, frame: Frame, answer: Classification | None, fps: float) -> None:
        self._frame = LiveFrame(EncodedImage(frame.image), answer, fps)
        self._wake()

    def _set_view(self, view: TeachingView) -> None:
        self._view = view
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
