"""A sink that is a function of yours: to switch a light, to count, to ring."""

from collections.abc import Callable

from edge.frame import Output

_BACKLOG = 8


def callback_sink(act: Callable[[Output], None]) -> "CallbackSink":
    """A sink that calls ``act`` with what became of each frame, in a thread of its own.

    While it is busy a few frames wait; beyond that those of a live source are dropped, so that it
    does not slow the stream. What it raises ends the stream.

    >>> edge.run(task, "0", [edge.callback_sink(lambda output: print(output.result))])  # doctest: +SKIP
    """
    return CallbackSink(act)


class CallbackSink:
    wants_images, queue_size = False, _BACKLOG

    def __init__(self, act: Callable[[Output], None]) -> None:
        self.name = getattr(act, "__name__", "function")
        self.write = act

    def close(self) -> None:
        """Nothing is kept open."""
