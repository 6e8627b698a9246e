"""The feature extractor: backbone and global average pooling as a float32 TFLite model.

On a CPU the TFLite interpreter runs about three times as fast as Keras.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf, tflite
from converters.backbone.weights import Backbone
from edge.files import write_atomic
from edge.terminal.native_stderr import suppress_native_stderr

Extractor = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""float32 [1, size, size, 3] in [-1, 1] to the embedding float32 [d]; from any thread."""


def threads() -> int:
    """Return the number of threads: one per CPU, each with its own interpreter (20 MB)."""
    return min(8, len(os.sched_getaffinity(0)))


def load(backbone: Backbone, path: Path) -> Extractor:
    """Load the extractor of ``backbone`` from ``path``, or convert it and write it there.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        content = path.read_bytes()
        _interpreter(content)
    except (OSError, ValueError):  # missing or truncated
        content = _convert(backbone)
        write_atomic(path, content)
    local = threading.local()

    def run(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if not hasattr(local, "interpreter"):
            local.interpreter = _interpreter(content)
        interpreter = local.interpreter
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
        interpreter.invoke()
        output: NDArray[np.float32] = interpreter.get_tensor(
            interpreter.get_output_details()[0]["index"]
        )
        return np.asarray(output[0], np.float32)

    return run


def _interpreter(content: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    with suppress_native_stderr():  # it announces its delegate
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    return interpreter


def _convert(backbone: Backbone) -> bytes:
    keras = tf.keras()
    base = backbone.build()
    pooled = keras.layers.GlobalAveragePooling2D()(base.output)
    return tflite.to_float32(keras.Model(base.input, pooled))
