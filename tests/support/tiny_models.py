"""Tiny models, made without TensorFlow."""

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata

SIDE = 4
FLOAT32, INT32, UINT8, INT8 = 0, 2, 3, 9
RESHAPE, FULLY_CONNECTED, LOGISTIC, SOFTMAX, CUSTOM = 22, 9, 14, 25, 32
AVERAGE_POOL_2D, PAD, MEAN = 1, 34, 40
CODES = {"float32": FLOAT32, "uint8": UINT8, "int8": INT8}


def color_model(
    dtype: str = "uint8",
    classes: int = 3,
    logits: bool = False,
    logit_scale: float = 8 / 255,
    sigmoid: bool = False,
) -> bytes:
    """A classifier of 4 × 4 images by their main color, which wants pixels of −1 to 1.

    Output 0 is red, 1 green, 2 blue; further outputs never win. ``sigmoid``: in place of a softmax.
    """
    parts = Parts()
    pixels = 3 * SIDE * SIDE
    quantized = dtype != "float32"
    zero = {"uint8": 128, "int8": 0, "float32": 0}[dtype]
    weights = np.zeros((classes, pixels), np.float32)
    for color in range(min(3, classes)):
        weights[color, color::3] = 0.25
    shape = np.asarray([1, pixels], np.int32)
    kind = CODES[dtype]
    tensors = [
        parts.tensor("image", [1, SIDE, SIDE, 3], kind, scale=1 / 127.5, zero=zero),
        parts.tensor("flat", [1, pixels], kind, scale=1 / 127.5, zero=zero),
        parts.tensor("shape", [2], INT32, data=shape),
        parts.tensor("logits", [1, classes], kind, scale=logit_scale, zero=zero),
    ]
    if quantized:
        codes = np.rint(weights / 0.25 * 127).astype(dtype)
        tensors.append(
            parts.tensor("weights", [classes, pixels], kind, data=codes, scale=0.25 / 127)
        )
    else:
        tensors.append(parts.tensor("weights", [classes, pixels], kind, data=weights))
    operators = [
        parts.operator(RESHAPE, [0, 2], [1]),
        parts.operator(FULLY_CONNECTED, [1, 4, -1], [3], 4 if dtype == "int8" else 1),
    ]
    if not logits:
        low = -128 if dtype == "int8" else 0
        tensors.append(parts.tensor("scores", [1, classes], kind, scale=1 / 256, zero=low))
        last = LOGISTIC if sigmoid else SOFTMAX
        operators.append(parts.operator(last, [3], [5], 2 if dtype == "int8" else 1))
    return parts.pack(tensors, operators, [0], [3 if logits else 5])


def color_classifier(dtype: str = "int8") -> bytes:
    """The model of :func:`color_model` with labels and normalization in its metadata."""
    about = ModelMetadata(labels=("red", "green", "blue"), mean=(127.5,), std=(127.5,))
    return write_metadata(color_model(dtype), about)


def pooled_model(dtype: str = "float32", *, padded: bool = False) -> bytes:
    """A classifier of 8 × 8 images whose last layer takes the mean of a feature map.

    Output 0 is red, 1 green, 2 blue. The map [1, 4, 4, 3] has the means of 2 × 2 pixels, or with
    ``padded`` those of 3 × 3 pixels around every second one, padded as PyTorch does it.
    """
    parts = Parts()
    kind, zero = CODES[dtype], {"uint8": 128, "int8": 0, "float32": 0}[dtype]
    scale = 1 / 127.5
    axes, amounts = np.asarray([1, 2], np.int32), np.zeros((4, 2), np.int32)
    amounts[1:3] = 1, 0
    weights = np.asarray([[1, -0.5, -0.5], [-0.5, 1, -0.5], [-0.5, -0.5, 1]], np.float32)
    codes = weights if dtype == "float32" else np.rint(127 * weights).astype(np.int8)
    tensors = [
        parts.tensor("image", [1, 8, 8, 3], kind, scale=scale, zero=zero),
        parts.tensor("padded", [1, 9, 9, 3], kind, scale=scale, zero=zero),
        parts.tensor("features", [1, 4, 4, 3], kind, scale=scale, zero=zero),
        parts.tensor("mean", [1, 3], kind, scale=scale, zero=zero),
        parts.tensor("logits", [1, 3], kind, scale=2 / 127.5, zero=zero),
        parts.tensor("scores", [1, 3], kind, scale=1 / 256, zero=-128 if dtype == "int8" else 0),
        parts.tensor("axes", [2], INT32, data=axes),
        parts.tensor("weights", [3, 3], kind, data=codes, scale=1 / 127),
        parts.tensor("amounts", [4, 2], INT32, data=amounts),
    ]
    pool = parts.operator(AVERAGE_POOL_2D, [1 if padded else 0], [2], 2 if dtype == "int8" else 1)
    pool.builtinOptionsType = schema.BuiltinOptions.Pool2DOptions
    pool.builtinOptions = schema.Pool2DOptionsT()
    pool.builtinOptions.padding = schema.Padding.VALID
    pool.builtinOptions.strideW = pool.builtinOptions.strideH = 2
    pool.builtinOptions.filterWidth = pool.builtinOptions.filterHeight = 3 if padded else 2
    mean = parts.operator(MEAN, [2, 6], [3], 2 if dtype == "int8" else 1)
    mean.builtinOptionsType = schema.BuiltinOptions.ReducerOptions
    mean.builtinOptions = schema.ReducerOptionsT()
    operators = [
        pool,
        mean,
        parts.operator(FULLY_CONNECTED, [3, 7, -1], [4], 4 if dtype == "int8" else 1),
        parts.operator(SOFTMAX, [4], [5], 2 if dtype == "int8" else 1),
    ]
    if padded:
        operators.insert(0, parts.operator(PAD, [0, 8], [1], 2 if dtype == "int8" else 1))
    return parts.pack(tensors, operators, [0], [5])


