"""Readings of the files that steps of a recipe made."""

import numpy as np

from edge.interpreter import load


def scores(content: bytes, pixels: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Real scores [n, classes] of images fed as this file wants them."""
    runtime = load(content, name="test.tflite", delegate="cpu")
    kind = runtime.inputs[0].dtype
    if kind == "float32":
        fed = (pixels - np.float32(127.5)) / np.float32(127.5)
    else:
        fed = (pixels.astype(np.int16) + np.iinfo(kind).min).astype(kind)
    spec = runtime.outputs[0]
    return np.concatenate([spec.dequantize(runtime.invoke(p[None])[0]) for p in fed])


def runs_on_tflite_runtime(content: bytes) -> bool:
    """Whether tflite-runtime 2.14, which boards have, loads and runs a file; skips without it."""
    import pytest

    runtime = pytest.importorskip("tflite_runtime.interpreter")
    interpreter = runtime.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.invoke()
    return True
