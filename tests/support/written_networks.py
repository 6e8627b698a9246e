"""A small convolutional classifier, written operation by operation, and what it computes."""

from collections.abc import Iterable

import numpy as np

from edge.modelwriter import operations
from edge.modelwriter.network import Network, Tensor, constant, to_bytes

SIDE, FEATURES, CLASSES = 8, 6, 4


class Small:
    """Images [1, 8, 8, 3] through a convolution, a depthwise one, a sum, a mean and a head."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.conv = rng.normal(0, 0.4, (FEATURES, 3, 3, 3)).astype(np.float32)
        self.conv_bias = rng.normal(0, 0.3, FEATURES).astype(np.float32)
        self.depthwise = rng.normal(0, 0.4, (1, 3, 3, FEATURES)).astype(np.float32)
        self.depthwise_bias = rng.normal(0, 0.3, FEATURES).astype(np.float32)
        self.head = rng.normal(0, 1, (CLASSES, FEATURES)).astype(np.float32)
        self.head_bias = rng.normal(0, 1, CLASSES).astype(np.float32)

    def content(self) -> bytes:
        """The .tflite file, float32."""
        image = Tensor("image", (1, SIDE, SIDE, 3), "float32")
        half = (1, SIDE // 2, SIDE // 2, FEATURES)
        first, second, both = (Tensor(name, half, "float32") for name in ("a", "b", "c"))
        pooled = Tensor("pooled", (1, FEATURES), "float32")
        logits, scores = (Tensor(name, (1, CLASSES), "float32") for name in ("logits", "scores"))
        weights = {
            name: constant(name, getattr(self, name))
            for name in ("conv", "conv_bias", "depthwise", "depthwise_bias", "head", "head_bias")
        }
        steps = (
            operations.conv_2d(
                image, weights["conv"], weights["conv_bias"], first, 2, operations.RELU6
            ),
            operations.depthwise_conv_2d(
                first, weights["depthwise"], weights["depthwise_bias"], second, 1,
                operations.NO_ACTIVATION,
            ),
            operations.add(first, second, both),
            operations.spatial_mean(both, pooled),
            operations.fully_connected(pooled, weights["head"], weights["head_bias"], logits),
            operations.softmax(logits, scores),
        )  # fmt: skip
        return to_bytes(Network((image,), (scores,), steps, "a small network"))

    def embedding(self, image: np.ndarray) -> np.ndarray:
        """What numpy says: float [6] of an image [8, 8, 3]."""
        # SAME with an even size and a stride of 2 pads behind, with a stride of 1 on both sides.
        behind = np.pad(image, ((0, 1), (0, 1), (0, 0)))
        first = np.zeros((SIDE // 2, SIDE // 2, FEATURES))
        for y, x in np.ndindex(first.shape[:2]):
            window = behind[2 * y : 2 * y + 3, 2 * x : 2 * x + 3]
            first[y, x] = np.tensordot(self.conv, window, 3) + self.conv_bias
        first = np.clip(first, 0, 6)
        around = np.pad(first, ((1, 1), (1, 1), (0, 0)))
        second = np.zeros_like(first)
        for y, x in np.ndindex(first.shape[:2]):
            window = around[y : y + 3, x : x + 3]
            second[y, x] = (window * self.depthwise[0]).sum(axis=(0, 1)) + self.depthwise_bias
        return np.asarray((first + second).mean(axis=(0, 1)))

    def scores(self, image: np.ndarray) -> np.ndarray:
        return softmax(self.head @ self.embedding(image) + self.head_bias)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Scores along the last axis."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def run(content: bytes, image: np.ndarray) -> np.ndarray:
    """Real values of the first output."""
    return run_each(content, [image])


def run_each(content: bytes, images: Iterable[np.ndarray]) -> np.ndarray:
    """Real values of the first output for each of ``images``, joined along the batch."""
    from edge.interpreter import load

    runtime = load(content, name="test.tflite", delegate="cpu", threads=1, trusted=True)
    spec = runtime.outputs[0]
    return np.concatenate([spec.dequantize(runtime.invoke(image)[0]) for image in images])
