"""The MobileNet of an SSD becomes a trunk, whatever its tensors are named; others are refused."""

from pathlib import Path

import micro_detector
import numpy as np
import pytest
from errors import raises_code

from converters.pyramid.part import FrozenLayers
from converters.pyramid.ssd_trunk import read_trunk
from converters.pyramid.trunk import Trunk, of_blocks
from converters.writer import graph_files
from converters.writer.folding import FoldedBlock
from converters.writer.graph import GraphNetwork
from edge.preprocessing import Preprocessing

V1 = [
    (6, 1, False), (8, 2, False), (8, 1, False), (10, 2, False), (10, 1, False), (12, 2, False),
    *[(12, 1, False)] * 5, (14, 2, False), (14, 1, False),
]  # fmt: skip
V2 = [
    (4, 1, False), (6, 2, False), (6, 1, True), (8, 2, False), (8, 1, True), (8, 1, True),
    (10, 2, False), *[(10, 1, True)] * 3, (12, 1, False), (12, 1, True), (12, 1, True),
    (14, 2, False), (14, 1, True), (14, 1, True), (16, 1, False),
]  # fmt: skip
SIZE = 64


def trunk_of(blocks: tuple[FoldedBlock, ...]) -> Trunk:
    last = len(blocks) - 1
    taps = {13: {4: 3, 8: 5, 16: 11}, 17: {4: 3, 8: 6, 16: 13}}[last]
    return of_blocks(blocks, {**taps, 32: last})


def features(trunk: Trunk, pixels: np.ndarray) -> list[np.ndarray]:
    outputs = FrozenLayers(trunk.nodes, tuple(trunk.taps.values()), SIZE)(pixels)
    return [each.astype(np.float32) for each in outputs]


@pytest.mark.parametrize(("channels", "expands"), [(V1, False), (V2, True)], ids=["V1", "V2"])
def test_it_computes_what_the_file_does(
    tmp_path: Path, channels: list[tuple[int, int, bool]], expands: bool
) -> None:
    original = trunk_of(micro_detector.blocks(channels, expands=expands))
    network = GraphNetwork(SIZE, original.nodes, tuple(original.taps.values()))
    pixels = np.stack([image.pixels for image in micro_detector.images(4)])
    ranges = graph_files.measure(network, pixels, Preprocessing(SIZE, SIZE))
    contents = graph_files.to_float32(network), graph_files.to_int8(network, ranges)
    for content, tolerance in zip(contents, (1e-3, 0.15), strict=True):
        path = tmp_path / "ssd.tflite"
        path.write_bytes(content)
        trunk = read_trunk(path)
        assert [len(node.inputs) for node in trunk.nodes] == [len(n.inputs) for n in original.nodes]
        for own, expected in zip(
            features(trunk, pixels[0]), features(original, pixels[0]), strict=True
        ):
            assert np.abs(own - expected).mean() <= tolerance * np.abs(expected).mean()


def test_files_that_cannot_be_a_trunk_are_refused(tmp_path: Path) -> None:
    short = micro_detector.blocks(V1[:4], expands=False)
    network = of_blocks(short, {8: 2, 16: 3, 32: 4})
    path = tmp_path / "other.tflite"
    path.write_bytes(graph_files.to_float32(GraphNetwork(SIZE, network.nodes, (network.taps[32],))))
    with raises_code("weights-layout-mismatch"):
        read_trunk(path)
    path.write_text("no model at all")
    with raises_code("weights-unreadable"):
        read_trunk(path)


def test_strides_tell_a_mobilenet_from_others(tmp_path: Path) -> None:
    others = [(out, 1, False) for out, _, _ in V1]
    trunk = trunk_of(micro_detector.blocks(others, expands=False))
    path = tmp_path / "other.tflite"
    path.write_bytes(graph_files.to_float32(GraphNetwork(SIZE, trunk.nodes, (trunk.taps[32],))))
    with raises_code("weights-layout-mismatch"):
        read_trunk(path)


@pytest.mark.realdata
def test_coco_ssd_is_a_mobilenet_v1(test_data: Path) -> None:
    trunk = read_trunk(test_data / "models" / "coco_ssd_mobilenet_v1_1.0_quant.tflite")
    assert len(trunk.nodes) == 27
    last = trunk.nodes[-1].layer
    assert last is not None and last.kernel.shape == (768, 1, 1, 768)
