"""The three files that every conversion makes: float32, float16 and full int8."""

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from converters.progress import Progress
from converters.tflite import NAMES, Variant
from converters.writer.float_files import to_float16, to_float32
from converters.writer.folding import FoldedNetwork
from converters.writer.int8_file import to_int8
from converters.writer.ranges import measure

if TYPE_CHECKING:
    from edge.preprocessing import Preprocessing


def write_variants(
    network: FoldedNetwork,
    calibration: NDArray[np.uint8],
    preprocessing: "Preprocessing",
    progress: Progress,
) -> tuple[Variant, ...]:
    """Write a network as float32, float16 and full int8, in this order.

    Args:
        network: with a head.
        calibration: uint8 RGB [n, h, w, 3], images at the network's size.
        preprocessing: maps pixel values to the network's input.
        progress: shows the progress.

    Raises:
        ConversionError: no images, or activations that are not finite.
    """
    threads = min(4, os.cpu_count() or 1)
    with progress.working("measuring the ranges of activations"):
        ranges = measure(network, calibration, preprocessing, threads)
    contents = to_float32(network), to_float16(network), to_int8(network, ranges)
    return tuple(Variant(*each) for each in zip(NAMES, contents, strict=True))
