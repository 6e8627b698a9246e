"""A CSI camera of a Raspberry Pi, through picamera2. Not run on a Raspberry Pi so far."""

from contextlib import suppress
from typing import Any

import numpy as np

from edge.errors import SourceError
from edge.frame import Frame
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import adjust

_SIZE, _RATE = (640, 480), 30.0


def open_picamera(address: str, options: SourceOptions) -> Source:
    """A CSI camera by number; "" stands for the first.

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
    picamera = _start(_module(), number, options)
    return adjust(_Csi(f"picamera:{number}", picamera, options), options, resize=False)


class _Csi:
    live = True

    def __init__(self, name: str, picamera: Any, options: SourceOptions) -> None:
        self.name, self.fps = name, options.fps or _RATE
        self._camera, self._count = picamera, 0

    def read(self) -> Frame | None:
        try:
            image = self._camera.capture_array("main")
        except Exception as error:  # picamera2 lets those of libcamera through
            raise SourceError(
                f"frames from {self.name}",
                _line(error),
                "check the camera's ribbon cable",
                code="source-lost",
            ) from None
        self._count += 1
        return Frame(self._count - 1, 0.0, np.ascontiguousarray(image[..., :3]))

    def close(self) -> None:
        with suppress(Exception):  # one that was lost cannot be stopped any more
            self._camera.stop()
        self._camera.close()


def _module() -> Any:
    try:
        import picamera2
    except ValueError as error:  # numpy.dtype size changed: apt's modules against NumPy 2
        raise SourceError(
            "picamera2 built for the installed NumPy",
            f"an incompatible one ({_line(error)})",
            "pip install 'numpy<2' in this environment",
            code="numpy-incompatible",
            summary=f"picamera2 does not work with the installed NumPy ({_line(error)})",
        ) from None
    except ImportError as error:
        raise SourceError(
            "picamera2 and libcamera from apt",
            f"neither in this environment ({_line(error)})",
            "sudo apt-get install -y python3-picamera2, and create the environment with: "
            "python3 -m venv --system-site-packages .venv",
            code="missing-package",
        ) from None
    return picamera2


def _start(module: Any, number: int, options: SourceOptions) -> Any:
    try:
        found = module.Picamera2.global_camera_info()
        if number >= len(found):
            raise SourceError(
                f"CSI camera {number}",
                f"{len(found)} CSI camera{'' if len(found) == 1 else 's'}",
                "check its ribbon cable, and see 'rpicam-hello --list-cameras'",
                code="camera-not-found",
            )
        picamera = module.Picamera2(number)
        try:
            _configure(picamera, options)
            picamera.start()
        except BaseException:
            picamera.close()  # or nobody could open it again
            raise
    except SourceError:
        raise
    except Exception as error:  # picamera2 lets those of libcamera through
        raise SourceError(
            f"CSI camera {number}",
            f"one that does not start ({_line(error)})",
            "close other programs that use it, and see 'rpicam-hello'",
            code="camera-open-failed",
            summary=f"CSI camera {number} does not start ({_line(error)})",
        ) from None
    return picamera


def _configure(picamera: Any, options: SourceOptions) -> None:
    controls: dict[str, Any] = {"FrameRate": options.fps or _RATE}
    if options.exposure is not None:
        controls |= {"AeEnable": False, "ExposureTime": int(options.exposure)}
    # What picamera2 calls RGB888 lies in memory as B, G, R: OpenCV's order.
    main = {"size": options.size or _SIZE, "format": "RGB888"}
    picamera.configure(picamera.create_video_configuration(main=main, controls=controls))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
