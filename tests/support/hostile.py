"""Model files that somebody made to harm: valid FlatBuffers, with parts that are not."""

import io
import zipfile
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


def shared_tensor(count: int, rank: int) -> bytes:
    """A model with ``count`` tensors that are one table, whose shape has ``rank`` sizes."""
    builder = flatbuffers.Builder(1024)
    shape = builder.CreateNumpyVector(np.ones(rank, np.int32))
    schema.TensorStart(builder)
    schema.TensorAddShape(builder, shape)
    tensor = schema.TensorEnd(builder)
    return _model(builder, [tensor] * count)


def shared_name(count: int) -> bytes:
    """A model with ``count`` tensors that share a name of ``100 * count`` letters."""
    builder = flatbuffers.Builder(1024)
    name = builder.CreateString("x" * (100 * count))
    tensors = []
    for _ in range(count):
        schema.TensorStart(builder)
        schema.TensorAddName(builder, name)
        tensors.append(schema.TensorEnd(builder))
    return _model(builder, tensors)


def _model(builder: flatbuffers.Builder, tensors: list[int]) -> bytes:
    def vector(items: list[int]) -> int:
        builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            builder.PrependUOffsetTRelative(item)
        return int(builder.EndVector())

    listed = vector(tensors)
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, listed)
    graphs = vector([schema.SubGraphEnd(builder)])
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    builder.Finish(schema.ModelEnd(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def with_files(content: bytes, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """The model with other files packed behind it; it has to have metadata already."""
    start = content.find(b"PK\x03\x04")
    archive = io.BytesIO()
    archive.write(content[: start if start > 0 else None])
    with zipfile.ZipFile(archive, "a", method) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return archive.getvalue()


def edited(content: bytes, edit: Any) -> bytes:
    """The model after ``edit`` has changed its generated ``ModelT``."""
    model = schema.ModelT.InitFromPackedBuf(content)
    edit(model)
    builder = flatbuffers.Builder(len(content) + 1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def calling(first: int, second: int) -> bytes:
    """A model whose main graph calls subgraph ``first``, and subgraph 1 calls ``second``."""

    def edit(model: Any) -> None:
        model.operatorCodes = [schema.OperatorCodeT()]
        model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CALL_ONCE
        graphs = []
        for callee in (first, second, None):
            graph = schema.SubGraphT()
            graph.tensors, graph.operators = [], []
            if callee is not None:
                operator = schema.OperatorT()
                operator.builtinOptionsType = schema.BuiltinOptions.CallOnceOptions
                operator.builtinOptions = schema.CallOnceOptionsT()
                operator.builtinOptions.initSubgraphIndex = callee
                graph.operators = [operator]
            graphs.append(graph)
        model.subgraphs = graphs

    return edited(shared_tensor(1, rank=1), edit)
