"""The .tflite files of a network that branches: float32, float16 and int8.

A ``tail`` appends operations that are no layers, such as the selection of boxes, and decides the
outputs of the file.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from converters.writer.float_files import DESCRIPTION, Float16, Float32
from converters.writer.graph import IMAGE, GraphNetwork, trace_graph
from converters.writer.int8_file import PIXELS, Int8
from converters.writer.ranges import Ranges, union
from edge.interpreter import load
from edge.modelwriter import operations
from edge.modelwriter.network import Network, Operation, Tensor, to_bytes
from edge.terminal import suppress_native_stderr

if TYPE_CHECKING:
    from edge.preprocessing import Preprocessing

Activations = Mapping[str, NDArray[np.float32]]
"""Outputs of nodes for an image, by name."""

Tail = Callable[[Mapping[str, Tensor]], tuple[Sequence[Operation], Sequence[Tensor]]]
"""From the activations by name to operations behind them, and the outputs of the file."""


def to_float32(network: GraphNetwork, tail: Tail | None = None) -> bytes:
    """Return the .tflite file with float32 weights, batch 1."""
    return _float_file(network, Float32(), tail)


def to_float16(network: GraphNetwork, tail: Tail | None = None) -> bytes:
    """Return the file with float16 weights, which an interpreter converts when it loads them."""
    return _float_file(network, Float16(), tail)


def to_int8(
    network: GraphNetwork, ranges: Ranges, tail: Tail | None = None, input_type: str = "uint8"
) -> bytes:
    """Return the file with 8-bit weights and activations, batch 1, and int8 outputs.

    Args:
        network: its weights.
        ranges: of all activations, see :func:`measure`.
        tail: see :mod:`converters.writer.graph_files`.
        input_type: "uint8" or "int8"; pixels as they are, int8 ones less 128.
    """
    shape = (1, network.size, network.size, 3)
    image = Tensor(IMAGE, shape, input_type, PIXELS[input_type])
    signed, before = image, []
    if input_type != "int8":
        signed = Tensor("image as int8", shape, "int8", PIXELS["int8"])
        before = [operations.quantize(image, signed)]
    return _file(network, image, signed, before, Int8(ranges), tail)


def measure(
    network: GraphNetwork,
    images: NDArray[np.uint8],
    preprocessing: "Preprocessing",
    counted: Callable[[Activations], Activations] = lambda activations: activations,
) -> Ranges:
    """Return the ranges of all activations.

    Args:
        network: its weights.
        images: uint8 RGB [n, size, size, 3].
        preprocessing: maps pixel values to the network's input.
        counted: returns the values that count, at least one of each, of all activations.

    Raises:
        ConversionError: there are no images, or a value is not finite.
    """
    image = _image(network)
    traced = trace_graph(network.nodes, {IMAGE: image}, Float32())
    names = tuple(traced.activations)
    outputs = tuple(traced.activations.values())
    content = to_bytes(Network((image,), outputs, traced.operations, DESCRIPTION))
    with suppress_native_stderr():  # the interpreter announces its delegate
        runtime = load(content, name="the network", delegate="cpu", threads=1, trusted=True)
    return union(
        {
            name: (float(values.min()), float(values.max()))
            for name, values in counted(dict(zip(names, outputs_of, strict=True))).items()
        }
        for outputs_of in (runtime.invoke(preprocessing.normalize(each)[None]) for each in images)
    )


def _float_file(network: GraphNetwork, number_format: Float32, tail: Tail | None) -> bytes:
    image = _image(network)
    return _file(network, image, image, number_format.before, number_format, tail)


def _file(
    network: GraphNetwork,
    image: Tensor,
    read: Tensor,
    before: list[Operation],
    number_format: "Float32 | Int8",
    tail: Tail | None,
) -> bytes:
    traced = trace_graph(network.nodes, {IMAGE: read}, number_format)
    after: Sequence[Operation] = ()
    outputs: Sequence[Tensor] = [traced.activations[name] for name in network.outputs]
    if tail is not None:
        after, outputs = tail(traced.activations)
    steps = (*before, *traced.operations, *after)
    return to_bytes(Network((image,), tuple(outputs), steps, DESCRIPTION))


def _image(network: GraphNetwork) -> Tensor:
    return Tensor(IMAGE, (1, network.size, network.size, 3), "float32")
