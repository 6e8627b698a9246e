"""Contexts for recipe steps, created once."""

from pathlib import Path
from typing import Any

import pytest

from converters.backbone import weights
from converters.compression.context import RecipeContext, calibration_set
from converters.dataset import class_audit, intake, split
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import SilentProgress
from converters.tasks.classify.train import train
from converters.training.config import TrainingOptions
from edge.preprocessing import Preprocessing

IMAGENET = "models/keras/mobilenet_v2_1.0_224_no_top.weights.h5"


@pytest.fixture(scope="session")
def context(
    micro_model_and_variants: tuple[Any, object], shapes: Dataset, shapes_split: Split, seed: int
) -> RecipeContext:
    """The micro classifier as teacher, with its images."""
    return RecipeContext(
        dataset=shapes,
        split=shapes_split,
        calibration=calibration_set(shapes, shapes_split, 0),
        teacher=micro_model_and_variants[0],
        seed=seed + 3,
        progress=SilentProgress(),
    )


@pytest.fixture(scope="session")
def groceries(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RecipeContext:
    """Groceries with a teacher on ImageNet weights."""
    work = tmp_path_factory.mktemp("groceries")
    backbone = weights.load(str(test_data / IMAGENET), None, None, 0)
    listing = intake.list_images(test_data / "datasets/grocery6", work)
    dataset = class_audit.audit_classes(listing, Preprocessing(224, 224), work, SilentProgress())
    sides = split.split(dataset, 0)
    options = TrainingOptions(fine_tune="never")
    network = train(backbone, dataset, sides, options, work, SilentProgress()).network
    assert network is not None
    teacher = network.to_keras()
    calibration = calibration_set(dataset, sides, 0)
    return RecipeContext(dataset, sides, calibration, teacher, seed=0, progress=SilentProgress())
