"""What the steps of recipes work with, made once."""

from typing import Any

import pytest

from converters.compress.calibration import calibration_set
from converters.compress.draft import Material
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Silent


@pytest.fixture(scope="session")
def material(
    micro_model_and_variants: tuple[Any, object], shapes: Dataset, shapes_split: Split
) -> Material:
    """The micro classifier as teacher, with its pictures."""
    return Material(
        dataset=shapes,
        split=shapes_split,
        calibration=calibration_set(shapes, shapes_split, 0),
        teacher=micro_model_and_variants[0],
        seed=3,
        progress=Silent(),
    )
