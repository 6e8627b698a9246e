"""The student, what it is asked, and how far its answers are from the teacher's."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone.pretrain.teacher import DistillationTargets

STATISTICS_FROM = 5000
"""Rows from which mean and deviation of the teacher's answers are taken."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation, float32, of a teacher's answer, channel by channel."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @staticmethod
    def of(rows: NDArray[np.float16]) -> "Scale":
        real = rows[:STATISTICS_FROM].astype(np.float32).reshape(-1, rows.shape[-1])
        return Scale(real.mean(axis=0), real.std(axis=0) + 1e-3)

    def standardize(self, answers: Any) -> Any:
        return (answers - self.mean) / self.deviation


@dataclass(frozen=True, slots=True)
class Student:
    """``backbone``: flat MobileNetV2, float32 [n, size, size, 3] in [-1, 1] to a feature map.

    ``taught``: the same with its three answers to the teacher: logits [n, classes], the
    standardized embedding [n, 1280] and grid [n, g, g, channels], each a linear function of the
    student's features. These heads are dropped after the training.
    """

    backbone: Any
    taught: Any


def build_student(
    alpha: float, size: int, classes: int, width: int, channels: int, momentum: float, seed: int
) -> Student:
    """A student with seeded random weights.

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
    """Distance of the student's answers from the teacher's.

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
        lessons: DistillationTargets,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        embedding_weight: float,
        grid_weight: float,
    ) -> "Loss":
        scales = Scale.of(lessons.embeddings), Scale.of(lessons.grids)
        return Loss(kernel, bias, *scales, embedding_weight, grid_weight)

    def __call__(self, answers: Any, embeddings: Any, grids: Any) -> Any:
        """Three scalars: divergence of the logits (KL), and the two squared errors."""
        from converters.tf import tensorflow

        tf = tensorflow()

        logits, embedding, grid = answers
        truth = tf.nn.log_softmax(tf.matmul(embeddings, self.kernel) + self.bias)
        gap = truth - tf.nn.log_softmax(logits)
        divergence = tf.reduce_mean(tf.reduce_sum(tf.exp(truth) * gap, axis=-1))
        pooled = tf.reduce_mean((embedding - self.embedding.standardize(embeddings)) ** 2)
        mapped = tf.reduce_mean((grid - self.grid.standardize(grids)) ** 2)
        return divergence, pooled, mapped

    def total(self, parts: Any) -> Any:
        divergence, pooled, mapped = parts
        return divergence + self.embedding_weight * pooled + self.grid_weight * mapped


def augment(pixels: Any, embeddings: Any, grids: Any, mixup: float, color: float, seed: Any) -> Any:
    """Mirror, recolor and mix a batch; what the teacher said is mirrored and mixed alike.

    Args:
        pixels: uint8 [n, h, w, 3].
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
