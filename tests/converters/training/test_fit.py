"""The loop of fine-tuning and of training from scratch: the seed decides all of it."""

from typing import Any

import numpy as np
import pytest

from converters import tf
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import SilentProgress
from converters.training import fit
from converters.training.config import TrainingOptions


@pytest.fixture(scope="module")
def start(shapes: Dataset) -> Any:
    """A small network with dropout in it, not trained yet."""
    keras = tf.keras()
    return keras.Sequential(
        [
            keras.layers.AveragePooling2D(12, input_shape=shapes.pixels.shape[1:]),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(len(shapes.classes), activation="softmax"),
        ]
    )


def test_the_same_seed_trains_the_same_weights(
    start: Any, shapes: Dataset, shapes_split: Split
) -> None:
    def trained() -> tuple[tuple[float, ...], Any]:
        model = tf.keras().models.clone_model(start)
        model.set_weights(start.get_weights())
        options = TrainingOptions(seed=5)
        plan = fit.FitConfig("Training", learning_rate=1e-2)
        done = fit.fit(model, shapes, shapes_split, options, plan, lambda _: 1, SilentProgress())
        return done.losses, model.get_weights()[0]

    losses, kernel = trained()
    tf.tensorflow().random.uniform([3])  # whatever else is drawn in this process
    again, same = trained()
    assert again == losses
    np.testing.assert_array_equal(same, kernel)
