"""What the tests of compression share."""

from typing import Any

import pytest
from micro_material import material as made

from converters.compress.draft import Material
from converters.dataset.audit import Dataset
from converters.dataset.split import Split


@pytest.fixture(scope="session")
def micro_material(
    micro_model_and_variants: tuple[Any, object], shapes: Dataset, shapes_split: Split
) -> Material:
    """The small classifier as a teacher, with its pictures."""
    return made(micro_model_and_variants[0], shapes, shapes_split)
