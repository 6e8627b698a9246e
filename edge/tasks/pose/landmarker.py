"""MediaPipe's pose landmarker (Tasks API); the one place where MediaPipe is imported."""

import atexit
import ctypes
import sys
import weakref
from collections.abc import Callable
from importlib import metadata, util
from typing import Any

import numpy as np

from edge.errors import DelegateError, ModelError
from edge.installation import install_command
from edge.interpreter import Array
from edge.tasks.pose.keypoints import MEDIAPIPE
from edge.terminal.native_stderr import suppress_native_stderr

_FAILURES = (RuntimeError, ValueError, OSError)
"""What MediaPipe raises; which of them differs by its version."""


def installed() -> str | None:
    """The version of MediaPipe, None where it is not there; it is not imported for this."""
    if util.find_spec("mediapipe") is None:
        return None
    try:
        return metadata.version("mediapipe")
    except metadata.PackageNotFoundError:
        return "of unknown version"


class PoseLandmarker:
    """A bundle (.task) at work; an :class:`edge.interpreter.Engine`.

    It takes an image, uint8 RGB [height, width, 3], and as a second array its time in ms, int64
    [1]: then people are followed from image to image. An image without a time stands alone.
    It gives landmarks, float32 [people, 33, 5] (x and y as shares of the image, z in the scale of
    x, visibility, presence), and places in the room, float32 [people, 33, 3], in meters from the
    hips' middle.
    """

    delegate = "cpu"
    threads = 1  # MediaPipe's own choice on Linux, which it lets nobody change

    def __init__(self, bundle: bytes, name: str, people: int) -> None:
        """
        Raises:
            DelegateError: MediaPipe is not installed, or cannot be imported.
            ModelError: it cannot use the bundle.
        """
        version = installed()
        if version is None:
            raise DelegateError(
                "MediaPipe for a .task file",
                "no MediaPipe",
                f"{install_command('pose')}, or use --model movenet_lightning",
                code="missing-package",
            )
        self.package = f"mediapipe {version}"
        self.name, self._people, self._bundle = name, people, bundle
        self._mediapipe = _imported()
        self._following = self._open("VIDEO")
        self._single: Any = None
        self._last_ms = -1
        self._quietly = True

    def invoke(self, *arrays: Array) -> tuple[Array, ...]:
        """Find people.

        Raises:
            ModelError: MediaPipe fails.
        """
        image, *times = arrays
        pixels = np.ascontiguousarray(image)
        mp_image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=pixels)
        try:
            found = self._follow(mp_image, int(times[0][0])) if times else self._look(mp_image)
        except _FAILURES as error:
            raise _fails(self.name, error) from None
        landmarks = [
            [(one.x, one.y, one.z, one.visibility, one.presence) for one in person]
            for person in found.pose_landmarks
        ]
        room = [[(one.x, one.y, one.z) for one in person] for person in found.pose_world_landmarks]
        points = len(MEDIAPIPE)
        return (
            np.array(landmarks, np.float32).reshape(-1, points, 5),
            np.array(room, np.float32).reshape(-1, points, 3),
        )

    def _follow(self, mp_image: Any, time_ms: int) -> Any:
        self._last_ms = max(time_ms, self._last_ms + 1)  # it must rise, also in a looped file
        if not self._quietly:
            return self._following.detect_for_video(mp_image, self._last_ms)
        with suppress_native_stderr():  # on the first person, it warns of itself
            found = self._following.detect_for_video(mp_image, self._last_ms)
        self._quietly = not found.pose_landmarks
        return found

    def _look(self, mp_image: Any) -> Any:
        if self._single is None:
            self._single = self._open("IMAGE")
        with suppress_native_stderr():
            return self._single.detect(mp_image)

    def _open(self, mode: str) -> Any:
        tasks = self._mediapipe.tasks
        options = tasks.vision.PoseLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=self._bundle),
            running_mode=tasks.vision.RunningMode[mode],
            num_poses=self._people,
        )
        try:
            with suppress_native_stderr():
                made = tasks.vision.PoseLandmarker.create_from_options(options)
        except _FAILURES as error:
            raise _fails(self.name, error) from None
        atexit.register(_leave, weakref.ref(made))
        return made


def _leave(still: Callable[[], Any]) -> None:
    """At the end of Python, leave a landmarker to the system.

    MediaPipe 1 closes it in a thread, and prints a traceback where there can be none any more.
    """
    if (made := still()) is not None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(made))


def _imported() -> Any:
    """The module of MediaPipe.

    Where TensorFlow is installed, MediaPipe imports it (6 s) for decorators of its documentation,
    and does without where it is not found.
    """
    hidden = "tensorflow" not in sys.modules
    if hidden:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        with suppress_native_stderr():
            import mediapipe

            mediapipe.tasks.vision.PoseLandmarker  # noqa: B018 (whether it is there)
    except (ImportError, OSError, AttributeError) as error:
        raise DelegateError(
            "MediaPipe for a .task file",
            f"MediaPipe {installed()}, which cannot be imported ({error})",
            install_command("pose"),
            code="package-broken",
        ) from None
    finally:
        if hidden:
            del sys.modules["tensorflow"]
    return mediapipe


def _fails(name: str, error: Exception) -> ModelError:
    return ModelError(
        "a pose model that MediaPipe can run",
        f"{name}, which it rejects ({' '.join(str(error).split())})",
        "create it again with 'edge models export pose -o pose.task'",
        code="pose-model-rejected",
    )
