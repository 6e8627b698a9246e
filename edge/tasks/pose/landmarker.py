"""MediaPipe's pose landmarker (Tasks API); the only module that imports MediaPipe."""

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
from edge.terminal import suppress_native_stderr

_FAILURES = (RuntimeError, ValueError, OSError)
"""Exceptions that MediaPipe raises, depending on its version."""


def installed() -> str | None:
    """Return the version of MediaPipe, None if it is not installed, without importing it."""
    if util.find_spec("mediapipe") is None:
        return None
    try:
        return metadata.version("mediapipe")
    except metadata.PackageNotFoundError:
        return "of unknown version"


class PoseLandmarker:
    """Runtime of a bundle (.task); an :class:`edge.interpreter.Engine`.

    Inputs are an image, uint8 RGB [height, width, 3], and optionally its time in ms, int64 [1]:
    then people are tracked from image to image. An image without a time is independent.
    Outputs are landmarks, float32 [people, 33, 5] (x and y as fractions of the image, z in the
    scale of x, visibility, presence), and world positions, float32 [people, 33, 3], in meters from
    the middle of the hips.
    """

    delegate = "cpu"
    threads = 1  # MediaPipe's own choice on Linux, which cannot be changed

    def __init__(self, bundle: bytes, name: str, people: int) -> None:
        """Open a bundle for at most so many people; ``name`` is used in errors.

        Raises:
            DelegateError: MediaPipe is not installed, or cannot be imported.
            ModelError: MediaPipe rejects the bundle.
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
        self._mediapipe = _import_mediapipe()
        self._video = self._open("VIDEO")
        self._image: Any = None
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
            result = self._track(mp_image, int(times[0][0])) if times else self._detect(mp_image)
        except _FAILURES as error:
            raise _rejected(self.name, error) from None
        landmarks = [
            [(point.x, point.y, point.z, point.visibility, point.presence) for point in person]
            for person in result.pose_landmarks
        ]
        world = [
            [(point.x, point.y, point.z) for point in person]
            for person in result.pose_world_landmarks
        ]
        points = len(MEDIAPIPE)
        return (
            np.array(landmarks, np.float32).reshape(-1, points, 5),
            np.array(world, np.float32).reshape(-1, points, 3),
        )

    def _track(self, mp_image: Any, time_ms: int) -> Any:
        self._last_ms = max(time_ms, self._last_ms + 1)  # it must increase, also in a looped file
        if not self._quietly:
            return self._video.detect_for_video(mp_image, self._last_ms)
        with suppress_native_stderr():  # it warns on the first person
            result = self._video.detect_for_video(mp_image, self._last_ms)
        self._quietly = not result.pose_landmarks
        return result

    def _detect(self, mp_image: Any) -> Any:
        if self._image is None:
            self._image = self._open("IMAGE")
        with suppress_native_stderr():
            return self._image.detect(mp_image)

    def _open(self, mode: str) -> Any:
        tasks = self._mediapipe.tasks
        options = tasks.vision.PoseLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=self._bundle),
            running_mode=tasks.vision.RunningMode[mode],
            num_poses=self._people,
        )
        try:
            with suppress_native_stderr():
                landmarker = tasks.vision.PoseLandmarker.create_from_options(options)
        except _FAILURES as error:
            raise _rejected(self.name, error) from None
        atexit.register(_leak, weakref.ref(landmarker))
        return landmarker


def _leak(reference: Callable[[], Any]) -> None:
    """Keep a landmarker from being closed when Python exits.

    MediaPipe 1 closes it in a thread, and prints a traceback if no thread can be started anymore.
    """
    if (landmarker := reference()) is not None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(landmarker))


def _import_mediapipe() -> Any:
    """Import MediaPipe.

    If TensorFlow is installed, MediaPipe imports it (6 s) for decorators of its documentation, and
    works without it.
    """
    hidden = "tensorflow" not in sys.modules
    if hidden:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        with suppress_native_stderr():
            import mediapipe

            mediapipe.tasks.vision.PoseLandmarker  # noqa: B018 (raises if it is missing)
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


def _rejected(name: str, error: Exception) -> ModelError:
    return ModelError(
        "a pose model that MediaPipe can run",
        f"{name}, which it rejects ({' '.join(str(error).split())})",
        "create it again with 'edge models export pose -o pose.task'",
        code="pose-model-rejected",
    )
