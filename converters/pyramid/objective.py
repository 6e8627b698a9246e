"""What a network learns of images, and how well it does: all that differs between tasks."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.interpreter import TensorSpec

Pixels = NDArray[np.uint8]
"""uint8 RGB [size, size, 3]."""

Targets = tuple[NDArray[Any], ...]
"""What is learned of an image, in shapes that are the same for every image."""

Outputs = tuple[NDArray[Any], ...]
"""Outputs of a network for an image."""


@dataclass(frozen=True, slots=True)
class ValidationScore:
    """Quality on the validation images.

    ``score``, 0 to 1, decides between networks; ``figures`` by name are recorded; ``words`` tell
    them.
    """

    score: float
    figures: Mapping[str, float]
    words: str


class Objective(ABC):
    """Training and validation images of a task.

    Attributes:
        images: number of training images.
        validation: pixels of the validation images.
    """

    images: int
    validation: Sequence[Pixels]

    @abstractmethod
    def view(self, number: int, rng: np.random.Generator) -> tuple[Pixels, Targets]:
        """Return a changed training image, by its number, and what is learned of it."""

    def calm_view(self, number: int, rng: np.random.Generator) -> tuple[Pixels, Targets]:
        """Return a view that is more like the images later, for the end of a training."""
        return self.view(number, rng)

    @abstractmethod
    def loss(self, outputs: Mapping[str, Any], targets: Sequence[Any]) -> Any:
        """Return the loss of a batch, a scalar of TensorFlow.

        Args:
            outputs: of the network by name, float32 [b, h, w, c].
            targets: one behind the other, [b, …] each.
        """

    @abstractmethod
    def judge(self, specs: Sequence[TensorSpec], outputs: Iterable[Outputs]) -> ValidationScore:
        """Judge the outputs for the validation images, in their order; ``specs``: of these."""
