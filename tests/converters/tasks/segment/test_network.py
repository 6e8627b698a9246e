"""The segmenter: logits of cells, with operations of an Edge TPU, alike in all number formats."""

import micro_detector
import micro_segmenter
import numpy as np
import pytest

from converters.edgetpu.prediction import check
from converters.tasks.segment import files
from converters.tasks.segment.network import FAST_STRIDE, STRIDE, SegmenterNetwork, build
from edge import interpreter
from edge.preprocessing import Preprocessing

SIZE, CLASSES = micro_segmenter.SIZE, 3
PREPROCESSING = Preprocessing(SIZE, SIZE)


def network(stride: int = STRIDE) -> SegmenterNetwork:
    return build(micro_detector.trunk(), SIZE, stride, CLASSES, seed=0)


def run(content: bytes, pixels: np.ndarray) -> np.ndarray:
    runtime = interpreter.load(content, name="m", delegate="cpu", threads=1, trusted=True)
    spec = runtime.inputs[0]
    image = pixels if spec.dtype == "uint8" else PREPROCESSING.normalize(pixels)
    (output,) = runtime.invoke(image[None])
    return runtime.outputs[0].dequantize(output)[0]


@pytest.mark.parametrize("stride", [STRIDE, FAST_STRIDE])
def test_files_agree_and_are_whole_on_the_edge_tpu(stride: int) -> None:
    made = network(stride)
    samples = np.stack([image.pixels for image in micro_segmenter.images(8)])
    contents = {
        "float32": files.to_float32(made),
        "float16": files.to_float16(made),
        "int8": files.to_int8(made, samples, PREPROCESSING),
    }
    outputs = {name: run(content, samples[0]) for name, content in contents.items()}
    side = SIZE // stride
    assert {output.shape for output in outputs.values()} == {(side, side, CLASSES)}
    spread = outputs["float32"].std()
    for name, tolerance in (("float16", 0.02), ("int8", 0.3)):
        assert np.abs(outputs[name] - outputs["float32"]).mean() < tolerance * spread
    assert check(contents["int8"], "int8").to_dict()["cpu"] == {}
    assert len(contents["int8"]) < len(contents["float16"]) < len(contents["float32"])


def test_fast_networks_compute_less() -> None:
    assert len(network(FAST_STRIDE).used_nodes()) < len(network().used_nodes())
