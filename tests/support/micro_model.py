"""A small classifier and its data, made in seconds: MobileNetV2 0.35 at 96 pixels on shapes.

Its backbone has random weights with BatchNorm statistics of the images themselves, so that
activations have a sensible range; the head is a least-squares fit on the pooled features. It ends
after block 6: deeper random layers blow up any rounding, which trained ones do not.
"""

from typing import Any

import cv2
import numpy as np
from micro import SHAPES, draw
from numpy.typing import NDArray

from converters.dataset.audit import Audit, Dataset, ImageRecord
from converters.dataset.split import Split
from converters.tf import keras, seed_everything
from edge.preprocessing import Preprocessing

SIZE = 96
PREPROCESSING = Preprocessing(SIZE, SIZE)
RIDGE = 1.0


def images(per_class: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Generated images, uint8 RGB [n, 96, 96, 3], and their classes, int64 [n]."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(SHAPES)), per_class)
    drawn = [cv2.cvtColor(draw(SHAPES[c], rng), cv2.COLOR_BGR2RGB) for c in labels]
    return np.stack([PREPROCESSING.resize(image) for image in drawn]), labels


def dataset(pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> Dataset:
    names = [f"{SHAPES[c]}/{i}.png" for i, c in enumerate(labels)]
    rows = [
        ImageRecord(name, int(c), None, name.encode().hex())
        for name, c in zip(names, labels, strict=True)
    ]
    counts = {s: int((labels == c).sum()) for c, s in enumerate(SHAPES)}
    audit = Audit(counts, (), (), (), (), {}, (), ())
    groups = np.arange(len(labels))
    return Dataset("shapes", SHAPES, tuple(rows), PREPROCESSING, pixels, labels, groups, audit)


def thirds(count: int) -> Split:
    """Every third image on the test side, the next on the validation side."""
    i = np.arange(count)
    return Split(i[i % 3 == 2], i[i % 3 == 1], i[i % 3 == 0], seed=0, given=False)


def classifier(pixels: NDArray[np.uint8], labels: NDArray[np.int64], seed: int = 0) -> Any:
    """A flat tf_keras model, float32 [n, 96, 96, 3] in [-1, 1] to softmax [n, 3]."""
    seed_everything(seed)
    layers = keras().layers
    backbone = keras().applications.MobileNetV2(
        (SIZE, SIZE, 3), alpha=0.35, include_top=False, weights=None
    )
    last = backbone.get_layer("block_6_expand_relu").output
    pooled = layers.GlobalAveragePooling2D()(last)
    scores = layers.Dense(len(SHAPES), activation="softmax", name="head")(pooled)
    inputs = PREPROCESSING.normalize(pixels)
    model = keras().Model(backbone.input, scores)
    for norm in model.layers:
        if isinstance(norm, layers.BatchNormalization):
            norm.momentum = 0.0  # one pass in training mode takes over the batch's statistics
    model(inputs, training=True)
    features = keras().Model(backbone.input, pooled)(inputs, training=False).numpy()
    model.get_layer("head").set_weights(_fit(features, labels))
    return model


def _fit(features: NDArray[np.float32], labels: NDArray[np.int64]) -> list[NDArray[np.float32]]:
    targets = 8 * np.eye(len(SHAPES))[labels]
    mean = features.mean(0)
    centered = features - mean
    gram = centered @ centered.T + RIDGE * np.eye(len(features)) * np.square(centered).sum(1).mean()
    kernel = centered.T @ np.linalg.solve(gram, targets)
    return [kernel.astype(np.float32), (targets.mean(0) - mean @ kernel).astype(np.float32)]
