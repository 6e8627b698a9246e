"""Channel pruning keeps its promise on real photos: less to compute, at a small loss."""

from typing import Any

import numpy as np
import pytest

from converters.compress import quantise
from converters.compress.channels import step
from converters.compress.draft import Draft, Material
from edge import interpreter
from edge.modelfile import tflite
from edge.modelfile.figures import figures

pytestmark = pytest.mark.realdata


def int8(model: Any, material: Material) -> bytes:
    return quantise.int8(model, material.calibration, material.dataset.preprocessing)


def accuracy(content: bytes, material: Material) -> float:
    """Over test and validation side, which no weight has seen."""
    runtime = interpreter.load(content, name="int8")
    indices = np.concatenate([material.split.test, material.split.validation])
    answers = [runtime.invoke(material.dataset.pixels[i][None])[0].argmax() for i in indices]
    return float(np.mean(answers == material.dataset.labels[indices]))


def test_half_the_channels_save_work_and_lose_two_points_at_most(groceries: Material) -> None:
    pruned = step.run(Draft(groceries.teacher), step.Options(keep=0.5, epochs=1), groceries)
    dense, narrow = int8(groceries.teacher, groceries), int8(pruned.model, groceries)
    before, after = (figures(tflite.parse(content)) for content in (dense, narrow))
    assert 0.56 <= after.multiply_adds / before.multiply_adds <= 0.58
    assert accuracy(narrow, groceries) >= accuracy(dense, groceries) - 0.02
