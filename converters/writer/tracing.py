"""A folded network as operations, in a number format of choice."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converters.writer.folding import FoldedBlock, FoldedLayer, FoldedNetwork
from edge.modelwriter import operations
from edge.modelwriter.network import Operation, Tensor

EMBEDDING, LOGITS, SCORES = "embedding", "logits", "scores"
"""Names of the last activations."""


class NumberFormat(Protocol):
    """How a file stores numbers."""

    def activation(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Return the tensor of an activation."""

    def scores(self, shape: tuple[int, ...]) -> Tensor:
        """Return the tensor of the softmax."""

    def weights(
        self,
        name: str,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        data: Tensor,
        axis: int | None,
    ) -> tuple[Tensor, Tensor]:
        """Return kernel and bias of a layer that reads ``data``.

        ``axis``: dimension of the output channels if each may have a scale.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Operations in their order; ``activations``: all but the scores, by name."""

    operations: tuple[Operation, ...]
    activations: dict[str, Tensor]
    result: Tensor


def trace(network: FoldedNetwork, image: Tensor, number_format: NumberFormat) -> Trace:
    """Return the operations from an image [1, size, size, 3] to the embedding or the scores."""
    tracer = _Tracer(image, number_format)
    for block in network.blocks:
        tracer.block(block)
    tracer.mean()
    if network.head is not None:
        tracer.head(np.ascontiguousarray(network.head.kernel.T), network.head.bias)
    return Trace(tuple(tracer.operations), tracer.activations, tracer.data)


def trace_layers(
    layers: tuple[FoldedLayer, ...], data: Tensor, number_format: NumberFormat
) -> Trace:
    """Return the operations of some layers, one after the other, that read ``data``."""
    tracer = _Tracer(data, number_format)
    tracer.block(FoldedBlock(layers))
    return Trace(tuple(tracer.operations), tracer.activations, tracer.data)


class _Tracer:
    """Follows an image through the layers; ``data``: where it has arrived."""

    def __init__(self, image: Tensor, number_format: NumberFormat) -> None:
        self.data = image
        self.operations: list[Operation] = []
        self.activations: dict[str, Tensor] = {}
        self._format = number_format

    def block(self, block: FoldedBlock) -> None:
        entering = self.data
        for layer in block.layers:
            self._convolve(layer)
        if block.shortcut:
            output = self._activation(block.shortcut, self.data.shape)
            self._advance(operations.add(entering, self.data, output), output)

    def _convolve(self, layer: FoldedLayer) -> None:
        _, height, width, _ = self.data.shape
        shape = (1, -(-height // layer.stride), -(-width // layer.stride), len(layer.bias))
        output = self._activation(layer.name, shape)
        axis = 3 if layer.depthwise else 0
        kernel, bias = self._format.weights(layer.name, layer.kernel, layer.bias, self.data, axis)
        operation = operations.depthwise_conv_2d if layer.depthwise else operations.conv_2d
        activation = operations.RELU6 if layer.relu6 else operations.NO_ACTIVATION
        self._advance(operation(self.data, kernel, bias, output, layer.stride, activation), output)

    def mean(self) -> None:
        output = self._activation(EMBEDDING, (1, self.data.shape[3]))
        self._advance(operations.spatial_mean(self.data, output), output)

    def head(self, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        shape = (1, len(bias))
        logits = self._activation(LOGITS, shape)
        weights = self._format.weights("head", kernel, bias, self.data, None)
        self._advance(operations.fully_connected(self.data, *weights, logits), logits)
        scores = self._format.scores(shape)
        self._advance(operations.softmax(logits, scores), scores)

    def _activation(self, name: str, shape: tuple[int, ...]) -> Tensor:
        tensor = self._format.activation(name, shape)
        self.activations[name] = tensor
        return tensor

    def _advance(self, operation: Operation, output: Tensor) -> None:
        self.operations.append(operation)
        self.data = output
