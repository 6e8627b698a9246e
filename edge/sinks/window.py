"""A window on this machine's screen."""

from edge.frame import Output
from edge.preview_window import ESCAPE, PreviewWindow
from edge.streaming.sink import StreamContext


def open_window(address: str, context: StreamContext) -> "WindowSink":
    """A window that shows the newest image; ``q``, Esc or closing it ends the stream.

    Raises:
        OutputError: there is no screen, or an OpenCV without windows.
    """
    return WindowSink(PreviewWindow(address or "edge"), context)


class WindowSink:
    name, wants_images, queue_size = "window", True, 0

    def __init__(self, screen: PreviewWindow, context: StreamContext) -> None:
        self._screen, self._stop = screen, context.stop
        self.close = screen.close

    def write(self, output: Output) -> None:
        assert output.image is not None
        if self._screen.show(output.image) in (ESCAPE, "q"):
            self._stop()
