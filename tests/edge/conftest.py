"""Tiny models for the tests of the board side; see tests/support/tiny_models.py."""

from collections.abc import Callable

import numpy as np
import pytest
import tiny_models


@pytest.fixture(scope="session")
def tiny_model() -> Callable[..., bytes]:
    return tiny_models.colour_model


@pytest.fixture(scope="session")
def edgetpu_model() -> Callable[[], bytes]:
    return tiny_models.edgetpu_model


@pytest.fixture
def red() -> np.ndarray:
    return tiny_models.red_picture()
