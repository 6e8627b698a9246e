"""Weights that a detector starts from: those of a MobileNetV2, or of an SSD's MobileNet."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from converters.backbone import from_tflite
from converters.backbone import weights as backbone_weights
from converters.backbone.mobilenet_v2 import check_size
from converters.backbone.weights import Backbone
from converters.progress import Progress
from converters.tasks.detect.ssd_trunk import read_trunk
from converters.tasks.detect.trunk import Trunk, of_mobilenet_v2
from edge.errors import DownloadError, UsageError, WeightsError
from edge.files import sha256
from edge.registry import resolve_model

SIZE = 320
"""Side of the input in pixels, by default."""

COCO, COCO_MODEL = "coco", "ssd_mobilenet_v2_coco"
"""Name of detection-trained weights, and the model of the registry that has them."""

_SMALLEST, _LARGEST = 64, 512


@dataclass(frozen=True, slots=True)
class DetectorBackbone(Backbone):
    """A backbone with the ``trunk`` of a detector."""

    trunk: Trunk | None = None


def load(
    weights: str | None, alpha: float | None, size: int | None, seed: int, progress: Progress
) -> DetectorBackbone:
    """Load weights for a detector; arguments as of :func:`converters.backbone.weights.load`.

    Raises:
        WeightsError: the weights are unavailable, of another architecture, or random.
        UsageError: there is no such ``alpha`` or ``size``.
    """
    pixels = _check_size(SIZE if size is None else size)
    if weights == "none":
        raise WeightsError(
            "pretrained weights for a detector",
            "--weights none",
            "use --weights imagenet, coco or builtin, or pass a file",
            code="weights-unavailable",
        )
    if weights == COCO:
        return _coco(alpha, pixels, seed, progress)
    if weights is not None and Path(weights).is_file() and from_tflite.is_tflite(Path(weights)):
        return _of_file(Path(weights), Path(weights).name, pixels)
    backbone = backbone_weights.load(weights, alpha, None, seed, progress)
    return _with_trunk(backbone, of_mobilenet_v2(backbone.arrays, pixels), pixels)


def _coco(alpha: float | None, size: int, seed: int, progress: Progress) -> DetectorBackbone:
    try:
        return _of_file(resolve_model(COCO_MODEL, progress.say), COCO, size)
    except DownloadError as error:
        backbone = load(None, alpha, size, seed, progress)
        note = (
            f"Weights trained on COCO are unavailable ({error.found}): using those of "
            f"{backbone.weights}, with which detectors need more images and time."
        )
        return replace(backbone, notes=(note, *backbone.notes))


def _of_file(path: Path, name: str, size: int) -> DetectorBackbone:
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


def _with_trunk(backbone: Backbone, trunk: Trunk, size: int) -> DetectorBackbone:
    return DetectorBackbone(
        backbone.weights, backbone.alpha, size, backbone.fingerprint, backbone.pretrained,
        backbone.provenance, backbone.notes, backbone.build, backbone.arrays, trunk,
    )  # fmt: skip


def _no_classifier() -> None:
    raise WeightsError(
        "a MobileNetV2 classifier", "a detector", "use it with --task detect",
        code="weights-layout-mismatch",
    )  # fmt: skip


def _check_size(size: int) -> int:
    check_size(size, published=False)
    if not _SMALLEST <= size <= _LARGEST:
        raise UsageError(
            f"an input size from {_SMALLEST} to {_LARGEST} pixels for a detector",
            f"{size}",
            f"use --size {min(_LARGEST, max(_SMALLEST, size))}",
            code="unsupported-input-size",
        )
    return size
