"""Read MobileNetV2 weights from a float or quantized ``.tflite``, without TensorFlow.

The convolutions are read in the order of the graph and dequantized (real = scale × (q − zero
point), https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec).
BatchNorm is folded into them already: ours becomes the identity plus the bias.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone.mobilenet_v2 import BATCH_NORM_EPSILON, Layer, Weights, layers
from edge.errors import WeightsError
from edge.modelfile import tflite

_FIX = "pass a MobileNetV2 classifier in .tflite or Keras format, or use --weights none"
_IDENTIFIER = b"TFL3"
"""Bytes 4 to 8 of a file."""

_EXPECTED_LAYERS = "the 35 convolutions and 17 depthwise convolutions of MobileNetV2"
_DTYPES = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 9: np.int8}  # schema.fbs
_MIN_VALUES = {3: 0, 9: -128}  # of uint8 and int8
# BuiltinOperator in schema.fbs
_CONV_2D, _DEPTHWISE_CONV_2D, _DEQUANTIZE, _FULLY_CONNECTED = 3, 4, 6, 9


@dataclass(frozen=True, slots=True)
class TfliteFile:
    """The backbone's weights, and the input size in pixels."""

    weights: Weights
    size: int


def is_tflite(path: Path) -> bool:
    """Check for a ``.tflite``, by suffix or content."""
    with path.open("rb") as file:
        return path.suffix == ".tflite" or file.read(8)[4:] == _IDENTIFIER


def read(path: Path) -> TfliteFile:
    """Read the MobileNetV2 weights of a ``.tflite``, without its classifier.

    Raises:
        WeightsError: the file cannot be read, has another architecture, or expects its input in
            another range than [-1, 1].
    """
    model = _parse(path)
    graph = model.subgraphs[0]
    reader = _Reader(model, graph)
    convs, depthwise = reader.weighted(_CONV_2D), reader.weighted(_DEPTHWISE_CONV_2D)
    table = layers(1.0)
    names = {kind: [ly.name for ly in table if ly.kind == kind] for kind in ("conv", "depthwise")}
    # An extra convolution is a classifier written as a 1×1 convolution.
    extra = len(convs) - len(names["conv"])
    if extra not in (0, 1) or len(depthwise) != len(names["depthwise"]):
        raise WeightsError(
            _EXPECTED_LAYERS,
            f"{len(convs)} and {len(depthwise)} in {path}",
            _FIX,
            code="weights-layout-mismatch",
        )
    shape = graph.tensors[graph.inputs[0]].shape
    _check_input(graph.tensors[graph.inputs[0]], path)
    kernels = dict(zip(names["conv"], convs[: len(names["conv"])], strict=True))
    kernels |= dict(zip(names["depthwise"], depthwise, strict=True))
    return TfliteFile(_unfold(table, kernels), int(shape[1]))


def read_head(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read the last fully connected layer of a ``.tflite``: kernel [d, classes] and bias.

    Raises:
        WeightsError: the file cannot be read, or has no such layer.
    """
    model = _parse(path)
    dense = _Reader(model, model.subgraphs[0]).weighted(_FULLY_CONNECTED)
    if not dense:
        raise WeightsError(
            "a fully connected layer", f"none in {path}", _FIX, code="weights-layout-mismatch"
        )
    kernel, bias = dense[-1]
    return np.ascontiguousarray(kernel.T), bias


def _parse(path: Path) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    data = path.read_bytes()
    if data[4:8] != _IDENTIFIER:
        raise WeightsError(
            "a TFLite model", f"the non-TFLite file {path}", _FIX, code="weights-unreadable"
        )
    try:
        tflite.parse(data, str(path))  # the generated reader checks nothing, and reads without end
        return schema.ModelT.InitFromPackedBuf(data, 0)
    except Exception as error:  # flatbuffers has no specific error for a damaged file
        raise WeightsError(
            "an intact TFLite model", f"the damaged file {path}", _FIX, code="weights-unreadable"
        ) from error


def _check_input(tensor: Any, path: Path) -> None:
    shape = [int(side) for side in tensor.shape]
    if len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3:
        raise WeightsError(
            "an input of [1, size, size, 3]",
            f"{shape} in {path}",
            _FIX,
            code="weights-input-mismatch",
        )
    q = tensor.quantization
    if tensor.type in _MIN_VALUES and q is not None and q.scale is not None:
        first = _MIN_VALUES[tensor.type]
        low = float((first - q.zeroPoint[0]) * q.scale[0])
        high = float((first + 255 - q.zeroPoint[0]) * q.scale[0])
        if abs(low + 1) > 0.05 or abs(high - 1) > 0.05:
            raise WeightsError(
                "an input range of [-1, 1]",
                f"[{low:.2f}, {high:.2f}] in {path}",
                _FIX,
                code="weights-input-mismatch",
            )


class _Reader:
    """Reads constants of a TFLite graph as real numbers."""

    def __init__(self, model: Any, graph: Any) -> None:
        self._model, self._graph = model, graph
        # float16 files store each constant as the input of a DEQUANTIZE.
        self._sources = {
            op.outputs[0]: op.inputs[0] for op in graph.operators if self._code(op) == _DEQUANTIZE
        }

    def weighted(self, code: int) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Return kernel and bias of all operations of a kind, in graph order."""
        pairs = []
        for op in self._graph.operators:
            if self._code(op) == code and len(op.inputs) == 3:
                pairs.append((self._real(op.inputs[1]), self._real(op.inputs[2])))
        return pairs

    def _code(self, op: Any) -> int:
        code = self._model.operatorCodes[op.opcodeIndex]
        # Old files have the code in the deprecated field, new ones in both or in the new one.
        return max(int(code.builtinCode), int(code.deprecatedBuiltinCode))

    def _real(self, index: int) -> NDArray[np.float32]:
        tensor = self._graph.tensors[self._sources.get(index, index)]
        data = self._model.buffers[tensor.buffer].data
        if data is None or tensor.type not in _DTYPES:
            raise WeightsError(
                "constant weights",
                "a kernel that is packed or computed at run time",
                _FIX,
                code="weights-not-constant",
            )
        raw = np.frombuffer(np.asarray(data, np.uint8).tobytes(), _DTYPES[tensor.type])
        values = raw.reshape(tensor.shape).astype(np.float32)
        q = tensor.quantization
        if q is None or q.scale is None or len(q.scale) == 0:
            return values
        along = [1] * values.ndim
        if len(q.scale) > 1:
            along[q.quantizedDimension] = len(q.scale)
        zero = np.asarray(q.zeroPoint, np.float32).reshape(along)
        scale = np.asarray(q.scale, np.float32).reshape(along)
        return np.asarray((values - zero) * scale, np.float32)


def _unfold(
    table: tuple[Layer, ...],
    kernels: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> Weights:
    """Return Keras weights: kernels in Keras' axis order, BatchNorm as identity plus bias."""
    weights: Weights = {}
    bias = np.empty(0, np.float32)
    for layer in table:  # every BatchNorm follows its convolution
        if layer.kind == "batch_norm":
            ones, zeros = np.ones_like(bias), np.zeros_like(bias)
            weights[layer.name] = [ones, bias, zeros, ones - np.float32(BATCH_NORM_EPSILON)]
            continue
        kernel, bias = kernels[layer.name]
        # TFLite: [out, h, w, in] and [1, h, w, channels]; Keras: [h, w, in, out], [h, w, c, 1].
        axes = (1, 2, 3, 0)
        weights[layer.name] = [np.ascontiguousarray(kernel.transpose(axes))]
    return weights
