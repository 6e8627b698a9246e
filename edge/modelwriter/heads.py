"""Put a new head on an extractor: a linear layer and a softmax."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError
from edge.modelwriter import operations
from edge.modelwriter.embedding import Extractor
from edge.modelwriter.network import (
    Operation,
    Quantization,
    Tensor,
    constant,
    extend,
    quantization_of,
    standing_for,
)
from edge.modelwriter.quantization import SCORES, activation_range, quantize_layer

OUTPUT_TYPES = ("uint8", "int8", "float32")


@dataclass(frozen=True, slots=True, eq=False)
class LinearLayer:
    """A linear classifier: logits = embedding · kernel + bias.

    ``kernel``: float32 [features, classes]; ``bias``: float32 [classes].

    Raises:
        UsageError: the shapes do not fit each other, or a value is not finite.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]

    def __post_init__(self) -> None:
        fits = self.kernel.ndim == 2 and self.bias.shape == self.kernel.shape[1:]
        if not fits or not np.isfinite(self.kernel).all() or not np.isfinite(self.bias).all():
            raise UsageError(
                "finite weights [features, classes] and a bias for each class",
                f"{list(self.kernel.shape)} and {list(self.bias.shape)}"
                + ("" if not fits else ", not all of them finite"),
                "fit the head again",
                code="head-mismatch",
            )

    def logits(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits, float32 [n, classes], of embeddings [n, features]."""
        return np.asarray(embeddings @ self.kernel + self.bias, np.float32)


def append_float_head(
    extractor: Extractor, head: LinearLayer, output_type: str = "float32"
) -> bytes:
    """Return a classifier whose head computes in float32, exactly, after a float or 8-bit backbone.

    For the Edge TPU this runs on the CPU, behind the compiled operation.

    Args:
        extractor: see :func:`edge.modelwriter.embedding.behead`.
        head: one row of its kernel per feature of the extractor.
        output_type: one of :data:`OUTPUT_TYPES`; 8-bit scores are multiples of 1/256.

    Raises:
        UsageError: the head does not fit the extractor.
    """
    chain = _chain(extractor, head)
    if chain.last.dtype != "float32":
        chain.step(operations.dequantize, "embedding", "float32")
    chain.flatten()
    kernel = constant("head/kernel", np.ascontiguousarray(head.kernel.T, np.float32))
    chain.layer(kernel, constant("head/bias", head.bias.astype(np.float32)))
    chain.step(operations.softmax, "scores", "float32")
    chain.convert(output_type)
    return extend(extractor.content, chain.first, chain.steps, chain.last)


def append_int8_head(
    extractor: Extractor, head: LinearLayer, logits: NDArray[np.float32], output_type: str = "uint8"
) -> bytes:
    """Return a classifier whose head computes in int8, after an 8-bit backbone.

    Args:
        extractor: its embedding is int8 or uint8.
        head: one row of its kernel per feature of the extractor.
        logits: float32 [n, classes] of typical images, from which the range of the logits follows.
        output_type: one of :data:`OUTPUT_TYPES`.

    Raises:
        UsageError: the head does not fit the extractor, whose embedding may be float32.
    """
    chain = _chain(extractor, head)
    scaled = chain.first.quantization
    if scaled is None:
        raise UsageError(
            "an extractor with an 8-bit embedding",
            f"one with {chain.first.dtype}",
            "append a float head",
            code="head-mismatch",
        )
    scale = float(scaled.scales[0])
    if chain.first.dtype == "uint8":
        signed = quantization_of(scale, scaled.zero_point - 128)
        chain.step(operations.quantize, "embedding", "int8", signed)
    chain.flatten()
    kernel, bias = quantize_layer(
        "head", np.ascontiguousarray(head.kernel.T), head.bias, scale, None
    )
    spread = activation_range(float(logits.min()), float(logits.max()))
    chain.layer(kernel, bias, spread)
    chain.step(operations.softmax, "scores", "int8", quantization_of(*SCORES["int8"]))
    chain.convert(output_type)
    return extend(extractor.content, chain.first, chain.steps, chain.last)


def _chain(extractor: Extractor, head: LinearLayer) -> "_Chain":
    if len(head.kernel) != extractor.dimension:
        raise UsageError(
            f"a head for {extractor.dimension} features",
            f"one for {len(head.kernel)}",
            "fit the head on embeddings of this extractor",
            code="head-mismatch",
        )
    return _Chain(standing_for(extractor.embedding))


class _Chain:
    """Operations of which each reads the output of the one before."""

    def __init__(self, first: Tensor) -> None:
        self.first = self.last = first
        self.steps: list[Operation] = []

    def step(
        self,
        operation: Callable[[Tensor, Tensor], Operation],
        name: str,
        dtype: str,
        quantization: Quantization | None = None,
    ) -> None:
        """Add an operation that keeps the shape."""
        output = Tensor(name, self.last.shape, dtype, quantization)
        self.steps.append(operation(self.last, output))
        self.last = output

    def flatten(self) -> None:
        """Add a RESHAPE to [1, features] where that is not the shape yet."""
        before, shape = self.last, (1, math.prod(self.last.shape))
        if before.shape != shape:
            self.last = Tensor("features", shape, before.dtype, before.quantization)
            self.steps.append(operations.reshape(before, self.last))

    def layer(self, kernel: Tensor, bias: Tensor, quantization: Quantization | None = None) -> None:
        """Add a FULLY_CONNECTED."""
        output = Tensor("logits", (1, kernel.shape[0]), self.last.dtype, quantization)
        self.steps.append(operations.fully_connected(self.last, kernel, bias, output))
        self.last = output

    def convert(self, dtype: str) -> None:
        """Convert scores to the type of the output."""
        if dtype == self.last.dtype:
            return
        if dtype == "float32":
            self.step(operations.dequantize, "scores as float32", dtype)
        else:
            self.step(
                operations.quantize, f"scores as {dtype}", dtype, quantization_of(*SCORES[dtype])
            )
