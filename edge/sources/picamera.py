"""CSI camera of a Raspberry Pi, through picamera2. Not run on a Raspberry Pi so far."""

from contextlib import suppress
from typing import Any

import numpy as np

from edge.errors import SourceError
from edge.frame import Frame
from edge.quantities import counted
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import transform

_DEFAULT_SIZE, _DEFAULT_FPS = (640, 480), 30.0


def open_picamera(address: str, options: SourceOptions) -> Source:
    """Open a CSI camera by number; "" is the first.

    Raises:
        SourceError: picamera2 is missing or broken, or there is no such camera.
    """
    if address and not address.isdecimal():
        raise SourceError(
            "picamera or picamera:NUMBER",
            f"picamera:{address}",
            "use picamera:0",
            code="invalid-address",
        )
    number = int(address or 0)
    picamera = _start(_import_picamera2(), number, options)
    return transform(_CsiCamera(f"picamera:{number}", picamera, options), options, resize=False)


class _CsiCamera:
    live = True

    def __init__(self, name: str, picamera: Any, options: SourceOptions) -> None:
        self.name, self.fps = name, options.fps or _DEFAULT_FPS
        self._camera, self._count = picamera, 0

    def read(self) -> Frame | None:
        try:
            image = self._camera.capture_array("main")
        except Exception as error:  # picamera2 passes on those of libcamera
            raise SourceError(
                f"frames from {self.name}",
                _one_line(error),
                "check the camera's ribbon cable",
                code="source-lost",
            ) from None
        self._count += 1
        return Frame(self._count - 1, 0.0, np.ascontiguousarray(image[..., :3]))

    def close(self) -> None:
        with suppress(Exception):  # a lost camera cannot be stopped
            self._camera.stop()
        self._camera.close()


def _import_picamera2() -> Any:
    try:
        import picamera2
    except ValueError as error:  # numpy.dtype size changed: modules from apt with NumPy 2
        raise SourceError(
            "picamera2 built for the installed NumPy",
            f"an incompatible one ({_one_line(error)})",
            "pip install 'numpy<2' in this environment",
            code="numpy-incompatible",
            summary=f"picamera2 does not work with the installed NumPy ({_one_line(error)})",
        ) from None
    except ImportError as error:
        raise SourceError(
            "picamera2 and libcamera from apt",
            f"neither in this environment ({_one_line(error)})",
            "sudo apt-get install -y python3-picamera2, and create the environment with: "
            "python3 -m venv --system-site-packages .venv",
            code="missing-package",
        ) from None
    return picamera2


def _start(module: Any, number: int, options: SourceOptions) -> Any:
    try:
        cameras = module.Picamera2.global_camera_info()
        if number >= len(cameras):
            raise SourceError(
                f"CSI camera {number}",
                counted(len(cameras), "CSI camera"),
                "check its ribbon cable, and see 'rpicam-hello --list-cameras'",
                code="camera-not-found",
            )
        picamera = module.Picamera2(number)
        try:
            _configure(picamera, options)
            picamera.start()
        except BaseException:
            picamera.close()  # else it could not be opened again
            raise
    except SourceError:
        raise
    except Exception as error:  # picamera2 passes on those of libcamera
        raise SourceError(
            f"CSI camera {number}",
            f"one that does not start ({_one_line(error)})",
            "close other programs that use it, and see 'rpicam-hello'",
            code="camera-open-failed",
            summary=f"CSI camera {number} does not start ({_one_line(error)})",
        ) from None
    return picamera


def _configure(picamera: Any, options: SourceOptions) -> None:
    controls: dict[str, Any] = {"FrameRate": options.fps or _DEFAULT_FPS}
    if options.exposure is not None:
        controls |= {"AeEnable": False, "ExposureTime": int(options.exposure)}
    # RGB888 of picamera2 is B, G, R in memory: OpenCV's order.
    main = {"size": options.size or _DEFAULT_SIZE, "format": "RGB888"}
    picamera.configure(picamera.create_video_configuration(main=main, controls=controls))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
