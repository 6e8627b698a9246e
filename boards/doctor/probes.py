"""What is imported or run in a process of its own: ``python -m boards.doctor.probes NAME …``.

Prints one line of JSON on stdout. What goes wrong is said under ``trouble``; a crash says it by the
process's end.
"""

import json
import struct
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

OPENCV = (
    "opencv-python", "opencv-contrib-python", "opencv-python-headless",
    "opencv-contrib-python-headless",
)  # fmt: skip
"""Distributions that all install the module cv2."""

NO_NUMPY = "NumPy cannot be imported"
"""How the trouble begins where it is NumPy's."""


def python() -> dict[str, Any]:
    """The interpreter itself."""
    return {
        "version": ".".join(map(str, sys.version_info[:3])),
        "bits": 8 * struct.calcsize("P"),
        "environment": sys.prefix if sys.prefix != sys.base_prefix else "",
    }


def interpreter() -> dict[str, Any]:
    """The TensorFlow Lite interpreter that ``edge`` takes, which computes one operation."""
    if trouble := _without_numpy():
        return {"trouble": trouble}
    import numpy as np

    from boards.doctor.probe_model import EXPECTED, VALUES, build_probe_model
    from edge import interpreter as chosen
    from edge.errors import EdgeError

    try:
        runtime = chosen.load(build_probe_model(), name="test model", delegate="cpu", threads=1)
        (out,) = runtime.invoke(np.asarray(VALUES, np.float32))
    except EdgeError as error:
        return {
            "trouble": error.summary or f"expected {error.expected}, found {error.found}",
            "code": error.code,
            "numpy": np.__version__,
        }
    if tuple(out.tolist()) != EXPECTED:
        return {"trouble": f"{runtime.package} computed {out.tolist()} instead of {EXPECTED}"}
    module = chosen.INTERPRETERS[runtime.package.partition(" ")[0]]
    return {"package": runtime.package, "numpy": np.__version__, "module": module}


def opencv() -> dict[str, Any]:
    """OpenCV: which distributions there are, and that it resizes an image."""
    distributions = {name: version for name in OPENCV if (version := _version(name))}
    if trouble := _without_numpy():
        return {"trouble": trouble, "distributions": distributions}
    try:
        import cv2
        import numpy as np

        cv2.resize(np.zeros((4, 4, 3), np.uint8), (2, 2))
    except Exception as error:  # whatever it is, OpenCV is not usable
        return {"trouble": _line(error), "distributions": distributions}
    return {"version": cv2.__version__, "distributions": distributions}


def picamera() -> dict[str, Any]:
    """picamera2, and the CSI cameras that libcamera knows."""
    try:
        import picamera2

        cameras = picamera2.Picamera2.global_camera_info()
    except Exception as error:  # picamera2 lets those of libcamera through
        return {"trouble": _line(error)}
    return {"cameras": [str(camera.get("Model", "?")) for camera in cameras]}


def edgetpu(module: str) -> dict[str, Any]:
    """Whether the trial model runs on the Edge TPU with the interpreter of ``module``."""
    from boards.doctor.probe_model import build_probe_model
    from edge.edgetpu_probe import try_edgetpu

    reason = try_edgetpu(module, build_probe_model())
    return {} if reason is None else {"trouble": reason}


def _without_numpy() -> str:
    """Why NumPy does not import; "" where it does."""
    try:
        import numpy  # noqa: F401
    except Exception as error:  # whatever it is, nothing works without NumPy
        return f"{NO_NUMPY} ({_line(error)})"
    return ""


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


PROBES: dict[str, Callable[..., dict[str, Any]]] = {
    "python": python,
    "interpreter": interpreter,
    "opencv": opencv,
    "picamera": picamera,
    "edgetpu": edgetpu,
}


def main(name: str, *given: str) -> None:
    """Run a probe and print what it says."""
    print(json.dumps(PROBES[name](*given)))


if __name__ == "__main__":
    main(*sys.argv[1:])
