"""The three files that every conversion makes: float32, float16 and full int8."""

from converters.tflite import NAMES, Variant
from converters.writer.float_files import to_float16, to_float32
from converters.writer.folding import FoldedNetwork
from converters.writer.int8_file import to_int8
from converters.writer.ranges import Ranges


def write_variants(network: FoldedNetwork, ranges: Ranges) -> tuple[Variant, ...]:
    """Write a network with a head as float32, float16 and full int8, in this order.

    ``ranges`` of its activations and logits: see :mod:`converters.writer.ranges`.
    """
    contents = to_float32(network), to_float16(network), to_int8(network, ranges)
    return tuple(Variant(*each) for each in zip(NAMES, contents, strict=True))
