"""Tasks of training: the base class that every stage of a conversion is written against.

A task says how labels are read, what is trained, what is predicted and compared, and which metric
decides. Pipeline, stages, recipes, selection, verdict and report know it by this class only;
:mod:`converters.tasks` lists the tasks there are.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from converters.backbone import weights as backbone_weights
from converters.backbone.weights import Backbone
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.methods import Method
from converters.dataset.audit import Dataset
from converters.dataset.intake import OpenedDataset
from converters.dataset.listing import ImageListing
from converters.dataset.split import SPLITS, Split
from converters.progress import Progress
from converters.tflite import Variant
from converters.training.analysis import TrainingAnalysis
from converters.training.augment import Augmentation
from converters.training.config import TrainedModel, TrainingOptions
from converters.verification.calibration import ScoreThreshold
from converters.verification.evaluate import EvaluatedVariant, Predictions, ScoreCalibration
from converters.verification.quality import PairedLoss, Quality, QualityMetric, WeakClass
from converters.verification.verdict import Baseline
from edge.errors import UsageError
from edge.modelfile.metadata import ModelMetadata
from edge.preprocessing import Preprocessing
from edge.version import __version__

RunMethod = Callable[[RecipeState, Any, RecipeContext], RecipeState]
"""Runs a step of a recipe; see :class:`converters.compression.methods.Method`."""


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """A trained model with the ``task``, dataset and split that it was trained on.

    ``path``: path of the dataset; ``weights``: the report's section on the backbone; ``source``:
    that on the earlier result the model was read from, None for a new one; ``calibrated``: whether
    its scores are calibrated already; ``augmentation``: how training images may be changed;
    ``analysis`` of data set and training, None where there is none.
    """

    task: "TrainingTask"
    dataset: Dataset
    path: Path
    split: Split
    weights: Mapping[str, Any]
    trained: TrainedModel
    seed: int
    source: Mapping[str, Any] | None = None
    calibrated: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)
    analysis: TrainingAnalysis | None = None


@dataclass(frozen=True, slots=True)
class CalibratedModel:
    """The network that files are written from, its logits divided by the ``temperature``."""

    network: Any
    temperature: float = 1.0


def model_metadata(training: TrainingResult, name: str, description: str) -> ModelMetadata:
    """Return the metadata that files of every task have; ``name`` and ``description`` of them."""
    dataset = training.dataset
    return ModelMetadata(
        name=name,
        description=description,
        labels=dataset.classes,
        mean=dataset.preprocessing.mean,
        std=dataset.preprocessing.std,
        provenance={
            "toolkit": f"edge-toolkit {__version__}",
            "weights": training.weights["provenance"],
            "method": training.trained.method,
            "seed": training.seed,
            "preprocessing": dataset.preprocessing.to_dict(),
            "pictures": {subset: len(getattr(training.split, subset)) for subset in SPLITS},
        },
    )


def option_not_for(option: str, task: str) -> UsageError:
    """Return the error for an option that a task has no use for."""
    return UsageError(
        f"an option for --task {task}",
        f"{option}, which has no meaning there",
        "leave it out",
        code="option-not-for-task",
    )


class TrainingTask(ABC):
    """A task of training. Methods that are not abstract have the behavior of most tasks.

    A network is whatever the task trains and writes files from; nothing else looks into it.

    Attributes:
        name: in reports, and of ``--task``.
        demo: name of its demo, ``edge demo NAME``, and in the metadata of files; "" for ``name``.
        metric: the one that files are judged and compared by.
        recoverable: whether an int8 file that loses too much can be mended, which starts from
            :meth:`to_keras`.
        unused_options: names of training options that have no meaning for the task.
    """

    name: ClassVar[str]
    demo: ClassVar[str] = ""
    metric: ClassVar[QualityMetric]
    recoverable: ClassVar[bool] = True
    unused_options: ClassVar[tuple[str, ...]] = ("fast",)

    # Labels

    @abstractmethod
    def list_images(self, opened: OpenedDataset) -> ImageListing:
        """List the labeled images of a dataset.

        Raises:
            DatasetError: it is not labeled for this task, or has no usable image.
        """

    @abstractmethod
    def audit(
        self, listing: Any, preprocessing: Preprocessing, workdir: Path, progress: Progress
    ) -> Dataset:
        """Decode the images of :meth:`list_images`, and check images and labels.

        :func:`converters.dataset.audit.audit_images` does what is the same for all tasks. Every
        image has a class in ``Dataset.labels``, by which the split is stratified, and what else
        the task learns of it in ``Dataset.annotations``.
        """

    # Training

    def load_weights(
        self,
        weights: str | None,
        alpha: float | None,
        size: int | None,
        seed: int,
        progress: Progress,
    ) -> Backbone:
        """Load the weights to start from; see :func:`converters.backbone.weights.load`."""
        return backbone_weights.load(weights, alpha, size, seed, progress)

    def tensorflow_option(self, weights: str | None, options: TrainingOptions) -> str:
        """Return the option for which training certainly needs TensorFlow, "" if there is none."""
        return ""

    def check_options(self, options: TrainingOptions, precision: float | None) -> None:
        """Check that the task has what is asked of it; ``precision``: None where none is required.

        Raises:
            UsageError: an option has no meaning for the task.
        """
        plain = TrainingOptions()
        for name in self.unused_options:
            if getattr(options, name) != getattr(plain, name):
                raise option_not_for(f"--{name.replace('_', '-')}", self.name)

    @abstractmethod
    def train(
        self,
        backbone: Backbone,
        dataset: Dataset,
        split: Split,
        options: TrainingOptions,
        cache: Path,
        progress: Progress,
    ) -> TrainedModel:
        """Train on the training split; the validation split decides, the test split is not used.

        ``cache``: folder for what a later run with the same images need not compute again.
        """

    def begin_analysis(
        self,
        backbone: Backbone,
        dataset: Dataset,
        split: Split,
        trained: TrainedModel,
        cache: Path,
        progress: Progress,
    ) -> Callable[[], TrainingAnalysis | None]:
        """Begin to analyze data set and training, which takes seconds; what is returned waits.

        It goes on in the background (:mod:`converters.background`) while files are written and
        run: nothing that is shipped depends on it.
        """
        return lambda: None

    @abstractmethod
    def read_network(self, folder: Path, size: int, classes: int) -> Any:
        """Read the network of an earlier result, for :attr:`TrainedModel.network`.

        Raises:
            ModelError: it cannot be read, may hold code, or has another input size or number of
                classes.
        """

    # Files

    def calibrate(self, training: TrainingResult, progress: Progress) -> CalibratedModel:
        """Calibrate the scores of the trained network on the validation split, once."""
        return CalibratedModel(training.trained.network)

    @abstractmethod
    def write_variants(
        self, training: TrainingResult, network: Any, progress: Progress
    ) -> tuple[Variant, ...]:
        """Write float32, float16 and int8, in this order and with these names."""

    @abstractmethod
    def to_keras(self, network: Any) -> Any:
        """Return the tf_keras model that recipes start from."""

    def keras_model(self, network: Any) -> Any:
        """Return the tf_keras model to save as model.keras, None where the files suffice."""
        return None

    def recipe_method(self, method: Method) -> RunMethod:
        """Return what runs a step of a recipe for this task.

        Raises:
            UsageError: the task has no such step; the error says why.
        """
        return method.run

    @abstractmethod
    def metadata(self, training: TrainingResult) -> ModelMetadata:
        """Return labels, normalization, description and provenance, the same for every file."""

    def companions(self, selected: Variant, training: TrainingResult) -> Mapping[str, bytes]:
        """Return further files to save beside model.tflite, by name."""
        return {}

    # Predictions and metrics

    @abstractmethod
    def predict(
        self, variant: Variant, training: TrainingResult, progress: Progress
    ) -> Predictions:
        """Run a file on the validation and the test split.

        Raises:
            ConversionError: what it predicts is not finite.
        """

    @abstractmethod
    def quality(
        self, predictions: Predictions, reference: Predictions, training: TrainingResult
    ) -> Quality:
        """Measure a file on the test split, beside the ``reference``, float32."""

    @abstractmethod
    def validation_quality(self, content: bytes, training: TrainingResult) -> float:
        """Return the metric (0-1) of a file on the validation split."""

    @abstractmethod
    def loss(
        self, before: Predictions, after: Predictions, training: TrainingResult, subset: str
    ) -> PairedLoss:
        """Measure what ``after`` lost against ``before`` on a subset, "validation" or "test"."""

    @abstractmethod
    def check_informative(self, predictions: Predictions) -> None:
        """Check that predictions on the test split depend on the image.

        Raises:
            ConversionError: they do not; the error names the variant.
        """

    def threshold(
        self, predictions: Predictions, training: TrainingResult, precision: float
    ) -> ScoreThreshold | None:
        """Find the lowest score above which predictions have this precision, on validation."""
        return None

    def baseline(self, training: TrainingResult) -> Baseline | None:
        """Return what a model without any knowledge would reach on the test split."""
        return None

    def weak_classes(
        self, reference: Predictions, training: TrainingResult
    ) -> tuple[WeakClass, ...]:
        """Find the classes that are often taken for another one."""
        return ()

    # Report

    def score_calibration(
        self, calibrated: CalibratedModel, reference: Predictions, training: TrainingResult
    ) -> ScoreCalibration | None:
        """Compare the reliability of scores before and after :meth:`calibrate`."""
        return None

    def training_fields(self, trained: TrainedModel) -> Mapping[str, Any]:
        """Return the fields of ``TrainingReport`` that this task alone fills, by name."""
        return {}

    def variant_fields(self, evaluated: EvaluatedVariant) -> Mapping[str, Any]:
        """Return the fields of ``VariantReport`` that this task alone fills, by name."""
        return {}
