"""Data that flows through a recipe: the context its steps work in, and the state they change."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training.augment import Augmentation

CALIBRATION_IMAGES = 96
"""An image costs about 50 ms at 224 pixels on one core: most of the time that int8 takes."""


@dataclass(frozen=True, slots=True)
class RecipeContext:
    """Everything that a step works with, except the model.

    ``calibration``: uint8 RGB [n, h, w, 3], images at the model's size; ``teacher``: the
    tf_keras model before any compression, never changed; ``seed``: of every random choice;
    ``augmentation``: random changes of training images, as in the teacher's training.
    """

    dataset: Dataset
    split: Split
    calibration: NDArray[np.uint8]
    teacher: Any
    seed: int
    progress: Progress
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True, slots=True)
class RecipeState:
    """A model on its way through a recipe.

    ``model``: flat tf_keras model, float32 [n, h, w, 3] in [-1, 1] to softmax [n, classes].
    ``content``: its TFLite file after the quantize step, else None. ``notes``: sentences that say
    what was done and with what result. ``details``: one entry of plain values per step.
    """

    model: Any
    content: bytes | None = None
    notes: tuple[str, ...] = ()
    details: tuple[dict[str, Any], ...] = ()


def calibration_set(
    dataset: Dataset, split: Split, seed: int, size: int = CALIBRATION_IMAGES
) -> NDArray[np.uint8]:
    """Draw the images from which int8 takes the range of every activation.

    They come from the training split, the same number of each class: classes take turns until
    ``size`` images are drawn or none is left. A class with few images gives all it has; with more
    classes than ``size``, ``size`` of the classes give one image each.

    Returns:
        uint8 RGB [n, height, width, 3], n ≤ size, in the order drawn (classes mixed).
    """
    rng = np.random.default_rng([seed, 0xCA11])  # a stream of its own, apart from other stages
    labels = dataset.labels[split.train]
    queues = [rng.permutation(split.train[labels == c]) for c in np.unique(labels)]
    rounds = max((len(queue) for queue in queues), default=0)
    drawn = [
        queues[c][turn]
        for turn in range(rounds)
        for c in rng.permutation(len(queues))
        if turn < len(queues[c])
    ]
    return np.asarray(dataset.pixels[np.array(drawn[:size], np.int64)])
