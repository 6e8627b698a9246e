"""Invalid and truncated model files are rejected before an interpreter reads them."""

import random
import time

import hostile
import pytest
from errors import raises_code

from edge import interpreter
from edge.errors import ModelError
from edge.modelfile import metadata, tflite
from edge.modelfile.metadata_writer import write_metadata


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_every_truncation_is_rejected(tiny_model, dtype):
    content = write_metadata(tiny_model(dtype), metadata.ModelMetadata(labels=("r", "g", "b")))
    whole = tflite.parse(content).end  # cut there, it is a model without its labels
    for length in (*range(whole), *range(whole + 1, len(content))):
        with pytest.raises(ModelError):
            interpreter.load(content[:length], name="cut.tflite")


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "model-not-tflite", "empty"),
        (b"just some text, long enough", "model-not-tflite", "thing.tflite"),
        (b"PK\x03\x04" + bytes(100), "model-not-tflite", "zip"),
        (b"\x00\x00\x00\x00TFL3", "model-damaged", "thing.tflite"),
        (b"\xff\xff\xff\xffTFL3" + bytes(64), "model-damaged", "thing.tflite"),
    ],
)
def test_other_kinds_of_files_are_named(content, code, words):
    with raises_code(code, found=words):
        tflite.parse(content, "thing.tflite")


@pytest.mark.parametrize(
    "content", [hostile.shared_tensor(50_000, rank=16), hostile.shared_name(2_000)]
)
def test_reading_ends_however_often_parts_are_shared(content):
    start = time.process_time()
    with raises_code("model-damaged", found="far too often"):
        tflite.parse(content)
    assert time.process_time() - start < 2


def test_a_tensor_of_very_many_dimensions_is_refused():
    with raises_code("model-damaged", found="300 dimensions"):
        tflite.parse(hostile.shared_tensor(1, rank=300))


def test_a_file_is_rejected_by_its_first_bytes(tmp_path):
    with raises_code("model-unreadable", found=str(tmp_path)):
        tflite.read_file(tmp_path)
    with raises_code("model-unreadable", found="absent.tflite"):
        tflite.read_file(tmp_path / "absent.tflite")


def test_tensors_and_operations_of_a_model(tiny_model):
    file = tflite.parse(tiny_model("int8"))
    (image,), (scores,) = file.inputs, file.outputs
    assert (image.name, image.shape, image.dtype) == ("image", (1, 4, 4, 3), "int8")
    assert (scores.scales, scores.zero_points) == ((1 / 256,), (-128,))
    assert [op.code for op in file.main.operators] == [tflite.RESHAPE, 9, 25]
    assert not file.for_edgetpu


def test_options_of_an_operation(tiny_model):
    reshape, dense, softmax = tflite.parse(tiny_model("int8")).main.operators
    assert softmax.options is not None and softmax.options.real(0) == 1.0  # beta
    assert dense.options is not None and dense.options.integer(0, "b") == 0  # no activation
    assert reshape.options is None  # the shape is an input


def test_an_edge_tpu_model_is_recognized(edgetpu_model):
    assert tflite.parse(edgetpu_model()).for_edgetpu


@pytest.mark.realdata
def test_every_real_model_is_read(test_data):
    files = sorted(test_data.glob("models/**/*.tflite")) + sorted(
        test_data.glob("edgetpu/models/*.tflite")
    )
    assert files
    for file in files:
        parsed = tflite.parse(file.read_bytes(), file.name)
        assert parsed.main.operators, file
        assert parsed.for_edgetpu == ("_edgetpu" in file.name), file


@pytest.mark.realdata
def test_a_truncated_real_model_is_rejected(test_data):
    content = (test_data / "models" / "mobilenet_v1_0.25_128_quant.tflite").read_bytes()
    chance = random.Random(1)
    lengths = [chance.randrange(len(content)) for _ in range(60)]
    for length in [*lengths, len(content) - 1, 8, 100]:
        with pytest.raises(ModelError):
            interpreter.load(content[:length], name="cut.tflite")
