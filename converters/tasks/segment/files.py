"""The .tflite files of a segmenter: logits of cells, in three number formats."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from converters.tasks.segment.network import LOGITS, SegmenterNetwork
from converters.writer import graph_files

if TYPE_CHECKING:
    from edge.preprocessing import Preprocessing

_BOUND = 10.0
"""Logits beyond it all become this one: finer steps where classes compete."""


def to_float32(network: SegmenterNetwork) -> bytes:
    """Return the file with float32 weights, batch 1."""
    return graph_files.to_float32(network.graph())


def to_float16(network: SegmenterNetwork) -> bytes:
    """Return the file with float16 weights, which an interpreter converts when it loads them."""
    return graph_files.to_float16(network.graph())


def to_int8(
    network: SegmenterNetwork, calibration: NDArray[np.uint8], preprocessing: "Preprocessing"
) -> bytes:
    """Return the file with 8-bit weights and activations, uint8 pixels and int8 logits.

    Args:
        network: its weights.
        calibration: uint8 RGB [n, size, size, 3], on which the ranges of activations are measured.
        preprocessing: maps pixel values to the network's input.

    Raises:
        ConversionError: there are no images, or a value is not finite.
    """
    graph = network.graph()
    ranges = dict(graph_files.measure(graph, calibration, preprocessing))
    low, high = ranges[LOGITS]
    ranges[LOGITS] = max(low, -_BOUND), min(high, _BOUND)
    return graph_files.to_int8(graph, ranges)
