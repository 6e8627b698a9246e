"""The task of counting: a detector whose head finds points."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from converters.backbone.weights import Backbone
from converters.compression.context import calibration_set
from converters.compression.methods import Method
from converters.dataset.annotations import BoxListing
from converters.dataset.audit import Dataset
from converters.dataset.recognition import DETECT
from converters.dataset.split import Indices, Split
from converters.metrics.points import match_points
from converters.progress import Progress, SilentProgress
from converters.pyramid import weights
from converters.pyramid.record import described
from converters.pyramid.training import train
from converters.task import RunMethod, TrainingResult, model_metadata
from converters.tasks.detect.centers import dataset as points
from converters.tasks.detect.centers import files, network, predictions, quality
from converters.tasks.detect.centers.objective import CentersObjective
from converters.tasks.detect.dataset import BoxedImages
from converters.tasks.detect.options import box_augmentation, training_key
from converters.tasks.detect.predictions import true_boxes
from converters.tasks.detect.quality import threshold_of
from converters.tasks.detect.task import DetectionTask
from converters.tflite import Variant
from converters.training.config import TrainedModel, TrainingOptions
from converters.verification.calibration import ScoreThreshold
from converters.verification.evaluate import Predictions
from converters.verification.quality import PairedLoss, Quality
from edge.errors import ConversionError, UsageError
from edge.modelfile.metadata import ModelMetadata
from edge.preprocessing import Preprocessing
from edge.quantities import counted
from edge.tasks.detect.heads.centers import SIZES_KEY

COUNT = "count"
"""Name of the task."""


class CountingTask(DetectionTask):
    """Middles of small objects; labels, weights and what is refused are those of boxes."""

    name = COUNT
    demo = DETECT
    metric = quality.F1

    def audit(
        self, listing: BoxListing, preprocessing: Preprocessing, workdir: Path, progress: Progress
    ) -> Dataset:
        """Decode the images, check images and boxes, and whether objects are small."""
        return points.audit(listing, preprocessing, workdir, progress)

    def tensorflow_option(self, weights_name: str | None, options: TrainingOptions) -> str:
        """Return what takes TensorFlow: all training of detectors."""
        return "--head centers"

    def train(
        self,
        backbone: Backbone,
        dataset: Dataset,
        split: Split,
        options: TrainingOptions,
        cache: Path,
        progress: Progress,
    ) -> TrainedModel:
        """Train the head, and the trunk from the cut on that validation chooses."""
        assert isinstance(backbone, weights.PyramidBackbone) and backbone.trunk is not None
        untrained = network.build(backbone.trunk, backbone.size, len(dataset.classes), options.seed)
        augmentation = box_augmentation(options.augmentation)
        head = {SIZES_KEY: points.usual_sizes(dataset, split.train)}
        objective = CentersObjective(
            untrained, BoxedImages(dataset, split.train), BoxedImages(dataset, split.validation),
            augmentation, head,
        )  # fmt: skip
        training = self.pyramid_training(options)
        key = training_key(backbone, dataset, split, training, augmentation)
        trained = train(untrained, objective, training, cache / f"counter-{key}.npz", progress)
        details = {**head, "threshold": trained.figures["threshold"]}
        return described(trained, backbone, {"f1": "F1"}, details)

    def write_variants(
        self, training: TrainingResult, trained: Any, progress: Progress
    ) -> tuple[Variant, ...]:
        """Write the files."""
        samples = calibration_set(training.dataset, training.split, training.seed)
        return (
            Variant("float32", files.to_float32(trained)),
            Variant("float16", files.to_float16(trained)),
            Variant("int8", files.to_int8(trained, samples, training.dataset.preprocessing)),
        )

    def recipe_method(self, method: Method) -> RunMethod:
        """Refuse all steps: int8 and float16 are always built, and nothing else is possible yet.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "no --recipe, or int8 or float16, which are always built",
            f"the step {method.name} for --head centers",
            "leave it out, or use a smaller --alpha",
            code="recipe-not-for-task",
        )

    def metadata(self, training: TrainingResult) -> ModelMetadata:
        """Return labels, normalization, threshold, description and the sizes of objects."""
        data, details = training.dataset, training.trained.details
        about = model_metadata(
            training,
            name=f"{data.name} counter",
            description=(
                f"Counts objects of the {counted(len(data.classes), 'class')} of {data.name}."
            ),
        )
        head = {SIZES_KEY: details[SIZES_KEY]}
        return replace(about, task=DETECT, threshold=details["threshold"], head=head)

    def companions(self, selected: Variant, training: TrainingResult) -> Mapping[str, bytes]:
        """Return no further file: TFLite_Detection_PostProcess knows boxes only."""
        return {}

    def predict_images(
        self,
        content: bytes,
        name: str,
        dataset: Dataset,
        indices: Indices,
        words: str,
        progress: Progress,
    ) -> predictions.Detected:
        """Return the points of a file, in pixels of the input."""
        return predictions.detect(content, name, dataset, indices, words, progress)

    def quality(
        self, predicted: Predictions, reference: Predictions, training: TrainingResult
    ) -> Quality:
        """Measure F1 and the error of the count, at the threshold in the file."""
        data, split = training.dataset, training.split
        least = _threshold(predicted, training)
        validation = quality.f1(
            true_boxes(data, split.validation), predicted.validation, len(data.classes), least
        )
        return quality.measure_quality(
            true_boxes(data, split.test), predicted.test, validation, data.classes, least,
            training.seed,
        )  # fmt: skip

    def validation_quality(self, content: bytes, training: TrainingResult) -> float:
        """Return F1 of a file on the validation split."""
        data, indices = training.dataset, training.split.validation
        detected = predictions.detect(content, "candidate", data, indices, "", SilentProgress())
        return quality.f1(
            true_boxes(data, indices), detected, len(data.classes),
            training.trained.details["threshold"],
        )  # fmt: skip

    def loss(
        self, before: Predictions, after: Predictions, training: TrainingResult, subset: str
    ) -> PairedLoss:
        """Compare F1 on the same images."""
        first, second = (
            (getattr(each, subset), _threshold(each, training)) for each in (before, after)
        )
        true = true_boxes(training.dataset, getattr(training.split, subset))
        return quality.f1_loss(true, first, second, training.dataset.classes, training.seed)

    def check_informative(self, predicted: Predictions) -> None:
        """Check that something is detected, and not the same everywhere."""
        if not predictions.is_informative(predicted.test):
            raise ConversionError(
                f"points of {predicted.variant.name} that depend on the image",
                "none at all, or the same ones in every test image",
                "label more images, or give training more time with --budget",
                code="scores-not-informative",
            )

    def threshold(
        self, predicted: Predictions, training: TrainingResult, precision: float
    ) -> ScoreThreshold | None:
        """Find the lowest score above which points have this precision, on validation."""
        data, indices = training.dataset, training.split.validation
        true = true_boxes(data, indices)
        matches = match_points(true, predicted.validation, len(data.classes))
        return threshold_of(matches, precision, len(true))


def _threshold(predicted: Predictions, training: TrainingResult) -> float:
    """Return the threshold in a file: for a required precision, else that of the best F1."""
    required = predicted.threshold
    if required is not None and required.met:
        return required.score
    best: float = training.trained.details["threshold"]
    return best


TASK = CountingTask()
