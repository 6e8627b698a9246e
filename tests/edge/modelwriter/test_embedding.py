"""Classifiers lose their head; what has no embedding is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from ai_edge_litert import schema_py_generated as schema
from errors import raises_code
from tiny_models import EXECUTABLE, FLOAT32, Parts, compiled_extractor
from written_networks import FEATURES, SIDE, Small, run

from edge.modelfile import metadata, tflite
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.modelwriter import operations
from edge.modelwriter.embedding import behead, split_off_head
from edge.modelwriter.network import Network, Tensor, constant, to_bytes
from edge.modelwriter.pruning import cut_in_two


def test_a_classifier_ends_in_its_embedding() -> None:
    small = Small()
    image = np.random.default_rng(2).uniform(-1, 1, (SIDE, SIDE, 3)).astype(np.float32)
    extractor = behead(small.content())
    assert extractor.dimension == FEATURES
    np.testing.assert_allclose(
        run(extractor.content, image[None])[0], small.embedding(image), atol=1e-6
    )


def test_what_the_head_had_is_gone() -> None:
    content = write_metadata(Small().content(), ModelMetadata(labels=("a", "b", "c", "d")))
    file = tflite.parse(behead(content).content)
    assert metadata.of(file) is None
    assert [tensor.name for tensor in file.main.tensors if "head" in tensor.name] == []
    used = {tensor.buffer for tensor in file.main.tensors}
    assert used == set(range(len(file.buffers)))
    codes = schema.ModelT.InitFromPackedBuf(file.content).operatorCodes
    assert [code.builtinCode for code in codes] == [3, 4, 0, 40]
    assert b"labels.txt" not in file.content


def test_an_extractor_stays_as_it_is() -> None:
    once = behead(Small().content())
    assert behead(once.content).content == once.content


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
@pytest.mark.parametrize("logits", [False, True])
def test_every_type_of_classifier(dtype: str, logits: bool) -> None:
    extractor = behead(tiny_models.color_model(dtype, logits=logits))
    assert extractor.embedding.dtype == dtype
    assert extractor.dimension == 3 * tiny_models.SIDE**2


def test_a_compiled_extractor_keeps_its_operation_to_the_byte() -> None:
    extractor = behead(compiled_extractor(0.02))
    assert (extractor.dimension, extractor.embedding.zero_points) == (5, (3,))
    (operation,) = tflite.parse(extractor.content).main.operators
    start, size = operation.custom_options
    assert extractor.content[start : start + size] == EXECUTABLE


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (tiny_models.ssd_model, "4 outputs"),
        (tiny_models.detector_model, "no layer of features"),
        (tiny_models.edgetpu_model, "compiled together with its last layer"),
        (lambda: compiled_extractor(0.02, tail=True), "compiled together with its last layer"),
    ],
)
def test_a_model_without_an_embedding(make: Callable[[], bytes], found: str) -> None:
    with raises_code("model-without-embedding", found=found):
        behead(make(), "other.tflite")


def test_a_head_on_the_pixels_themselves_has_no_embedding() -> None:
    parts = Parts()
    kernel = np.eye(2, 4, dtype=np.float32)
    tensors = [
        parts.tensor("data", [1, 4], FLOAT32),
        parts.tensor("kernel", [2, 4], FLOAT32, data=kernel),
        parts.tensor("logits", [1, 2], FLOAT32),
    ]
    operator = parts.operator(tiny_models.FULLY_CONNECTED, [0, 1, -1], [2])
    with raises_code("model-without-embedding", found="single layer"):
        behead(parts.pack(tensors, [operator], [0], [2]))


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("file", "dimension"),
    [
        ("models/mobilenet_v1_0.25_128_quant.tflite", 256),
        ("models/mobilenet_v2_1.0_224_inat_bird_quant.tflite", 1280),
        ("models/tf2_mobilenet_v2_1.0_224_ptq.tflite", 1280),
        (
            "edgetpu/models/mobilenet_v1_1.0_224_quant_embedding_extractor_google-coral.tflite",
            1024,
        ),
    ],
)
def test_real_classifiers_have_an_embedding(test_data: Path, file: str, dimension: int) -> None:
    content = (test_data / file).read_bytes()
    assert behead(content).dimension == dimension


@pytest.mark.realdata
def test_real_detectors_and_compiled_classifiers_have_none(test_data: Path) -> None:
    for name in (
        "coco_ssd_mobilenet_v1_1.0_quant", "yolo_fastest_1.1_int8",
        "movenet_single_pose_lightning_ptq",
        "deeplabv3_mnv2_dm05_pascal_quant", "mobilenet_v1_0.25_128_quant_edgetpu",
    ):  # fmt: skip
        with raises_code("model-without-embedding"):
            behead((test_data / "models" / f"{name}.tflite").read_bytes(), name)


def test_both_parts_of_a_classifier_compute_what_the_whole_does() -> None:
    content = write_metadata(Small().content(), ModelMetadata(labels=("a", "b", "c", "d")))
    image = np.random.default_rng(3).uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32)
    extractor, head = split_off_head(content)
    assert extractor == behead(content).content
    np.testing.assert_array_equal(run(head, run(extractor, image)), run(content, image))
    assert [operation.code for operation in tflite.parse(head).main.operators] == [9, 25]


def test_an_extractor_has_no_head_to_split_off() -> None:
    extractor = behead(Small().content())
    with raises_code("model-not-separable", found="nothing follows it"):
        split_off_head(extractor.content, "extractor.tflite")


def test_a_head_that_reads_more_than_the_embedding_is_not_split_off() -> None:
    image = Tensor("image", (1, 2, 2, 4), "float32")
    pooled, logits, sums = (Tensor(name, (1, 4), "float32") for name in ("pooled", "y", "z"))
    weights = constant("w", np.eye(4, dtype=np.float32)), constant("b", np.zeros(4, np.float32))
    steps = (
        operations.spatial_mean(image, pooled),
        operations.fully_connected(pooled, *weights, logits),
        operations.softmax(logits, sums),
    )
    skipping = (*steps[:2], operations.add(logits, pooled, sums))
    assert split_off_head(to_bytes(Network((image,), (sums,), steps)))
    file = tflite.parse(to_bytes(Network((image,), (sums,), skipping)))
    first = file.main.operators[1].outputs[0]
    with raises_code("model-not-separable", found="other values go on"):
        cut_in_two(file, first)