def pooled_classifier(dtype: str = "float32") -> bytes:
    """The model of :func:`pooled_model` with labels and normalization in its metadata."""
    about = ModelMetadata(labels=("red", "green", "blue"), mean=(127.5,), std=(127.5,))
    return write_metadata(pooled_model(dtype), about)


def detector_model() -> bytes:
    """A YOLOv8-like detector that always finds class 0 in the left half and class 1 in the right.

    Its output [1, 21, 6] is constant: x, y, width, height, scores of two classes.
    """
    rows = np.zeros((1, 21, 6), np.float32)
    rows[0, 0] = 0.25, 0.5, 0.5, 0.5, 0.9, 0.1
    rows[0, 1] = 0.75, 0.5, 0.5, 0.5, 0.1, 0.8
    return constant_model(32, rows)


def centers_model(points: Sequence[tuple[float, float, int]], classes: int = 2) -> bytes:
    """A detector that always finds these points: x and y of 64 pixels, class; scores of 0.88."""
    heat = np.full((1, 8, 8, classes), -9, np.float32)
    offsets = np.zeros((1, 8, 8, 2), np.float32)
    for x, y, index in points:
        row, column = int(y // 8), int(x // 8)
        heat[0, row, column, index] = 2
        offsets[0, row, column] = x / 8 - column - 0.5, y / 8 - row - 0.5
    return constant_model(64, heat, offsets, names=("centers/8", "offsets/8"))


def movenet_model() -> bytes:
    """A MoveNet-like model that always finds all keypoints in the middle, with a score of 0.9."""
    keypoints = np.full((1, 1, 17, 3), 0.5, np.float32)
    keypoints[..., 2] = 0.9
    return constant_model(32, keypoints)


def constant_model(side: int, *outputs: np.ndarray, names: tuple[str, ...] = ()) -> bytes:
    """A model of images [1, side, side, 3] whose outputs, float32 or int32, are constant."""
    parts = Parts()
    tensors = [parts.tensor("image", [1, side, side, 3], FLOAT32)]
    operators, results = [], []
    for output, name in zip(outputs, names or ["output"] * len(outputs), strict=True):
        kind = INT32 if output.dtype == np.int32 else FLOAT32
        shape = np.asarray(output.shape, np.int32)
        at = len(tensors)
        tensors += [
            parts.tensor("constant", list(output.shape), kind, data=output),
            parts.tensor("shape", [len(shape)], INT32, data=shape),
            parts.tensor(name, list(output.shape), kind),
        ]
        operators.append(parts.operator(RESHAPE, [at, at + 1], [at + 2]))
        results.append(at + 2)
    return parts.pack(tensors, operators, [0], results)


def ssd_model(order: tuple[int, ...] = (0, 1, 2, 3), classes: int = 3) -> bytes:
    """An SSD with TFLite_Detection_PostProcess that finds class 2 in the left half, 0 in the right.

    ``order``: the outputs that it lists: 0 boxes, 1 classes, 2 scores, 3 their number.
    """
    parts = Parts()
    anchors = np.array([[0.5, 0.25, 1, 0.5], [0.5, 0.75, 1, 0.5]], np.float32)
    scores = np.zeros((1, 2, classes + 1), np.float32)  # class 0 is the background
    scores[0, 0, 3], scores[0, 1, 1] = 0.9, 0.6
    tensors = [
        parts.tensor("image", [1, 32, 32, 3], FLOAT32),
        parts.tensor("boxes", [1, 2, 4], FLOAT32, data=np.zeros((1, 2, 4), np.float32)),
        parts.tensor("scores", list(scores.shape), FLOAT32, data=scores),
        parts.tensor("anchors", [2, 4], FLOAT32, data=anchors),
        *(parts.tensor(f"PostProcess:{i}", [], FLOAT32) for i in range(4)),
    ]
    operator = parts.operator(
        CUSTOM, [1, 2, 3], [4, 5, 6, 7], custom="TFLite_Detection_PostProcess"
    )
    options = flexbuffers.Builder()
    with options.Map():
        options.Int("max_detections", 3)
        options.Int("max_classes_per_detection", 1)
        options.Int("num_classes", classes)
        for name, value in (("y", 10.0), ("x", 10.0), ("h", 5.0), ("w", 5.0)):
            options.Float(f"{name}_scale", value)
        options.Float("nms_score_threshold", 0.1)
        options.Float("nms_iou_threshold", 0.6)
    operator.customOptions = np.frombuffer(bytes(options.Finish()), np.uint8)
    return parts.pack(tensors, [operator], [0], [4 + i for i in order])


def edgetpu_model() -> bytes:
    """A model that is one operation for the Edge TPU."""
    parts = Parts()
    tensors = [
        parts.tensor("image", [1, SIDE, SIDE, 3], UINT8, scale=1 / 127.5, zero=128),
        parts.tensor("scores", [1, 3], UINT8, scale=1 / 256),
    ]
    operators = [parts.operator(CUSTOM, [0], [1], custom="edgetpu-custom-op")]
    return parts.pack(tensors, operators, [0], [1])


def partly_edgetpu_model() -> bytes:
    """A model with one operation for the Edge TPU, and a SOFTMAX behind it for the CPU."""
    parts = Parts()
    tensors = [
        parts.tensor("image", [1, SIDE, SIDE, 3], UINT8, scale=1 / 127.5, zero=128),
        parts.tensor("logits", [1, 3], UINT8, scale=8 / 255, zero=128),
        parts.tensor("scores", [1, 3], UINT8, scale=1 / 256),
    ]
    operators = [
        parts.operator(CUSTOM, [0], [1], custom="edgetpu-custom-op"),
        parts.operator(SOFTMAX, [1], [2]),
    ]
    return parts.pack(tensors, operators, [0], [2])


EXECUTABLE = bytes(range(256)) * 3
"""Stands for what the compiler puts into its operation."""


def compiled_extractor(scale: float, tail: bool = False) -> bytes:
    """A model that is one operation for the Edge TPU with 5 features, perhaps with a SOFTMAX."""
    parts = Parts()
    tensors = [
        parts.tensor("image", [1, SIDE, SIDE, 3], UINT8, scale=1 / 127.5, zero=128),
        parts.tensor("features", [1, 1, 1, 5], UINT8, scale=scale, zero=3),
        parts.tensor("scores", [1, 1, 1, 5], UINT8, scale=1 / 256),
    ]
    operators = [parts.operator(CUSTOM, [0], [1], custom="edgetpu-custom-op")]
    operators[0].customOptions = np.frombuffer(EXECUTABLE, np.uint8)
    if tail:
        operators.append(parts.operator(SOFTMAX, [1], [2]))
    return parts.pack(tensors[: 3 if tail else 2], operators, [0], [2 if tail else 1])


class Parts:
    """A model in the making."""

    def __init__(self) -> None:
        self._buffers = [schema.BufferT()]
        self._codes: list[Any] = []

    def tensor(
        self,
        name: str,
        shape: list[int],
        kind: int,
        *,
        data: np.ndarray | None = None,
        scale: float = 0.0,
        zero: int = 0,
    ) -> Any:
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.shape = name, kind, np.asarray(shape, np.int32)
        if scale and kind != FLOAT32:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.asarray([scale], np.float32)
            tensor.quantization.zeroPoint = np.asarray([zero], np.int64)
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            tensor.buffer = len(self._buffers)
            self._buffers.append(buffer)
        return tensor

    def operator(
        self,
        code: int,
        inputs: list[int],
        outputs: list[int],
        version: int = 1,
        custom: str | None = None,
    ) -> Any:
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode = code, code
        entry.version, entry.customCode = version, custom
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self._codes)
        self._codes.append(entry)
        operator.inputs, operator.outputs = (
            np.asarray(inputs, np.int32),
            np.asarray(outputs, np.int32),
        )
        if code == FULLY_CONNECTED:
            operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
            operator.builtinOptions = schema.FullyConnectedOptionsT()
        if code == SOFTMAX:
            operator.builtinOptionsType = schema.BuiltinOptions.SoftmaxOptions
            operator.builtinOptions = schema.SoftmaxOptionsT()
            operator.builtinOptions.beta = 1.0
        return operator

    def pack(
        self, tensors: list[Any], operators: list[Any], inputs: list[int], outputs: list[int]
    ) -> bytes:
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = tensors, operators
        graph.inputs, graph.outputs = np.asarray(inputs, np.int32), np.asarray(outputs, np.int32)
        model = schema.ModelT()
        model.version, model.description = 3, "a tiny model of the tests"
        model.operatorCodes, model.subgraphs = self._codes, [graph]
        model.buffers = self._buffers
        builder = flatbuffers.Builder(4096)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def red_image() -> np.ndarray:
    """A red image that is larger than the models' input."""
    image = np.zeros((20, 30, 3), np.uint8)
    image[..., 0] = 250
    return image
