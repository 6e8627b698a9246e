"""The file that computes in 8-bit integers throughout.

After Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-
Only Inference" (CVPR 2018), per channel in convolutions, in one piece in the head: per channel
there is version 12 of FULLY_CONNECTED, which tflite-runtime 2.14 lacks.
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from converters.writer.float_files import DESCRIPTION
from converters.writer.folding import FoldedLayer, FoldedNetwork
from converters.writer.ranges import Ranges
from converters.writer.tracing import SCORES, trace, trace_layers
from edge.modelwriter import operations, quantization
from edge.modelwriter.network import Network, Operation, Tensor, quantization_of, to_bytes

PIXELS = {
    "uint8": quantization_of(1 / 127.5, 127),
    "int8": quantization_of(1 / 127.5, -1),
    "float32": None,
}
"""A pixel p of 0–255 means p / 127.5 − 1, to half a step."""

_LEAST_SPAN = 0.25
"""Range that an activation has at least: a kernel cannot rescale to one that is next to nothing."""


def to_int8(
    network: FoldedNetwork,
    ranges: Ranges,
    *,
    input_type: str = "uint8",
    output_type: str = "uint8",
) -> bytes:
    """Return the .tflite file with 8-bit weights and activations, batch 1.

    Args:
        network: with a head, or its output is the embedding, which keeps its scale.
        ranges: of all activations, see :mod:`converters.writer.ranges`.
        input_type: uint8, int8 or float32; an 8-bit input takes pixels as they are, int8 ones
            less 128.
        output_type: likewise.
    """
    shape = (1, network.size, network.size, 3)
    image = Tensor("image", shape, input_type, PIXELS[input_type])
    signed, before = image, []
    if input_type != "int8":
        signed = Tensor("image as int8", shape, "int8", PIXELS["int8"])
        before = [operations.quantize(image, signed)]
    traced = trace(network, signed, Int8(ranges))
    result, after = _with_type(traced.result, output_type)
    steps = (*before, *traced.operations, *after)
    return to_bytes(Network((image,), (result,), steps, DESCRIPTION))


def to_int8_part(layers: tuple[FoldedLayer, ...], shape: tuple[int, ...]) -> bytes:
    """Return an int8 file of some layers, one after the other, from [1, h, w, c] = ``shape``.

    Activations have the range of a ReLU6, whatever the layers compute: it is there to be timed.
    """
    data = Tensor("activations", shape, "int8", quantization.activation_range(0.0, 6.0))
    traced = trace_layers(layers, data, Int8(defaultdict(lambda: (0.0, 6.0))))
    return to_bytes(Network((data,), (traced.result,), traced.operations, DESCRIPTION))


def _with_type(output: Tensor, dtype: str) -> tuple[Tensor, list[Operation]]:
    """Return the output in this type, and the operation that converts it, if one is needed."""
    if dtype == output.dtype:
        return output, []
    name = f"{output.name} as {dtype}"
    if dtype == "float32":
        real = Tensor(name, output.shape, dtype)
        return real, [operations.dequantize(output, real)]
    assert output.quantization is not None
    unsigned = replace(output.quantization, zero_point=output.quantization.zero_point + 128)
    shifted = Tensor(name, output.shape, dtype, unsigned)
    return shifted, [operations.quantize(output, shifted)]


class Int8:
    """Everything in int8, biases in int32."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges

    def activation(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Return a tensor for the measured range."""
        low, high = self._ranges[name]
        return Tensor(
            name, shape, "int8", quantization.activation_range(low, max(high, low + _LEAST_SPAN))
        )

    def scores(self, shape: tuple[int, ...]) -> Tensor:
        """Return a tensor for values from 0 to 1."""
        return Tensor(SCORES, shape, "int8", quantization_of(*quantization.SCORES["int8"]))

    def weights(
        self,
        name: str,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        data: Tensor,
        axis: int | None,
    ) -> tuple[Tensor, Tensor]:
        """Return the kernel in int8 and the bias in int32."""
        assert data.quantization is not None
        scale = float(data.quantization.scales[0])
        return quantization.quantize_layer(name, kernel, bias, scale, axis)
