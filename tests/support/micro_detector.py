"""A detector of 64 × 64 pixels with a narrow MobileNet, and drawn images for it."""

from collections.abc import Iterable
from functools import cache

import numpy as np

from converters.backbone.mobilenet_v2 import Weights, layers
from converters.pyramid.trunk import Trunk, of_mobilenet_v2
from converters.tasks.detect.augmentation import BoxedImage
from converters.tasks.detect.network import DetectorNetwork, build
from converters.writer.folding import FoldedBlock, FoldedLayer

SIZE = 64
COLORS = ((220, 40, 40), (40, 60, 220))
"""Red squares are class 0, blue ones class 1."""


def images(count: int, seed: int = 0) -> tuple[BoxedImage, ...]:
    """Return images of one or two squares of 16 to 30 pixels on gray noise."""
    return tuple(_image(np.random.default_rng((seed, number))) for number in range(count))


def _image(rng: np.random.Generator) -> BoxedImage:
    pixels = rng.integers(90, 150, (SIZE, SIZE, 3), dtype=np.uint8)
    boxes, labels = [], []
    for half in range(int(rng.integers(1, 3))):
        side = int(rng.integers(16, 31))
        left = 32 * half + int(rng.integers(0, 33 - min(side, 32)))
        top = int(rng.integers(0, SIZE - side))
        label = int(rng.integers(len(COLORS)))
        pixels[top : top + side, left : left + side] = COLORS[label]
        boxes.append((left, top, left + side, top + side))
        labels.append(label)
    return BoxedImage(
        pixels, np.array(boxes, np.float32), np.array(labels), np.zeros((0, 4), np.float32)
    )


@cache
def weights(seed: int = 0) -> Weights:
    """Return random weights of a MobileNetV2 0.35 whose BatchNorm keeps the signal's size."""
    rng = np.random.default_rng(seed)
    made: Weights = {}
    for layer in layers(0.35):
        if layer.kind == "batch_norm":
            count = layer.shapes[0][0]
            ones, zeros = np.ones(count, np.float32), np.zeros(count, np.float32)
            made[layer.name] = [ones, zeros + 0.1, zeros, ones]
            continue
        shape = layer.shapes[0]
        inputs = 9 if layer.kind == "depthwise" else int(np.prod(shape[:3]))
        made[layer.name] = [(rng.standard_normal(shape) * np.sqrt(2 / inputs)).astype(np.float32)]
    return made


def trunk() -> Trunk:
    """Return the trunk of :func:`weights`."""
    return of_mobilenet_v2(weights(), SIZE)


def network(strides: tuple[int, ...] = (16, 32), classes: int = 2) -> DetectorNetwork:
    """Return an untrained detector."""
    return build(trunk(), SIZE, strides, classes, seed=0)


def blocks(channels: Iterable[tuple[int, int, bool]], *, expands: bool) -> tuple[FoldedBlock, ...]:
    """Return random blocks of a MobileNetV1, or of V2 where it ``expands``.

    ``channels``: outputs, stride and whether the block has a shortcut, of each after the stem.
    """
    rng = np.random.default_rng(0)
    width = 4
    made = [FoldedBlock((_layer(rng, "stem", False, 3, 3, width, 2, True),))]
    for number, (out, stride, shortcut) in enumerate(channels, start=1):
        parts, inner = [], width
        if expands and number > 1:
            inner = 2 * width
            parts.append(_layer(rng, f"expand_{number}", False, 1, width, inner, 1, True))
        parts.append(_layer(rng, f"deep_{number}", True, 3, 1, inner, stride, True))
        parts.append(_layer(rng, f"flat_{number}", False, 1, inner, out, 1, not expands))
        made.append(FoldedBlock(tuple(parts), f"sum_{number}" if shortcut else ""))
        width = out
    return tuple(made)


def _layer(
    rng: np.random.Generator,
    name: str,
    depthwise: bool,
    side: int,
    inputs: int,
    outputs: int,
    stride: int,
    relu6: bool,
) -> FoldedLayer:
    shape = (1, side, side, outputs) if depthwise else (outputs, side, side, inputs)
    kernel = rng.standard_normal(shape) * np.sqrt(2 / (side * side * inputs))
    bias = 0.1 * rng.standard_normal(outputs)
    return FoldedLayer(
        name, depthwise, kernel.astype(np.float32), bias.astype(np.float32), stride, relu6
    )
