"""A window on this machine's screen."""

import ctypes
import os
import re
import sys

import cv2

from edge.errors import OutputError
from edge.frame import Output, Picture
from edge.sinks import Setting

_ESCAPE, _Q = 27, ord("q")
_LARGEST = 1280, 960
"""A larger picture is shown smaller at first; the window can be resized."""

_LOOK = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
_HINT = "use --sink out.mkv, --sink jsonl:- or --sink frames:DIR"


def window(address: str, setting: Setting) -> "Window":
    """A window that shows the newest picture; ``q``, Esc or closing it ends the stream.

    Raises:
        OutputError: there is no screen, or an OpenCV without windows.
    """
    if re.search(r"GUI:\s+NONE", cv2.getBuildInformation()):
        raise OutputError(
            "an OpenCV with windows",
            "opencv-python-headless",
            "pip uninstall opencv-python-headless && pip install --force-reinstall opencv-python",
        )
    if sys.platform == "linux" and (trouble := _no_screen()):
        raise OutputError("a screen to open a window on", trouble, _HINT)
    return Window(address or "edge", setting)


class Window:
    pictures, backlog = True, 0

    def __init__(self, title: str, setting: Setting) -> None:
        self.name, self._title, self._stop = "window", title, setting.stop
        self._open = False

    def write(self, output: Output) -> None:
        assert output.picture is not None
        try:
            self._show(output.picture)
        except cv2.error as error:
            said = " ".join(str(error).split())[:120]
            raise OutputError("a screen to open a window on", said, _HINT) from None

    def close(self) -> None:
        if self._open and self._visible():
            cv2.destroyWindow(self._title)

    def _show(self, picture: Picture) -> None:
        if not self._open:
            self._create(picture.shape[1], picture.shape[0])
        elif not self._visible():
            self._stop()
            return
        cv2.imshow(self._title, picture)
        if cv2.waitKey(1) & 0xFF in (_ESCAPE, _Q):
            self._stop()

    def _visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # it was the only one, and the user closed it
            return False

    def _create(self, width: int, height: int) -> None:
        # Qt complains at exit that its timers belong to this thread.
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")
        cv2.namedWindow(self._title, _LOOK)
        scale = min(1.0, _LARGEST[0] / width, _LARGEST[1] / height)
        cv2.resizeWindow(self._title, round(scale * width), round(scale * height))
        self._open = True


def _no_screen() -> str | None:
    """Why no window can be opened; None where one can.

    The wheel of OpenCV speaks to X servers alone (XWayland is one), and where none answers Qt ends
    the whole process: so it is asked before.
    """
    display = os.environ.get("DISPLAY")
    if not display:
        return "none (no DISPLAY, as over ssh)"
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:  # nobody to ask
        return None
    x11.XOpenDisplay.restype = ctypes.c_void_p
    connection = x11.XOpenDisplay(None)
    if not connection:
        return f"none that answers at DISPLAY={display}"
    x11.XCloseDisplay(ctypes.c_void_p(connection))
    return None
