"""Channel pruning keeps its promise on real photos: less to compute, at a small loss."""

from typing import Any

import numpy as np
import pytest

from converters import tflite as quantize
from converters.compression.channels import pruning
from converters.compression.context import RecipeContext, RecipeState
from edge import interpreter
from edge.modelfile import tflite
from edge.modelfile.operations import model_cost

pytestmark = pytest.mark.realdata


def int8(model: Any, context: RecipeContext) -> bytes:
    return quantize.to_int8(model, context.calibration, context.dataset.preprocessing)


def accuracy(content: bytes, context: RecipeContext) -> float:
    """Over test and validation side, which no weight has seen."""
    runtime = interpreter.load(content, name="int8")
    indices = np.concatenate([context.split.test, context.split.validation])
    answers = [runtime.invoke(context.dataset.pixels[i][None])[0].argmax() for i in indices]
    return float(np.mean(answers == context.dataset.labels[indices]))


@pytest.mark.parametrize("cost", ["time", "multiply-adds"])
def test_half_the_work_of_the_blocks_loses_a_point_at_most(
    groceries: RecipeContext, cost: str
) -> None:
    options = pruning.ChannelOptions(keep=0.5, cost=cost, epochs=0)
    pruned = pruning.run(RecipeState(groceries.teacher), options, groceries)
    dense, narrow = int8(groceries.teacher, groceries), int8(pruned.model, groceries)
    before, after = (model_cost(tflite.parse(content)) for content in (dense, narrow))
    assert 0.4 <= after.multiply_adds / before.multiply_adds <= 0.65
    assert accuracy(narrow, groceries) >= accuracy(dense, groceries) - 0.01
