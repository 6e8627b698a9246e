"""The student network, its loss towards the teacher's outputs, and its augmentation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone.pretrain.teacher import DistillationTargets

STATISTICS_ROWS = 5000
"""Rows from which mean and deviation of the teacher's outputs are computed."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation, float32, of a teacher's output, per channel."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @staticmethod
    def of(rows: NDArray[np.float16]) -> "Scale":
        """Compute the scale of outputs float16 [n, …, channels]."""
        real = rows[:STATISTICS_ROWS].astype(np.float32).reshape(-1, rows.shape[-1])
        return Scale(real.mean(axis=0), real.std(axis=0) + 1e-3)

    def standardize(self, outputs: Any) -> Any:
        """Shift and scale outputs [n, …, channels] to mean 0 and deviation 1."""
        return (outputs - self.mean) / self.deviation


@dataclass(frozen=True, slots=True)
class Student:
    """A student network.

    ``backbone``: flat MobileNetV2, float32 [n, size, size, 3] in [-1, 1] to a feature map.
    ``with_heads``: the same with three outputs compared with the teacher's: logits [n, classes],
    the standardized embedding [n, 1280] and grid [n, g, g, channels], each a linear function of the
    student's features. These heads are dropped after the training.
    """

    backbone: Any
    with_heads: Any


def build_student(
    alpha: float, size: int, classes: int, width: int, channels: int, momentum: float, seed: int
) -> Student:
    """Build a student with seeded random weights.

    ``momentum`` is BatchNorm's: the stock 0.999 lags behind in runs of some thousand steps.
    """
    from converters.tf import keras

    tf_keras = keras()

    tf_keras.utils.set_random_seed(seed)
    backbone = tf_keras.applications.MobileNetV2(
        input_shape=(size, size, 3), alpha=alpha, include_top=False, weights=None
    )
    for layer in backbone.layers:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            layer.momentum = momentum
    dense = tf_keras.layers.Dense
    pooled = tf_keras.layers.GlobalAveragePooling2D()(backbone.output)
    logits = dense(classes, name="logits")(pooled)
    embedding = dense(width, name="embedding")(pooled)
    grid = dense(channels, name="grid")(backbone.output)
    return Student(backbone, tf_keras.Model(backbone.input, [logits, embedding, grid]))


@dataclass(frozen=True, slots=True)
class Loss:
    """Distance of the student's outputs from the teacher's.

    Cross-entropy with the teacher's probabilities at temperature 1 (Hinton et al. 2015), plus
    mean squared errors on the standardized embedding and on the standardized grid, weighted.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    embedding: Scale
    grid: Scale
    embedding_weight: float
    grid_weight: float

    @staticmethod
    def towards(
        targets: DistillationTargets,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        embedding_weight: float,
        grid_weight: float,
    ) -> "Loss":
        """Create the loss for a teacher's targets and its classifier.

        ``kernel`` float32 [1280, classes] and ``bias`` float32 [classes].
        """
        scales = Scale.of(targets.embeddings), Scale.of(targets.grids)
        return Loss(kernel, bias, *scales, embedding_weight, grid_weight)

    def __call__(self, outputs: Any, embeddings: Any, grids: Any) -> Any:
        """Return three scalars: divergence of the logits (KL), and the two squared errors."""
        from converters.tf import tensorflow

        tf = tensorflow()

        logits, embedding, grid = outputs
        truth = tf.nn.log_softmax(tf.matmul(embeddings, self.kernel) + self.bias)
        gap = truth - tf.nn.log_softmax(logits)
        divergence = tf.reduce_mean(tf.reduce_sum(tf.exp(truth) * gap, axis=-1))
        pooled = tf.reduce_mean((embedding - self.embedding.standardize(embeddings)) ** 2)
        mapped = tf.reduce_mean((grid - self.grid.standardize(grids)) ** 2)
        return divergence, pooled, mapped

    def total(self, parts: Any) -> Any:
        """Return the weighted sum of the three scalars."""
        divergence, pooled, mapped = parts
        return divergence + self.embedding_weight * pooled + self.grid_weight * mapped


def augment(pixels: Any, embeddings: Any, grids: Any, mixup: float, color: float, seed: Any) -> Any:
    """Mirror, recolor and mix a batch; the teacher's outputs are mirrored and mixed the same way.

    Args:
        pixels: uint8 [n, h, w, 3].
        embeddings: the teacher's, float16 [n, 1280].
        grids: the teacher's, float16 [n, g, g, channels].
        mixup: share of the images that are mixed with another one (Zhang et al. 2018),
            in equal parts of chance.
        color: largest relative change of brightness, contrast and saturation.
        seed: int32 [2], one per step; the same seed gives the same batch.

    Returns:
        Inputs float32 in [-1, 1], embeddings and grids float32.
    """
    from converters.tf import tensorflow

    tf = tensorflow()

    seeds = tf.random.split(seed, 4)
    x = tf.cast(pixels, tf.float32) / 127.5 - 1.0
    y, z = tf.cast(embeddings, tf.float32), tf.cast(grids, tf.float32)
    n = tf.shape(x)[0]

    mirrored = tf.random.stateless_uniform([n, 1, 1, 1], seeds[0]) < 0.5
    x = tf.where(mirrored, x[:, :, ::-1], x)
    z = tf.where(mirrored, z[:, :, ::-1], z)

    change = tf.random.stateless_uniform([3, n, 1, 1, 1], seeds[1], -color, color)
    gray = tf.reduce_mean(x, axis=-1, keepdims=True)
    x = gray + (x - gray) * (1.0 + change[0])
    mean = tf.reduce_mean(x, axis=[1, 2, 3], keepdims=True)
    x = mean + (x - mean) * (1.0 + change[1])
    x = tf.clip_by_value(x + change[2], -1.0, 1.0)

    mixed = tf.random.stateless_uniform([n, 1, 1, 1], seeds[2]) < mixup
    share = tf.random.stateless_uniform([n, 1, 1, 1], seeds[3], 0.5, 1.0)
    share = tf.where(mixed, share, tf.ones_like(share))
    x = share * x + (1.0 - share) * x[::-1]
    z = share * z + (1.0 - share) * z[::-1]
    flat = share[:, :, 0, 0]
    return x, flat * y + (1.0 - flat) * y[::-1], z
