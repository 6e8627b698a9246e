"""What the tasks of detectors and segmenters have in common: trunks, budget, files that are run."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Indices
from converters.progress import Progress
from converters.pyramid import weights
from converters.pyramid.training import UNUSED_OPTIONS, PyramidTraining
from converters.task import TrainingResult, TrainingTask
from converters.tflite import Variant
from converters.training.config import TrainingOptions
from converters.verification.evaluate import Predictions
from edge.errors import ModelError

_BUDGET = 300.0
"""Seconds of training, by default."""


class PyramidTask(TrainingTask):
    """A task whose network is a :class:`converters.pyramid.network.PyramidNetwork`.

    Attributes:
        noun: what is trained, such as "detector", for messages.
        size: side of the input in pixels, by default.
    """

    noun: ClassVar[str]
    size: ClassVar[int]
    recoverable = False
    unused_options: ClassVar[tuple[str, ...]] = UNUSED_OPTIONS

    def load_weights(
        self,
        weights_name: str | None,
        alpha: float | None,
        size: int | None,
        seed: int,
        progress: Progress,
    ) -> Backbone:
        """Load the trunk."""
        return weights.load(
            weights_name, alpha, self.size if size is None else size, seed, progress, self.noun
        )

    def tensorflow_option(self, weights_name: str | None, options: TrainingOptions) -> str:
        """Return what takes TensorFlow: all training of this task."""
        return f"--task {self.name}"

    def pyramid_training(self, options: TrainingOptions) -> PyramidTraining:
        """Return the options of a training within the budget."""
        budget = _BUDGET if options.budget is None else options.budget
        return PyramidTraining(budget=budget, seed=options.seed)

    def read_network(self, folder: Path, size: int, classes: int) -> Any:
        """Refuse: networks of pyramids are not read back.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            "a result of a task that can be compressed afterwards",
            f"the {self.noun} in {folder}",
            "convert the dataset again, with the recipes that you want",
            code="trained-model-mismatch",
        )

    def predict(
        self, variant: Variant, training: TrainingResult, progress: Progress
    ) -> Predictions:
        """Return what a file predicts for each split, as :meth:`predict_images` does."""

        def run(subset: str) -> Any:
            words = f"evaluating {variant.name} on the {subset} split"
            indices = getattr(training.split, subset)
            return self.predict_images(
                variant.content, variant.name, training.dataset, indices, words, progress
            )

        return Predictions(variant, run("validation"), run("test"))

    @abstractmethod
    def predict_images(
        self,
        content: bytes,
        name: str,
        dataset: Dataset,
        indices: Indices,
        words: str,
        progress: Progress,
    ) -> Any:
        """Run a file on images.

        Args:
            content: of the .tflite file.
            name: of it, for errors.
            dataset: of the images.
            indices: int64 [n], of the images.
            words: what is done, for the progress.
            progress: shows how far it is.

        Raises:
            ConversionError: what it predicts is not finite.
        """
