"""Probes that run in a separate process: ``python -m boards.doctor.probes NAME …``.

A probe prints one line of JSON on stdout, with the key ``problem`` if something is wrong. A crash
shows in the exit code of the process.
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
"""Distributions that install the module cv2."""

NO_NUMPY = "NumPy cannot be imported"
"""Prefix of a problem that is caused by NumPy."""


def python() -> dict[str, Any]:
    """Describe the Python interpreter."""
    return {
        "version": ".".join(map(str, sys.version_info[:3])),
        "bits": 8 * struct.calcsize("P"),
        "environment": sys.prefix if sys.prefix != sys.base_prefix else "",
    }


def interpreter() -> dict[str, Any]:
    """Run one operation with the TFLite interpreter that ``edge`` selects."""
    if problem := _numpy_problem():
        return {"problem": problem}
    import numpy as np

    from boards.doctor.probe_model import INPUT, OUTPUT, build_probe_model
    from edge import interpreter as tflite_interpreter
    from edge.errors import EdgeError

    try:
        runtime = tflite_interpreter.load(
            build_probe_model(), name="test model", delegate="cpu", threads=1
        )
        (out,) = runtime.invoke(np.asarray(INPUT, np.float32))
    except EdgeError as error:
        return {
            "problem": error.summary or f"expected {error.expected}, found {error.found}",
            "code": error.code,
            "numpy": np.__version__,
        }
    if tuple(out.tolist()) != OUTPUT:
        return {"problem": f"{runtime.package} computed {out.tolist()} instead of {OUTPUT}"}
    module = tflite_interpreter.INTERPRETERS[runtime.package.partition(" ")[0]]
    return {"package": runtime.package, "numpy": np.__version__, "module": module}


def opencv() -> dict[str, Any]:
    """List the distributions of OpenCV, and resize an image."""
    distributions = {name: version for name in OPENCV if (version := _version(name))}
    if problem := _numpy_problem():
        return {"problem": problem, "distributions": distributions}
    try:
        import cv2
        import numpy as np

        cv2.resize(np.zeros((4, 4, 3), np.uint8), (2, 2))
    except Exception as error:  # any exception means that OpenCV is not usable
        return {"problem": _line(error), "distributions": distributions}
    return {"version": cv2.__version__, "distributions": distributions}


def picamera() -> dict[str, Any]:
    """List the CSI cameras that picamera2 finds."""
    try:
        import picamera2

        cameras = picamera2.Picamera2.global_camera_info()
    except Exception as error:  # exceptions of libcamera pass through picamera2
        return {"problem": _line(error)}
    return {"cameras": [str(camera.get("Model", "?")) for camera in cameras]}


def edgetpu(module: str) -> dict[str, Any]:
    """Run the probe model on the Edge TPU with the interpreter of ``module``."""
    from boards.doctor.probe_model import build_probe_model
    from edge.edgetpu_probe import try_edgetpu

    reason = try_edgetpu(module, build_probe_model())
    return {} if reason is None else {"problem": reason}


def _numpy_problem() -> str:
    """Return why NumPy cannot be imported, "" if it can."""
    try:
        import numpy  # noqa: F401
    except Exception as error:  # any exception: nothing works without NumPy
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


def main(name: str, *args: str) -> None:
    """Run a probe and print its result."""
    print(json.dumps(PROBES[name](*args)))


if __name__ == "__main__":
    main(*sys.argv[1:])
