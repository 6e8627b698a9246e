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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flatbuffers import Builder

MODEL_INPUT = (-1.0, 2.0)
"""Input of the probe model."""

MODEL_OUTPUT = (0.0, 2.0)
"""Its expected output: RELU of the input."""

_RELU, _VERSION = 19, 3


def build_probe_model() -> bytes:
    """Return a model with one RELU, from float32 [2] to float32 [2].

    The slots are the fields of Model, SubGraph, Tensor, OperatorCode and Operator, in the order of
    TensorFlow Lite's schema.fbs.
    """
    from flatbuffers import Builder  # imports numpy, whose failure the probes explain

    builder = Builder(512)
    tensors = _tables(builder, [_tensor(builder, "in"), _tensor(builder, "out")])
    operators = _tables(builder, [_operator(builder)])
    inputs, outputs = _integers(builder, [0]), _integers(builder, [1])
    graph = _table(builder, {0: tensors, 1: inputs, 2: outputs, 3: operators})
    graphs = _tables(builder, [graph])
    codes = _tables(builder, [_operator_code(builder)])
    buffers = _tables(builder, [_table(builder, {})])
    builder.StartObject(5)
    builder.PrependUint32Slot(0, _VERSION, 0)
    builder.PrependUOffsetTRelativeSlot(1, codes, 0)
    builder.PrependUOffsetTRelativeSlot(2, graphs, 0)
    builder.PrependUOffsetTRelativeSlot(4, buffers, 0)
    builder.Finish(builder.EndObject(), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _tensor(builder: "Builder", name: str) -> int:
    """Add a tensor; type and buffer stay 0: float32, without data."""
    return _table(
        builder, {0: _integers(builder, [len(MODEL_INPUT)]), 3: builder.CreateString(name)}
    )


def _operator(builder: "Builder") -> int:
    """Add an operator; its code index stays 0, the only one."""
    return _table(builder, {1: _integers(builder, [0]), 2: _integers(builder, [1])})


def _operator_code(builder: "Builder") -> int:
    """Add the code in the old and in the new field, as the converter does."""
    builder.StartObject(4)
    builder.PrependInt8Slot(0, _RELU, 0)
    builder.PrependInt32Slot(2, 1, 0)
    builder.PrependInt32Slot(3, _RELU, 0)
    return int(builder.EndObject())


def _table(builder: "Builder", offsets: dict[int, int]) -> int:
    builder.StartObject(max(offsets, default=-1) + 1)
    for slot, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return int(builder.EndObject())


def _tables(builder: "Builder", offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _integers(builder: "Builder", values: list[int]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependInt32(value)
    return int(builder.EndVector())


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
