"""The int8 file is integer throughout, takes pixels, and agrees with float32."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import written_backbone
from written_networks import run_each

from converters.edgetpu.prediction import check
from converters.writer.float_files import to_float32
from converters.writer.folding import FoldedNetwork, fold
from converters.writer.int8_file import to_int8
from converters.writer.ranges import Ranges, measure
from edge.modelfile import operations, tflite

JUDGES = Path(__file__).parents[2] / "support" / "judges.py"


@pytest.fixture(scope="module")
def content(network: FoldedNetwork, ranges: Ranges) -> bytes:
    return to_int8(network, ranges)


def scores_of(content: bytes, pixels: np.ndarray) -> np.ndarray:
    return run_each(content, pixels[:, None])


@pytest.fixture(scope="module")
def truth(network: FoldedNetwork, inputs: np.ndarray) -> np.ndarray:
    return scores_of(to_float32(network), inputs)


def test_it_agrees_with_float32(content: bytes, truth: np.ndarray, images: np.ndarray) -> None:
    scores = scores_of(content, images)
    assert np.ptp(truth, axis=0).min() > 0.5, "the network must tell its classes apart"
    assert np.abs(scores - truth).mean() < 0.02
    assert (scores.argmax(1) == truth.argmax(1)).mean() >= 0.9


def test_the_edge_tpu_would_run_all_of_it(content: bytes) -> None:
    prediction = check(content, "model.tflite")
    assert prediction.to_dict()["cpu"] == {}
    assert operations.quantization(tflite.parse(content))["kind"] == "full integer"


def test_operations_have_the_versions_that_old_runtimes_know(content: bytes) -> None:
    counts = operations.operations(tflite.parse(content))
    assert {op.name: op.version for op in counts} == {
        "QUANTIZE": 1, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "ADD": 2, "MEAN": 2,
        "FULLY_CONNECTED": 4, "SOFTMAX": 2,
    }  # fmt: skip
    assert sum(op.count for op in counts) == 67


def test_the_ends_are_pixels_and_256ths(content: bytes) -> None:
    file = tflite.parse(content)
    (image,), (scores,) = file.inputs, file.outputs
    assert (image.dtype, image.zero_points) == ("uint8", (127,))
    assert image.scales == pytest.approx((2 / 255,))
    assert (scores.dtype, scores.scales, scores.zero_points) == ("uint8", (1 / 256,), (0,))


@pytest.mark.parametrize(
    ("input_type", "output_type"), [("int8", "int8"), ("float32", "float32"), ("int8", "uint8")]
)
def test_other_ends_say_the_same(
    network: FoldedNetwork, ranges: Ranges, content: bytes, images: np.ndarray,
    inputs: np.ndarray, input_type: str, output_type: str,
) -> None:  # fmt: skip
    other = to_int8(network, ranges, input_type=input_type, output_type=output_type)
    fed = (
        (images[:4].astype(np.int16) - 128).astype(np.int8) if input_type == "int8" else inputs[:4]
    )
    np.testing.assert_allclose(
        scores_of(other, fed), scores_of(content, images[:4]), atol=1.01 / 256
    )


def test_without_a_head_it_ends_in_the_embedding(
    network: FoldedNetwork, ranges: Ranges, images: np.ndarray, inputs: np.ndarray
) -> None:
    headless = replace(network, head=None)
    exact = scores_of(to_float32(headless), inputs[:4])
    close = scores_of(to_int8(headless, ranges, output_type="int8"), images[:4])
    assert np.corrcoef(exact.ravel(), close.ravel())[0, 1] > 0.97


def test_dead_channels_and_pruned_widths(images: np.ndarray, inputs: np.ndarray) -> None:
    """Channels without variance make BatchNorm divide by almost nothing, or leave only a bias."""
    _, pruned = written_backbone.narrowed(written_backbone.weights())
    gamma, beta, mean, variance = pruned["block_5_depthwise_BN"]
    pruned["block_5_depthwise"][0][:, :, :3] = 1e-14
    pruned["block_5_depthwise_BN"] = [gamma, beta + 2, mean * 0, variance]
    backbone = fold(pruned, written_backbone.SIZE)
    ranges = measure(backbone, images, written_backbone.PREPROCESSING)
    exact = scores_of(to_float32(backbone), inputs[:4])
    close = scores_of(to_int8(backbone, ranges, output_type="float32"), images[:4])
    assert np.corrcoef(exact.ravel(), close.ravel())[0, 1] > 0.97


def test_tflite_runtime_runs_it(content: bytes, images: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("tflite_runtime")
    (tmp_path / "model.tflite").write_bytes(content)
    np.savez(tmp_path / "images.npz", *images[:2])
    files = [tmp_path / name for name in ("model.tflite", "images.npz", "answer.json")]
    subprocess.run([sys.executable, JUDGES, "tflite-runtime", *files], check=True, timeout=120)
    scores = json.loads(files[2].read_text())["scores"]
    np.testing.assert_allclose(scores, scores_of(content, images[:2]), atol=6 / 256)
