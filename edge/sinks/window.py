"""Window sink: shows the newest image on this machine's screen."""

from edge.frame import Output
from edge.preview_window import ESCAPE, PreviewWindow
from edge.streaming.sink import StreamContext


def open_window(address: str, context: StreamContext) -> "WindowSink":
    """Open a window titled ``address``; ``q``, Esc or closing it ends the stream.

    Raises:
        OutputError: There is no screen, or OpenCV was built without windows.
    """
    return WindowSink(PreviewWindow(address or "edge"), context)


class WindowSink:
    """A window that shows the newest image."""

    name, wants_images, queue_size = "window", True, 0

    def __init__(self, window: PreviewWindow, context: StreamContext) -> None:
        self._window, self._stop = window, context.stop
        self.close = window.close

    def write(self, output: Output) -> None:
        """Show the image of an output, and end the stream if the user asks for it.

        Raises:
            OutputError: The screen is no longer available.
        """
        assert output.image is not None
        if self._window.show(output.image) in (ESCAPE, "q"):
            self._stop()
