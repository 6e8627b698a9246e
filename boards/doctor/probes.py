"""Probes that run in a separate process: ``python -m boards.doctor.probes NAME …``.

A probe prints one line of JSON on stdout, with the key ``problem`` if something is wrong. A crash
shows in the exit code of the process. Interpreters and delegates are tested with a TFLite model of
one operation, which is built here.
"""

import json
import struct
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

MODEL_INPUT = (-1.0, 2.0)
"""Input of the probe model."""

MODEL_OUTPUT = (0.0, 2.0)
"""Its expected output: RELU of the input."""

_RELU, _VERSION = 19, 3


def build_probe_model() -> bytes:
    """Return a model with one RELU, from float32 [2] to float32 [2].

    The numbers are the fields of Model, SubGraph, Tensor, OperatorCode and Operator in TensorFlow
    Lite's schema.fbs. What is left out is 0: the type of the tensors, float32, and their buffer.
    """
    # They import numpy, whose failure the probes explain.
    from edge.modelfile.flatbuffer_writer import Table, Tables, build, numbers, scalar, text

    shape = numbers("i", [len(MODEL_INPUT)])
    tensors = Tables([Table({0: shape, 3: text(name)}) for name in ("in", "out")])
    inputs, outputs = numbers("i", [0]), numbers("i", [1])
    operators = Tables([Table({1: inputs, 2: outputs})])
    graph = Table({0: tensors, 1: inputs, 2: outputs, 3: operators})
    # The code is in the old and in the new field, as the converter writes it.
    code = Table({0: scalar("b", _RELU), 2: scalar("i", 1), 3: scalar("i", _RELU)})
    model = Table(
        {0: scalar("I", _VERSION), 1: Tables([code]), 2: Tables([graph]), 4: Tables([Table()])}
    )
    return build(model, b"TFL3")


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

    from edge import interpreter as tflite_interpreter
    from edge.errors import EdgeError

    try:
        runtime = tflite_interpreter.load(
            build_probe_model(), name="test model", delegate="cpu", threads=1, trusted=True
        )
        (out,) = runtime.invoke(np.asarray(MODEL_INPUT, np.float32))
    except EdgeError as error:
        return {
            "problem": error.summary or f"expected {error.expected}, found {error.found}",
            "code": error.code,
            "numpy": np.__version__,
        }
    if tuple(out.tolist()) != MODEL_OUTPUT:
        return {"problem": f"{runtime.package} computed {out.tolist()} instead of {MODEL_OUTPUT}"}
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
