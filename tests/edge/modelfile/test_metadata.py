"""Metadata is written to a model file, read again, and replaced."""

import io
import json
import zipfile

import hostile
import numpy as np
import pytest
from errors import raises_code

from edge.modelfile import metadata, tflite
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.tasks.classify.classifier import Classifier

ABOUT = ModelMetadata(
    name="Colors",
    description="Names the color: röd, grön, blå.",
    labels=("red", "grön", "blue, dark"),
    mean=(127.5,),
    std=(127.5,),
    threshold=0.625,
    provenance={"seed": 3, "weights": {"name": "none"}},
    author="A maker",
    license="Apache-2.0",
    version="1.2",
)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_metadata_survives_a_round_trip(tiny_model, dtype):
    assert metadata.read(write_metadata(tiny_model(dtype), ABOUT)) == ABOUT


def test_a_model_without_metadata_has_none(tiny_model):
    assert metadata.read(tiny_model()) is None


def test_writing_leaves_the_model_as_it_was(tiny_model, red):
    plain = tiny_model("int8")
    before, after = (
        Classifier.from_bytes(content, name="colors")
        for content in (plain, write_metadata(plain, ABOUT))
    )
    pixels = before.preprocessing.resize(red)
    np.testing.assert_array_equal(before.scores(pixels), after.scores(pixels))
    assert [op.code for op in before.runtime.file.main.operators] == [
        op.code for op in after.runtime.file.main.operators
    ]


def test_writing_again_replaces_description_and_files(tiny_model):
    other = ModelMetadata(name="Other", labels=("a", "b", "c"))
    content = write_metadata(write_metadata(tiny_model(), ABOUT), other)
    assert metadata.read(content) == other
    assert content == write_metadata(tiny_model(), other)
    assert b"provenance" not in content
    assert b"Apache-2.0" not in content
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.namelist() == ["labels.txt"]


def test_labels_can_be_read_with_zipfile_alone(tiny_model):
    with zipfile.ZipFile(io.BytesIO(write_metadata(tiny_model(), ABOUT))) as packed:
        assert packed.read("labels.txt").decode().splitlines() == list(ABOUT.labels)
        assert all(item.compress_type == zipfile.ZIP_STORED for item in packed.infolist())


def test_every_buffer_is_aligned_to_16_bytes(tiny_model):
    file = tflite.parse(write_metadata(tiny_model("float32", classes=5), ABOUT))
    assert {start % 16 for start, size in file.buffers if size} == {0}


def test_one_value_per_channel(tiny_model):
    about = ModelMetadata(mean=(123.7, 116.3, 103.5), std=(58.4, 57.1, 57.4))
    read = metadata.read(write_metadata(tiny_model("float32"), about))
    assert read.mean == pytest.approx(about.mean)
    assert read.std == pytest.approx(about.std)
    assert read.labels is None


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_a_threshold_without_labels(tiny_model, dtype):
    content = write_metadata(tiny_model(dtype), ModelMetadata(threshold=0.9))
    assert metadata.read(content).threshold == pytest.approx(0.9)
    assert metadata.read(write_metadata(content, ModelMetadata())).threshold is None


@pytest.mark.parametrize("value", [0.0, -3.4e38, 1.5, float("nan"), float("inf")])
def test_an_invalid_threshold_is_ignored(tiny_model, value):
    content = write_metadata(tiny_model(), ModelMetadata(labels=ABOUT.labels, threshold=value))
    assert metadata.read(content) == ModelMetadata(labels=ABOUT.labels)


def test_missing_packed_files_are_named(tiny_model):
    content = write_metadata(tiny_model(), ABOUT)
    stripped = metadata.read(content[: tflite.parse(content).end])
    assert stripped.labels is None
    assert stripped.missing == ("provenance.json", "labels.txt")
    assert stripped.mean == (127.5,)


def test_a_label_with_a_line_break_is_rejected(tiny_model):
    with raises_code("label-multiline", found="gre"):
        write_metadata(tiny_model(), ModelMetadata(labels=("red", "gre\nen", "blue")))


def test_damaged_metadata_is_a_clear_error(tiny_model):
    content = bytearray(write_metadata(tiny_model(), ABOUT))
    content[content.index(b"M001") : content.index(b"M001") + 4] = b"X001"
    with raises_code("metadata-damaged"):
        metadata.read(bytes(content))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:60] + b"\xff" * 20 + data[80:], id="data"),
        pytest.param(lambda data: data.replace(b"BZh9", b"BZhx"), id="header"),
    ],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_zip_is_a_clear_error(tiny_model, method, damage):
    whole = write_metadata(tiny_model(), ABOUT)
    files = {"labels.txt": b"red\ngreen\nblue\n" * 40}
    packed = hostile.with_files(whole, files, method)
    assert len(metadata.read(packed).labels) == 120
    end = tflite.parse(whole).end
    damaged = packed[:end] + damage(packed[end:])
    if damaged != packed:
        with raises_code("metadata-damaged"):
            metadata.read(damaged)


def test_packed_files_are_read_up_to_a_total_size(tiny_model):
    zeros = bytes(metadata.MAX_PACKED_BYTES // 3 + 1)
    files = {"a.bin": zeros, "b.bin": zeros, "c.bin": zeros, "labels.txt": b"r\ng\nb\n"}
    content = hostile.with_files(write_metadata(tiny_model(), ABOUT), files, zipfile.ZIP_DEFLATED)
    file = tflite.parse(content)
    assert metadata.packed_files(content, file.end).keys() == {"a.bin", "b.bin", "labels.txt"}
    assert metadata.of(file).labels == ("r", "g", "b")


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"a":' * 200_000, '{"a":' * 40 + "1" + "}" * 40, '"x"', '{"a": ' + "9" * 5000],
)
def test_provenance_that_is_none_is_left_out(tiny_model, text):
    content = write_metadata(tiny_model(), ABOUT)
    about = metadata.read(hostile.with_files(content, {"provenance.json": text.encode()}))
    assert (about.provenance, about.name) == (None, ABOUT.name)


def test_numbers_that_json_lacks_become_null(tiny_model):
    text = b'{"loss": NaN, "range": [-Infinity, 1e999, 1.5]}'
    content = write_metadata(tiny_model(), ABOUT)
    about = metadata.read(hostile.with_files(content, {"provenance.json": text}))
    assert about.provenance == {"loss": None, "range": [None, None, 1.5]}
    json.dumps(about.provenance, allow_nan=False)


def test_an_exporters_task_goes_along_when_metadata_is_written_again(tiny_model):
    content = write_metadata(tiny_model("float32"), ModelMetadata(task="pose", labels=("person",)))
    about = metadata.read(content)
    assert (about.task, about.labels) == ("pose", ("person",))
    assert metadata.read(write_metadata(content, about)).task == "pose"
