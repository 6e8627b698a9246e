"""Small quantized graphs for the rules of the Edge TPU, put together operation by operation."""

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {
    "float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "int16": 7, "int8": 9,
}  # fmt: skip


class Sketch:
    """A graph in the making: its methods return indices of tensors.

    >>> sketch = Sketch()
    >>> image = sketch.input([1, 8, 8, 4])
    >>> content = sketch.finish(sketch.op("RELU", [image], [1, 8, 8, 4]))
    """

    def __init__(self) -> None:
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._graph.inputs = []
        self._codes: list[Any] = []
        self._buffers = [schema.BufferT()]

    def input(self, shape: Sequence[int], dtype: str = "int8", **attributes: Any) -> int:
        index = self._tensor(shape, dtype, **attributes)
        self._graph.inputs.append(index)
        return index

    def constant(self, values: Any, dtype: str = "int32") -> int:
        """A constant; ``values`` as numpy takes them."""
        array = np.asarray(values, dtype)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self._buffers.append(buffer)
        return self._tensor(array.shape, dtype, buffer=len(self._buffers) - 1)

    def op(
        self,
        op: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        dtype: str = "int8",
        *,
        version: int = 1,
        options: Any = None,
        outputs: int = 1,
        **attributes: Any,
    ) -> int:
        """An operation and its (first) output; ``CUSTOM:Name`` is one of its own."""
        output = self._tensor(shape, dtype, **attributes)
        more = [self._tensor(shape, dtype, **attributes) for _ in range(outputs - 1)]
        kind, _, own = op.partition(":")
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version, code.customCode = version, own or None
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self._codes)
        operator.inputs = np.asarray(inputs, np.int32)
        operator.outputs = np.asarray([output, *more], np.int32)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self._codes.append(code)
        self._graph.operators.append(operator)
        return output

    def finish(self, *outputs: int, detached: bool = False) -> bytes:
        """The model as the bytes of a .tflite file; with constants ``detached`` behind it."""
        self._graph.outputs = np.asarray(outputs, np.int32)
        self._graph.inputs = np.asarray(self._graph.inputs, np.int32)
        model = schema.ModelT()
        model.version, model.subgraphs = 3, [self._graph]
        model.operatorCodes, model.buffers = self._codes, self._buffers
        return _detached(model) if detached else _packed(model)

    def _tensor(
        self,
        shape: Sequence[int],
        dtype: str,
        *,
        name: str = "",
        buffer: int = 0,
        signature: Sequence[int] | None = None,
        scale: float = 0.5,
    ) -> int:
        tensor = schema.TensorT()
        tensor.name = name or f"tensor{len(self._graph.tensors)}"
        tensor.type, tensor.buffer = TYPES[dtype], buffer
        tensor.shape = np.asarray(shape, np.int32)
        if signature is not None:
            tensor.shapeSignature = np.asarray(signature, np.int32)
        if scale and dtype in ("int8", "uint8", "int16"):
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.asarray([scale], np.float32)
            tensor.quantization.zeroPoint = np.asarray([0], np.int64)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1


def _packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _detached(model: Any) -> bytes:
    """Pack a model as the converter does above 2 GB: buffers lie at ``offset`` in the file."""
    constants = [buffer for buffer in model.buffers if buffer.data is not None]
    data = [buffer.data.tobytes() for buffer in constants]
    for buffer, content in zip(constants, data, strict=True):
        buffer.data, buffer.offset, buffer.size = None, 2, len(content)
    end = len(_packed(model))  # the size does not depend on the offsets
    for buffer, content in zip(constants, data, strict=True):
        buffer.offset, end = end, end + len(content)
    return _packed(model) + b"".join(data)


def options(kind: str, **fields: Any) -> Any:
    """Builtin options by the name of their table, such as ``Conv2DOptions``."""
    table = getattr(schema, f"{kind}T")()
    for name, value in fields.items():
        assert hasattr(table, name), f"{kind} has no {name}"
        setattr(table, name, value)
    return table
