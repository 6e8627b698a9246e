"""Models of poses, made without anything downloaded."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models

Write = Callable[..., Path]


@pytest.fixture
def movenet_file(tmp_path: Path) -> Write:
    """Write a MoveNet that sees always the same: keypoints [17, 3] of y, x and score."""

    def write(keypoints: np.ndarray, kind: str = "uint8") -> Path:
        parts = tiny_models.Parts()
        tensors = [
            parts.tensor("image", [1, 16, 16, 3], tiny_models.CODES[kind]),
            parts.tensor("said", [51], tiny_models.FLOAT32, data=keypoints.astype(np.float32)),
            parts.tensor("shape", [4], tiny_models.INT32, data=np.array([1, 1, 17, 3], np.int32)),
            parts.tensor("keypoints", [1, 1, 17, 3], tiny_models.FLOAT32),
        ]
        operators = [parts.operator(tiny_models.RESHAPE, [1, 2], [3])]
        path = tmp_path / "movenet.tflite"
        path.write_bytes(parts.pack(tensors, operators, [0], [3]))
        return path

    return write
