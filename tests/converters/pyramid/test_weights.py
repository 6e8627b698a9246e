"""Weights of a detector: of a MobileNetV2, of an SSD's file, or of COCO with a visible fallback."""

from pathlib import Path

import micro_detector
import numpy as np
import pytest
from errors import raises_code

from converters.backbone import weights as backbone_weights
from converters.progress import SilentProgress
from converters.pyramid import weights
from converters.pyramid.trunk import of_blocks
from converters.writer import graph_files
from converters.writer.graph import GraphNetwork
from edge.errors import DownloadError, WeightsError

V1 = [(6, 1), (8, 2), (8, 1), (10, 2), (10, 1), (12, 2), *[(12, 1)] * 5, (14, 2), (14, 1)]


@pytest.fixture
def ssd(tmp_path: Path) -> Path:
    """A narrow MobileNetV1 with two outputs, as detectors have several."""
    blocks = micro_detector.blocks([(*each, False) for each in V1], expands=False)
    trunk = of_blocks(blocks, {8: 5, 16: 11, 32: 13})
    outputs = (trunk.taps[16], trunk.taps[32])
    path = tmp_path / "ssd.tflite"
    path.write_bytes(graph_files.to_float32(GraphNetwork(64, trunk.nodes, outputs)))
    return path


def load(name: str | None, size: int = 96) -> weights.PyramidBackbone:
    return weights.load(name, None, size, 0, SilentProgress(), "detector")


def test_the_file_of_a_detector_becomes_the_trunk(ssd: Path) -> None:
    backbone = load(str(ssd))
    assert backbone.trunk is not None and backbone.trunk.knows_boxes
    assert (backbone.weights, backbone.size) == ("ssd.tflite", 96)
    assert backbone.provenance["architecture"] == "MobileNetV1"
    assert len(backbone.provenance["sha256"]) == 64
    assert load(str(ssd), 128).fingerprint != backbone.fingerprint


def test_builtin_weights_need_no_network() -> None:
    backbone = load("builtin")
    assert (backbone.alpha, backbone.size) == (0.5, 96)
    assert backbone.trunk is not None and not backbone.trunk.knows_boxes
    assert backbone.trunk.taps.keys() == {4, 8, 16, 32}


def test_without_a_download_coco_falls_back_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> Path:
        raise DownloadError("a download", "no connection", "connect", code="download-failed")

    def unavailable(*_: object) -> None:
        raise WeightsError("a download", "no connection", "connect", code="weights-unavailable")

    monkeypatch.setattr(weights, "resolve_model", unreachable)
    monkeypatch.setitem(backbone_weights.SOURCES, "imagenet", unavailable)
    backbone = load("coco")
    assert backbone.weights == "builtin"
    assert any("COCO" in note and "no connection" in note for note in backbone.notes)


def test_coco_is_the_model_of_the_registry(monkeypatch: pytest.MonkeyPatch, ssd: Path) -> None:
    names = []

    def resolve(name: str, _: object) -> Path:
        names.append(name)
        return ssd

    monkeypatch.setattr(weights, "resolve_model", resolve)
    assert load("coco").weights == "coco"
    assert names == ["ssd_mobilenet_v2_coco"]


@pytest.mark.parametrize(("name", "size", "code"), [
    ("none", 96, "weights-unavailable"),
    ("builtin", 32, "unsupported-input-size"),
    ("builtin", 544, "unsupported-input-size"),
    ("builtin", 100, "unsupported-input-size"),
])  # fmt: skip
def test_what_cannot_be_trained_is_refused(name: str, size: int, code: str) -> None:
    with raises_code(code):
        load(name, size)


def test_a_classifier_is_no_detector(ssd: Path) -> None:
    backbone = load(str(ssd))
    with raises_code("weights-layout-mismatch"):
        backbone.build()
    assert np.isclose(backbone.alpha, 4 / 32)
