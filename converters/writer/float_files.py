"""Files that compute in float32: with weights in float32, float16 or int8."""

import numpy as np
from numpy.typing import NDArray

from converters.writer.folding import FoldedLayer, FoldedNetwork
from converters.writer.tracing import SCORES, trace, trace_layers
from edge.modelwriter import operations
from edge.modelwriter.network import Network, Operation, Tensor, constant, to_bytes
from edge.modelwriter.quantization import quantize_kernel

DESCRIPTION = "Written by edge-toolkit."

_MIN_QUANTIZED = 1024
"""Weights of a kernel below which int8 saves nothing, as in TensorFlow's converter."""


def to_float32(network: FoldedNetwork) -> bytes:
    """Return the .tflite file with float32 weights, batch 1."""
    return _file(network, Float32())


def to_float16(network: FoldedNetwork) -> bytes:
    """Return the file with float16 weights, which an interpreter converts when it loads them."""
    return _file(network, Float16())


def to_dynamic_range(network: FoldedNetwork) -> bytes:
    """Return the file with 8-bit weights; activations are quantized at run time."""
    return _file(network, DynamicRange())


def to_probe(network: FoldedNetwork) -> tuple[bytes, tuple[str, ...]]:
    """Return a float32 file with all activations as outputs, and their names.

    The embedding is among them; a head's scores, whose range is known, are not.
    """
    image = _image(network)
    traced = trace(network, image, Float32())
    steps = tuple(step for step in traced.operations if traced.result not in step.outputs)
    if network.head is None:
        steps = traced.operations
    content = to_bytes(Network((image,), tuple(traced.activations.values()), steps, DESCRIPTION))
    return content, tuple(traced.activations)


def activation_names(network: FoldedNetwork) -> tuple[str, ...]:
    """Return the names of the activations that :func:`to_probe` gives."""
    return tuple(trace(network, _image(network), Float32()).activations)


def to_part(layers: tuple[FoldedLayer, ...], shape: tuple[int, ...]) -> bytes:
    """Return a float32 file of some layers, one after the other, from [1, h, w, c] = ``shape``."""
    data = Tensor("activations", shape, "float32")
    traced = trace_layers(layers, data, Float32())
    return to_bytes(Network((data,), (traced.result,), traced.operations, DESCRIPTION))


def _file(network: FoldedNetwork, number_format: "Float32") -> bytes:
    image = _image(network)
    traced = trace(network, image, number_format)
    steps = (*number_format.before, *traced.operations)
    return to_bytes(Network((image,), (traced.result,), steps, DESCRIPTION))


def _image(network: FoldedNetwork) -> Tensor:
    return Tensor("image", (1, network.size, network.size, 3), "float32")


class Float32:
    """Weights as they are; ``before``: operations that come before all others."""

    def __init__(self) -> None:
        self.before: list[Operation] = []

    def activation(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Return a float32 tensor."""
        return Tensor(name, shape, "float32")

    def scores(self, shape: tuple[int, ...]) -> Tensor:
        """Return a float32 tensor."""
        return Tensor(SCORES, shape, "float32")

    def weights(
        self,
        name: str,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        data: Tensor,
        axis: int | None,
    ) -> tuple[Tensor, Tensor]:
        """Return both as they are."""
        return constant(f"{name}/kernel", kernel), constant(f"{name}/bias", bias)


class Float16(Float32):
    """Weights in float16, each with a DEQUANTIZE."""

    def weights(
        self,
        name: str,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        data: Tensor,
        axis: int | None,
    ) -> tuple[Tensor, Tensor]:
        """Return both in float32, each computed of float16."""
        return self._half(f"{name}/kernel", kernel), self._half(f"{name}/bias", bias)

    def _half(self, name: str, values: NDArray[np.float32]) -> Tensor:
        largest = np.finfo(np.float16).max
        stored = constant(f"{name}/float16", np.clip(values, -largest, largest).astype(np.float16))
        real = Tensor(name, values.shape, "float32")
        self.before.append(operations.dequantize(stored, real))
        return real


class DynamicRange(Float32):
    """Large kernels in int8."""

    def weights(
        self,
        name: str,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        data: Tensor,
        axis: int | None,
    ) -> tuple[Tensor, Tensor]:
        """Return the kernel in int8 if it is large."""
        if kernel.size < _MIN_QUANTIZED:
            return super().weights(name, kernel, bias, data, axis)
        return quantize_kernel(name, kernel, axis), constant(f"{name}/bias", bias)
