"""A TFLite model of one operation, to test that an interpreter or a delegate runs at all."""

import flatbuffers

INPUT = (-1.0, 2.0)
"""Values of the input."""

OUTPUT = (0.0, 2.0)
"""Expected values of the output: RELU of the input."""

_RELU, _VERSION = 19, 3


def build_probe_model() -> bytes:
    """Return a model with one RELU, from float32 [2] to float32 [2].

    The slots are the fields of Model, SubGraph, Tensor, OperatorCode and Operator, in the order of
    TensorFlow Lite's schema.fbs.
    """
    builder = flatbuffers.Builder(512)
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


def _tensor(builder: flatbuffers.Builder, name: str) -> int:
    """Add a tensor; type and buffer stay 0: float32, without data."""
    return _table(builder, {0: _integers(builder, [len(INPUT)]), 3: builder.CreateString(name)})


def _operator(builder: flatbuffers.Builder) -> int:
    """Add an operator; its code index stays 0, the only one."""
    return _table(builder, {1: _integers(builder, [0]), 2: _integers(builder, [1])})


def _operator_code(builder: flatbuffers.Builder) -> int:
    """Add the code in the old and in the new field, as the converter does."""
    builder.StartObject(4)
    builder.PrependInt8Slot(0, _RELU, 0)
    builder.PrependInt32Slot(2, 1, 0)
    builder.PrependInt32Slot(3, _RELU, 0)
    return int(builder.EndObject())


def _table(builder: flatbuffers.Builder, offsets: dict[int, int]) -> int:
    builder.StartObject(max(offsets, default=-1) + 1)
    for slot, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return int(builder.EndObject())


def _tables(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _integers(builder: flatbuffers.Builder, values: list[int]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependInt32(value)
    return int(builder.EndVector())
