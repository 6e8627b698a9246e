"""Find the feature map of a classifier, and the weights with which its last layer counts it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.modelfile import schema
from edge.modelfile.flatbuffer import FlatbufferError
from edge.modelfile.flatbuffer_writer import Table, Tables, numbers
from edge.modelfile.tflite import EDGETPU_OP, Graph, ModelFile, OpInfo, TensorInfo
from edge.modelwriter.receptive_field import CellCenters, cell_centers
from edge.quantities import counted

_SOFTMAX, _LOGISTIC = 25, 14
_DEQUANTIZE = 6
_PASSING = (_DEQUANTIZE, 22, 43, 70, 114)
"""DEQUANTIZE, RESHAPE, SQUEEZE, EXPAND_DIMS, QUANTIZE: the values stay as they are."""

_AVERAGE_POOL_2D, _CONV_2D, _FULLY_CONNECTED, _MEAN = 1, 3, 9, 40
_FILTER_WIDTH, _FILTER_HEIGHT = 3, 4  # of Pool2DOptions

_GRAPHS, _OUTPUTS = 2, 2  # of Model, of SubGraph
_DESCRIBING = (6, 7)
"""Metadata and signatures of Model: they describe the outputs as they were."""

_WEIGHT_TYPES = {"float32": "<f4", "float16": "<f2", "int8": "i1", "uint8": "u1"}


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMap:
    """The feature map [1, rows, columns, features] whose mean a linear layer turns into logits.

    ``content``: the .tflite file with the feature map as second output, and the same operations;
    ``kernel``: float32 [classes, features], one row where a sigmoid makes two classes of it;
    ``centers``: where in the image its rows and columns look.
    """

    content: bytes
    kernel: NDArray[np.float32]
    centers: tuple[CellCenters, CellCenters]


def find_feature_map(file: ModelFile, name: str = "the model") -> FeatureMap:
    """Find the feature map before the global mean, and the last layer's weights as real numbers.

    The layer is fully connected, or a 1×1 convolution, of float32, float16, int8 or uint8.

    Raises:
        ModelError: the file has no such end, or hides it in an operation for the Edge TPU.
    """
    graph = file.main
    writers = {output: op for op in graph.operators for output in op.outputs}
    if len(graph.outputs) != 1:
        raise _without(name, f"has {counted(len(graph.outputs), 'output')}")
    layer = _source(writers, graph.outputs[0], (*_PASSING, _SOFTMAX, _LOGISTIC))
    if layer is not None and layer.custom == EDGETPU_OP:
        raise _without(name, "is compiled for the Edge TPU, with its inner tensors out of sight")
    if layer is None or not _is_linear(layer, graph):
        raise _without(name, "does not end in a linear layer")
    pooling = _source(writers, layer.inputs[0], _PASSING)
    if pooling is None or not _is_global_mean(pooling, graph):
        raise _without(name, "has no mean over a feature map before its last layer")
    kernel = _weights(file, writers, layer.inputs[1], name)
    features = pooling.inputs[0]
    return FeatureMap(_with_output(file, features), kernel, cell_centers(file, features))


def _source(writers: Mapping[int, OpInfo], tensor: int, passing: tuple[int, ...]) -> OpInfo | None:
    """Return the operation that computes a tensor, before those that pass it on."""
    operation = writers.get(tensor)
    while operation is not None and operation.code in passing:
        operation = writers.get(operation.inputs[0])
    return operation


def _is_linear(operation: OpInfo, graph: Graph) -> bool:
    if operation.code == _FULLY_CONNECTED:
        return True
    shapes = [graph.tensors[index].shape for index in operation.inputs[:2]]
    return operation.code == _CONV_2D and all(shape[1:3] == (1, 1) for shape in shapes)


def _is_global_mean(operation: OpInfo, graph: Graph) -> bool:
    before = graph.tensors[operation.inputs[0]].shape
    after = graph.tensors[operation.outputs[0]].shape
    if len(before) != 4 or before[0] != 1 or before[1] * before[2] < 2:
        return False
    if [size for size in after if size != 1] != [size for size in before[3:] if size != 1]:
        return False
    if operation.code != _AVERAGE_POOL_2D:
        return operation.code == _MEAN
    options = operation.options
    try:
        return options is not None and before[1:3] == (
            options.integer(_FILTER_HEIGHT, "i"),
            options.integer(_FILTER_WIDTH, "i"),
        )
    except FlatbufferError:
        return False


def _weights(
    file: ModelFile, writers: Mapping[int, OpInfo], tensor: int, name: str
) -> NDArray[np.float32]:
    """Return constant weights as real numbers, float32 [outputs, inputs]."""
    maker = writers.get(tensor)
    if maker is not None and maker.code == _DEQUANTIZE:  # how float16 files store constants
        tensor = maker.inputs[0]
    info = file.main.tensors[tensor]
    raw = file.buffer(info.buffer)
    if info.dtype not in _WEIGHT_TYPES or info.sparse or not raw:
        raise _without(name, f"has a last layer of {info.dtype} that is packed or computed")
    values = np.frombuffer(raw, _WEIGHT_TYPES[info.dtype]).astype(np.float32)
    return _real(values.reshape(info.shape[0], -1), info)


def _real(codes: NDArray[np.float32], info: TensorInfo) -> NDArray[np.float32]:
    """Turn codes [outputs, inputs], with a scale for all or for each output, into real numbers."""
    if not info.scales:
        return codes
    scales = np.asarray(info.scales, np.float32)[:, None]
    zeros = np.asarray(info.zero_points or (0,), np.float32)[:, None]
    return np.asarray((codes - zeros) * scales, np.float32)


def _with_output(file: ModelFile, tensor: int) -> bytes:
    """Return the file with a tensor as a second output; all operations stay as they are."""
    model = schema.read(file.content)
    graphs = schema.tables(model, _GRAPHS)
    outputs = numbers("i", [*file.main.outputs, tensor])
    graphs[0] = Table(graphs[0].fields | {_OUTPUTS: outputs})
    kept = {field: part for field, part in model.fields.items() if field not in _DESCRIBING}
    return schema.write(Table(kept | {_GRAPHS: Tables(graphs)}))


def _without(name: str, reason: str) -> ModelError:
    return ModelError(
        "a classifier whose last layer takes the mean of a feature map",
        f"{name}, which {reason}",
        "use the method occlusion, which looks at the scores only",
        code="model-without-feature-map",
        summary=f"{name} {reason}, so that it has no class activation map",
    )
