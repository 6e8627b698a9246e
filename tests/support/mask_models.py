"""Tiny segmentation models, whose mask can be told from the image."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tiny_models import FLOAT32, INT32, Parts

SIDE = 8
SOFTMAX, LOGISTIC, MEAN, ARG_MAX = 25, 14, 40, 56
INT64 = 4


def scores_model() -> bytes:
    """Scores of three classes for each pixel: red is class 0, green 1, blue 2."""
    parts = Parts()
    tensors = [_image(parts), parts.tensor("scores", [1, SIDE, SIDE, 3], FLOAT32)]
    return parts.pack(tensors, [parts.operator(SOFTMAX, [0], [1])], [0], [1])


def classes_model(kind: int = INT64) -> bytes:
    """The best of the three classes for each pixel, decided in the model."""
    parts = Parts()
    tensors = [
        _image(parts),
        parts.tensor("axis", [1], INT32, data=np.array([3], np.int32)),
        parts.tensor("classes", [1, SIDE, SIDE], kind),
    ]
    operator = parts.operator(ARG_MAX, [0, 1], [2])
    operator.builtinOptionsType = schema.BuiltinOptions.ArgMaxOptions
    operator.builtinOptions = schema.ArgMaxOptionsT()
    operator.builtinOptions.outputType = kind
    return parts.pack(tensors, [operator], [0], [2])


def soft_model(logits: bool = False) -> bytes:
    """The brightness of each pixel as the probability of foreground, 0.27 to 0.73."""
    parts = Parts()
    tensors = [
        _image(parts),
        parts.tensor("axis", [1], INT32, data=np.array([3], np.int32)),
        parts.tensor("brightness", [1, SIDE, SIDE, 1], FLOAT32),
        parts.tensor("probability", [1, SIDE, SIDE, 1], FLOAT32),
    ]
    mean = parts.operator(MEAN, [0, 1], [2])
    mean.builtinOptionsType = schema.BuiltinOptions.ReducerOptions
    mean.builtinOptions = schema.ReducerOptionsT()
    mean.builtinOptions.keepDims = True
    operators = [mean] if logits else [mean, parts.operator(LOGISTIC, [2], [3])]
    return parts.pack(tensors, operators, [0], [2 if logits else 3])


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> np.ndarray:
    """An image of two colors (blue, green, red), uint8 [48, 64, 3]."""
    image = np.empty((48, 64, 3), np.uint8)
    image[:, :32], image[:, 32:] = left, right
    return image


def _image(parts: Parts) -> object:
    return parts.tensor("image", [1, SIDE, SIDE, 3], FLOAT32)
