"""The interface of a sink, and the information that it gets about its stream."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from edge.frame import Output
from edge.sources.browser import BrowserCamera
from edge.streaming.control import StreamControl


class Sink(Protocol):
    """Takes outputs in the order of their frames, in its own thread.

    Attributes:
        name: As the user wrote it.
        wants_images: It needs ``Output.image``; asked for each frame, since nothing is drawn that
            no sink wants.
        queue_size: How many outputs may wait for it. Beyond that a live stream drops and counts
            the oldest, so that a slow sink never slows it; for a file the stream waits. 0 keeps
            only the newest, live or not (a window).
    """

    @property
    def name(self) -> str:
        """Name of the sink, as the user wrote it."""
        ...

    @property
    def wants_images(self) -> bool:
        """True where it needs ``Output.image`` now."""
        ...

    @property
    def queue_size(self) -> int:
        """Number of outputs that may wait; 0 keeps only the newest."""
        ...

    def write(self, output: Output) -> None:
        """Take one output.

        Raises:
            OutputError: Nothing more can be written; the stream ends with this error.
        """

    def close(self) -> None:
        """Finish what was written, so that it is complete."""


@runtime_checkable
class LingeringSink(Protocol):
    """A sink that may show its last output after the stream has ended, and :meth:`Sink.close`."""

    def linger(self, stop: threading.Event) -> None:
        """Wait until ``stop`` is set, if there is something to show; then release everything."""


@dataclass(frozen=True, slots=True)
class StreamContext:
    """The stream that a sink belongs to.

    Attributes:
        fps: Frames per second that the source reports; None where it does not.
        live: The source is no file.
        stop: Ends the stream.
        say: Shows the user a sentence.
        control: Pauses the stream and changes its settings; None where nothing may.
        source: Name of the source, as the user wrote it.
        camera: Takes the images of a page's camera; None where the stream has another source.
        still: The source gives single images, each of which is looked at on its own.
    """

    fps: float | None
    live: bool
    stop: Callable[[], None]
    say: Callable[[str], None]
    control: StreamControl | None = None
    source: str = ""
    camera: BrowserCamera | None = None
    still: bool = False
