"""Callback sink: calls a function of the user with each output."""

from collections.abc import Callable

from edge.frame import Output

_QUEUE_SIZE = 8


def callback_sink(function: Callable[[Output], None]) -> "CallbackSink":
    """Make a sink that calls ``function`` with each output, in its own thread.

    While the function is busy a few outputs wait; beyond that those of a live source are dropped,
    so that it does not slow the stream. An exception that it raises ends the stream.

    >>> import edge
    >>> sink = edge.callback_sink(lambda output: print(output.result.best.label))
    >>> edge.run(edge.Classifier.open("model.tflite"), "red.png", [sink]).frames
    red
    1
    """
    return CallbackSink(function)


class CallbackSink:
    """A sink that is a function; see :func:`callback_sink`."""

    wants_images, queue_size = False, _QUEUE_SIZE

    def __init__(self, function: Callable[[Output], None]) -> None:
        self.name = getattr(function, "__name__", "function")
        self.write = function

    def close(self) -> None:
        """Do nothing: no resource is held."""
