"""A window on this machine's screen."""

import os
import re
import sys

import cv2

from edge.errors import OutputError
from edge.frame import Output
from edge.sinks import Setting

_ESCAPE, _Q = 27, ord("q")


def window(address: str, setting: Setting) -> "Window":
    """A window that shows the newest picture; ``q``, Esc or closing it ends the stream.

    Raises:
        OutputError: there is no screen, or an OpenCV without windows.
    """
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or _wayland()):
        raise OutputError(
            "a screen to open a window on",
            "none (no DISPLAY, as over ssh)",
            "use --sink out.mkv, --sink jsonl:- or --sink frames:DIR",
        )
    if re.search(r"GUI:\s+NONE", cv2.getBuildInformation()):
        raise OutputError(
            "an OpenCV with windows",
            "opencv-python-headless",
            "pip uninstall opencv-python-headless && pip install --force-reinstall opencv-python",
        )
    return Window(address or "edge", setting)


class Window:
    pictures, backlog = True, 0

    def __init__(self, title: str, setting: Setting) -> None:
        self.name, self._title, self._stop = "window", title, setting.stop
        self._open = False

    def write(self, output: Output) -> None:
        assert output.picture is not None
        try:
            if self._open and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
                self._stop()
                return
            if not self._open:
                cv2.namedWindow(self._title, cv2.WINDOW_AUTOSIZE)
                self._open = True
            cv2.imshow(self._title, output.picture)
            if cv2.waitKey(1) & 0xFF in (_ESCAPE, _Q):
                self._stop()
        except cv2.error as error:
            raise OutputError(
                "a screen to open a window on", " ".join(str(error).split())[:120],
                "use --sink out.mkv or --sink jsonl:-",
            ) from None  # fmt: skip

    def close(self) -> None:
        if self._open:
            cv2.destroyWindow(self._title)


def _wayland() -> bool:
    return bool(os.environ.get("WAYLAND_DISPLAY"))
