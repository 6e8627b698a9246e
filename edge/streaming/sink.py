"""What a sink is: something that takes what became of each frame."""

from typing import Protocol

from edge.frame import Output


class Sink(Protocol):
    """Takes outputs in the order of their frames, in a thread of its own.

    ``name`` is what the user called it. ``wants_images``: it wants ``Output.image``; asked for each
    frame, since nothing is drawn where nobody looks. ``queue_size``: how many outputs may wait for it.
    What exceeds it is dropped and counted, so that a slow sink never slows a live stream; for a
    file the stream waits, and nothing is dropped. With 0 only the newest counts, live or not (a
    window).
    """

    @property
    def name(self) -> str: ...

    @property
    def wants_images(self) -> bool: ...

    @property
    def queue_size(self) -> int: ...

    def write(self, output: Output) -> None:
        """Take one output.

        Raises:
            OutputError: nothing more can be written; the stream ends with this error.
        """

    def close(self) -> None:
        """Finish what was written, so that it is whole."""
