"""A small trained model and its TFLite files, made once for all tests of the workstation side."""

from typing import Any

import pytest

from converters.compress.quantise import Variant
from converters.dataset.audit import Dataset
from converters.dataset.split import Split


@pytest.fixture(scope="session")
def shapes() -> Dataset:
    """90 generated pictures of 3 classes, in memory."""
    import micro_model

    return micro_model.dataset(*micro_model.pictures(30, seed=1))


@pytest.fixture(scope="session")
def shapes_split(shapes: Dataset) -> Split:
    import micro_model

    return micro_model.thirds(len(shapes.labels))


@pytest.fixture(scope="session")
def micro_model_and_variants(
    shapes: Dataset, shapes_split: Split
) -> tuple[Any, tuple[Variant, ...]]:
    """A tf_keras classifier of ``shapes`` and its float32, float16 and int8 files."""
    import micro_model

    from converters.compress.quantise import variants
    from converters.progress import Silent

    pixels, labels = shapes.pixels[shapes_split.train], shapes.labels[shapes_split.train]
    model = micro_model.classifier(pixels, labels)
    return model, variants(model, pixels, shapes.preprocessing, Silent())


@pytest.fixture(scope="session")
def micro_variants(
    micro_model_and_variants: tuple[Any, tuple[Variant, ...]],
) -> tuple[Variant, ...]:
    return micro_model_and_variants[1]
