"""Weights that a pyramid starts from: those of a MobileNetV2, or of an SSD's MobileNet."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from converters.backbone import from_tflite
from converters.backbone import weights as backbone_weights
from converters.backbone.mobilenet_v2 import check_size
from converters.backbone.weights import Backbone
from converters.progress import Progress
from converters.pyramid.ssd_trunk import read_trunk
from converters.pyramid.trunk import Trunk, of_mobilenet_v2
from edge.errors import DownloadError, UsageError, WeightsError
from edge.files import sha256
from edge.registry import resolve_model

COCO, COCO_MODEL = "coco", "ssd_mobilenet_v2_coco"
"""Name of detection-trained weights, and the model of the registry that has them."""

_SMALLEST, _LARGEST = 64, 512


@dataclass(frozen=True, slots=True)
class PyramidBackbone(Backbone):
    """A backbone with the ``trunk`` of a detector or segmenter."""

    trunk: Trunk | None = None


def load(
    weights: str | None, alpha: float | None, size: int, seed: int, progress: Progress, noun: str
) -> PyramidBackbone:
    """Load weights for a pyramid; arguments as of :func:`converters.backbone.weights.load`.

    ``noun``: what is trained, such as "detector", for errors and notes.

    Raises:
        WeightsError: the weights are unavailable, of another architecture, or random.
        UsageError: there is no such ``alpha`` or ``size``.
    """
    _check_size(size, noun)
    if weights == "none":
        raise WeightsError(
            f"pretrained weights for a {noun}",
            "--weights none",
            "use --weights imagenet, coco or builtin, or pass a file",
            code="weights-unavailable",
        )
    if weights == COCO:
        return _coco(alpha, size, seed, progress, noun)
    if weights is not None and Path(weights).is_file() and from_tflite.is_tflite(Path(weights)):
        return _of_file(Path(weights), Path(weights).name, size)
    backbone = backbone_weights.load(weights, alpha, None, seed, progress)
    return _with_trunk(backbone, of_mobilenet_v2(backbone.arrays, size), size)


def _coco(
    alpha: float | None, size: int, seed: int, progress: Progress, noun: str
) -> PyramidBackbone:
    try:
        return _of_file(resolve_model(COCO_MODEL, progress.say), COCO, size)
    except DownloadError as error:
        backbone = load(None, alpha, size, seed, progress, noun)
        note = (
            f"Weights trained on COCO are unavailable ({error.found}): using those of "
            f"{backbone.weights}, with which {noun}s need more images and time."
        )
        return replace(backbone, notes=(note, *backbone.notes))


def _of_file(path: Path, name: str, size: int) -> PyramidBackbone:
    trunk = read_trunk(path)
    stem = trunk.nodes[0].layer
    assert stem is not None
    digest = hashlib.sha256(f"{size}".encode())
    for node in trunk.nodes:
        if node.layer is not None:
            digest.update(node.layer.kernel.tobytes())
    backbone = Backbone(
        weights=name,
        alpha=len(stem.bias) / 32,
        size=size,
        fingerprint=digest.hexdigest(),
        pretrained=True,
        provenance={
            "architecture": "MobileNetV2" if "Conv1" in stem.name else "MobileNetV1",
            "source": "a detector" if trunk.knows_boxes else "a classifier",
            "file": path.name,
            "sha256": sha256(path),
        },
        notes=(),
        build=_no_classifier,
    )
    return _with_trunk(backbone, trunk, size)


def _with_trunk(backbone: Backbone, trunk: Trunk, size: int) -> PyramidBackbone:
    return PyramidBackbone(
        backbone.weights, backbone.alpha, size, backbone.fingerprint, backbone.pretrained,
        backbone.provenance, backbone.notes, backbone.build, backbone.arrays, trunk,
    )  # fmt: skip


def _no_classifier() -> None:
    raise WeightsError(
        "a MobileNetV2 classifier", "a detector", "use it with --task detect",
        code="weights-layout-mismatch",
    )  # fmt: skip


def _check_size(size: int, noun: str) -> None:
    check_size(size, published=False)
    if not _SMALLEST <= size <= _LARGEST:
        raise UsageError(
            f"an input size from {_SMALLEST} to {_LARGEST} pixels for a {noun}",
            f"{size}",
            f"use --size {min(_LARGEST, max(_SMALLEST, size))}",
            code="unsupported-input-size",
        )
