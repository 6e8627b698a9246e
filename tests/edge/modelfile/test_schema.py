"""Files are copied part by part, and nothing of them changes."""

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as generated
from edgetpu_graphs import Sketch, options
from errors import raises_code

from edge.modelfile import schema, tflite


def plain(value: Any) -> Any:
    """The generated objects as plain values."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tolist()
    if type(value).__module__ == generated.__name__:
        return {name: plain(item) for name, item in vars(value).items()}
    return value


def parts(content: bytes) -> Any:
    return plain(generated.ModelT.InitFromPackedBuf(content))


def various() -> bytes:
    """A model with options that hold vectors, texts and numbers of all sizes."""
    sketch = Sketch()
    image = sketch.input([1, 8, 8, 4], "float32", signature=[-1, 8, 8, 4])
    flat = sketch.op(
        "RESHAPE", [image], [1, 256], "float32",
        options=options("ReshapeOptions", newShape=np.array([1, 256], np.int32)),
    )  # fmt: skip
    sorted_ = sketch.op(
        "BUCKETIZE", [flat], [1, 256], "int32",
        options=options("BucketizeOptions", boundaries=np.array([0.5, 2], np.float32)),
    )  # fmt: skip
    handle = sketch.op(
        "VAR_HANDLE", [], [], "int32",
        options=options("VarHandleOptions", container="c", sharedName="s"),
    )  # fmt: skip
    custom = sketch.op("CUSTOM:Own", [flat, handle], [1, 4], "float32")
    return sketch.finish(sorted_, custom)


def test_a_copy_has_the_same_parts(tiny_model: Any) -> None:
    for content in (various(), tiny_model("float32"), tiny_model("int8")):
        copy = schema.write(schema.read(content))
        assert parts(copy) == parts(content)
        assert schema.write(schema.read(copy)) == copy


@pytest.mark.realdata
def test_copies_of_real_models_have_the_same_parts(test_data: Path) -> None:
    paths = sorted((test_data / "edgetpu" / "more").rglob("*.tflite"))[:12]
    paths += sorted((test_data / "models").glob("mobilenet*.tflite"))
    for path in paths:
        content = path.read_bytes()
        copy = schema.write(schema.read(content))
        assert parts(copy) == parts(content), path.name
        assert {start % 16 for start, size in tflite.parse(copy).buffers if size} == {0}


def test_the_table_of_offsets_is_that_of_the_generated_reader() -> None:
    """Every field with an offset is known, or a newer schema has added one: add it to the table."""
    for name, fields in schema.OFFSETS.items():
        known = set(fields)
        assert known == offset_fields(getattr(generated, name)), name
    tables = {name for _, members in schema.UNIONS.values() for name in members.values()}
    for name in dir(generated):
        if name.endswith("Options") and offset_fields(getattr(generated, name)):
            assert name in tables, name


def offset_fields(kind: Any) -> set[int]:
    """Numbers of the fields whose generated reader follows an offset."""
    fields = set()
    for _, function in inspect.getmembers(kind, inspect.isfunction):
        source = inspect.getsource(function)
        slot = re.search(r"_tab\.Offset\((\d+)\)", source)
        if slot and re.search(r"_tab\.(Vector|String|Indirect|Union)\(", source):
            fields.add((int(slot[1]) - 4) // 2)
    return fields


def test_the_unions_end_where_the_generated_ones_do() -> None:
    for name, (last, members) in schema.UNIONS.items():
        numbers = {k: v for k, v in vars(getattr(generated, name)).items() if isinstance(v, int)}
        assert last == max(numbers.values())
        assert all(numbers[member] == number for number, member in members.items())


def test_options_that_are_newer_than_the_toolkit_are_refused(tiny_model: Any) -> None:
    content = tiny_model("float32")
    model = schema.read(content)
    graph = schema.tables(model, 2)[0]
    schema.tables(graph, 3)[1].fields[3] = schema.Scalar(b"\xff")
    with raises_code("model-too-new", found="255"):
        schema.read(schema.write(model))


def test_weights_behind_the_flatbuffer_are_refused() -> None:
    sketch = Sketch()
    image = sketch.input([1, 4], "float32")
    total = sketch.op("ADD", [image, sketch.constant([[1, 2, 3, 4]], "float32")], [1, 4], "float32")
    with raises_code("model-too-large"):
        schema.read(sketch.finish(total, detached=True))


def test_a_part_outside_the_file_is_a_clear_error(tiny_model: Any) -> None:
    with raises_code("model-damaged"):
        schema.read(tiny_model("float32")[:400])
