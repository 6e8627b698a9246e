"""Preview window: shows images on this machine's screen and reads keys."""

import ctypes
import os
import re
import sys

import cv2

from edge.errors import OutputError
from edge.frame import BgrImage

ESCAPE = "\x1b"

_MAX_SIZE = 1280, 960
"""Initial width and height for larger images; the window can be resized."""

_FLAGS = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL


class PreviewWindow:
    """A window; used by a single thread.

    Args:
        title: Of the window, which appears with the first image.

    Raises:
        OutputError: There is no screen, or OpenCV was built without windows.
    """

    def __init__(self, title: str) -> None:
        if re.search(r"GUI:\s+NONE", cv2.getBuildInformation()):
            raise OutputError(
                "an OpenCV build that can open windows",
                "opencv-python-headless",
                "pip uninstall opencv-python-headless && "
                "pip install --force-reinstall opencv-python",
                code="opencv-headless",
            )
        if sys.platform == "linux" and (problem := _display_problem()):
            raise _no_screen(problem)
        self._title, self._open = title, False

    def show(self, image: BgrImage) -> str | None:
        """Show an image, uint8 BGR; return the key pressed, ``ESCAPE`` for a closed window.

        Raises:
            OutputError: The screen is no longer available.
        """
        try:
            if not self._open:
                self._create(image.shape[1], image.shape[0])
            elif not self._is_visible():
                return ESCAPE
            cv2.imshow(self._title, image)
            key = cv2.waitKey(1) & 0xFF
        except cv2.error as error:
            raise _no_screen(" ".join(str(error).split())[:120]) from None
        return None if key == 0xFF else chr(key)

    def close(self) -> None:
        """Close the window."""
        if self._open and self._is_visible():
            cv2.destroyWindow(self._title)

    def _is_visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # it was the only one, and the user closed it
            return False

    def _create(self, width: int, height: int) -> None:
        # Qt complains at exit that its timers belong to this thread.
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")
        cv2.namedWindow(self._title, _FLAGS)
        scale = min(1.0, _MAX_SIZE[0] / width, _MAX_SIZE[1] / height)
        size = (max(1, round(scale * width)), max(1, round(scale * height)))
        cv2.resizeWindow(self._title, *size)
        self._open = True


def _no_screen(problem: str) -> OutputError:
    hint = "use --sink web, which shows a page in a browser, or --sink out.mkv or --sink jsonl:-"
    return OutputError("a screen for the window", problem, hint, code="no-screen")


def _display_problem() -> str | None:
    """Find out why no window can be opened; None where it can.

    The wheel of OpenCV supports X servers only (XWayland is one). Where none answers Qt ends the
    whole process, so the display is checked first.
    """
    display = os.environ.get("DISPLAY")
    if not display:
        return "no DISPLAY (as over ssh)"
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:  # cannot check
        return None
    x11.XOpenDisplay.restype = ctypes.c_void_p
    connection = x11.XOpenDisplay(None)
    if not connection:
        return f"no X server at DISPLAY={display}"
    x11.XCloseDisplay(ctypes.c_void_p(connection))
    return None
