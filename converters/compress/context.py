"""What flows through a recipe: the material that steps work with, and the draft they change."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Progress
from converters.training.augment import Augmentation


@dataclass(frozen=True, slots=True)
class RecipeContext:
    """What a step may work with besides the model.

    ``calibration``: uint8 RGB [n, h, w, 3], images at the model's size; ``teacher``: the
    tf_keras model before any compression, never changed; ``seed``: of every random choice;
    ``augmentation``: how training images may be changed, as when the teacher learned.
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
    ``content``: its TFLite file once a quantize step ran, else None. ``notes``: sentences that say
    what was done and what came of it. ``details``: one entry of plain values per step.
    """

    model: Any
    content: bytes | None = None
    notes: tuple[str, ...] = ()
    details: tuple[dict[str, Any], ...] = ()
