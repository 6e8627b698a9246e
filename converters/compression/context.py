"""Data that flows through a recipe: the context its steps work in, and the state they change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import CALIBRATION_IMAGES, Split, draw_calibration
from converters.progress import Progress
from converters.training.augment import Augmentation


@dataclass(frozen=True, slots=True)
class RecipeContext:
    """Everything that a step works with, except the model.

    ``calibration``: uint8 RGB [n, h, w, 3], images at the model's size; ``teacher``: the
    tf_keras model before any compression, never changed; ``seed``: of every random choice;
    ``augmentation``: random changes of training images, as in the teacher's training;
    ``run_method``: returns what runs a method of a step for the task, its own function by default.
    """

    dataset: Dataset
    split: Split
    calibration: NDArray[np.uint8]
    teacher: Any
    seed: int
    progress: Progress
    augmentation: Augmentation = field(default_factory=Augmentation)
    run_method: Callable[[Any], Any] = field(default=attrgetter("run"))


@dataclass(frozen=True, slots=True)
class RecipeState:
    """A model on its way through a recipe.

    ``model``: flat tf_keras model, float32 [n, h, w, 3] in [-1, 1] to softmax [n, classes].
    ``content``: its TFLite file after the quantize step, else None. ``companions``: as of
    :class:`converters.tflite.Variant`. ``notes``: sentences that say
    what was done and with what result. ``details``: one entry of plain values per step.
    """

    model: Any
    content: bytes | None = None
    notes: tuple[str, ...] = ()
    details: tuple[dict[str, Any], ...] = ()
    companions: Mapping[str, bytes] = field(default_factory=dict)


def calibration_set(
    dataset: Dataset, split: Split, seed: int, size: int = CALIBRATION_IMAGES
) -> NDArray[np.uint8]:
    """Return the images of :func:`draw_calibration`, uint8 RGB [n, height, width, 3]."""
    return np.asarray(dataset.pixels[draw_calibration(dataset, split, seed, size)])
