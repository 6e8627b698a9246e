"""The .tflite files of a detector of points, whole on an Edge TPU."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from converters.tasks.detect.centers.network import CENTERS, OFFSETS, CentersNetwork
from converters.tasks.detect.files import LOWEST_LOGIT
from converters.writer import graph_files

if TYPE_CHECKING:
    from edge.preprocessing import Preprocessing

_FARTHEST = 2.0
"""Largest offset in cells: cells without an object may say anything, and make steps coarse."""


def to_float32(network: CentersNetwork) -> bytes:
    """Return the file with float32 weights, batch 1."""
    return graph_files.to_float32(network.graph())


def to_float16(network: CentersNetwork) -> bytes:
    """Return the file with float16 weights, which an interpreter converts when it loads them."""
    return graph_files.to_float16(network.graph())


def to_int8(
    network: CentersNetwork, calibration: NDArray[np.uint8], preprocessing: "Preprocessing"
) -> bytes:
    """Return the file with 8-bit weights and activations, batch 1.

    Args:
        network: its weights.
        calibration: uint8 RGB [n, size, size, 3], on which the ranges of activations are measured.
        preprocessing: maps pixel values to the network's input.

    Raises:
        ConversionError: there are no images, or a value is not finite.
    """
    graph = network.graph()
    ranges = dict(graph_files.measure(graph, calibration, preprocessing))
    low, high = ranges[CENTERS]
    ranges[CENTERS] = (max(low, LOWEST_LOGIT), max(high, 0.0))
    low, high = ranges[OFFSETS]
    ranges[OFFSETS] = (max(low, -_FARTHEST), min(high, _FARTHEST))
    return graph_files.to_int8(graph, ranges)
