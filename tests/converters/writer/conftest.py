"""A small trained network that all tests of the writer share; only read it."""

import micro_model
import numpy as np
import pytest
import written_backbone

from converters.writer.folding import FoldedNetwork
from converters.writer.ranges import Ranges, measure

PER_CLASS = 8


@pytest.fixture(scope="session")
def network(seed: int) -> FoldedNetwork:
    return written_backbone.classifier(*micro_model.images(PER_CLASS, seed))


@pytest.fixture(scope="session")
def images(seed: int) -> np.ndarray:
    """Images that the network was not fitted on, uint8 [n, 96, 96, 3]."""
    return micro_model.images(PER_CLASS, seed + 1)[0]


@pytest.fixture(scope="session")
def inputs(images: np.ndarray) -> np.ndarray:
    return written_backbone.PREPROCESSING.normalize(images)


@pytest.fixture(scope="session")
def ranges(network: FoldedNetwork, images: np.ndarray) -> Ranges:
    return measure(network, images, written_backbone.PREPROCESSING)
