"""The task of classification: what stages know of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from converters.artifacts import FLOAT_FILE, KERAS_FILE
from converters.backbone.weights import Backbone
from converters.compression.context import calibration_set
from converters.compression.keras_archive import load_network
from converters.dataset.audit import Dataset
from converters.dataset.class_audit import audit_classes
from converters.dataset.intake import OpenedDataset, label_images
from converters.dataset.listing import Listing
from converters.dataset.split import Split
from converters.progress import Progress
from converters.report.variant import ClassReport
from converters.task import CalibratedModel, TrainingResult, TrainingTask, model_metadata
from converters.tasks.classify.analysis import begin_analysis
from converters.tasks.classify.predictions import (
    predict,
    predict_in_parts,
    score,
    score_candidate,
)
from converters.tasks.classify.quality import ACCURACY, accuracy_loss, measure_quality
from converters.tasks.classify.train import FrozenFindings, train
from converters.tasks.classify.weak_classes import find_weak_classes
from converters.tflite import NAMES, Variant
from converters.training.analysis import TrainingAnalysis
from converters.training.config import TrainedModel, TrainingOptions
from converters.verification.calibration import (
    Reliability,
    ScoreThreshold,
    fit_temperature,
    fit_threshold,
    reliability,
    scale_probabilities,
)
from converters.verification.evaluate import (
    REFERENCE,
    EvaluatedVariant,
    Predictions,
    ScoreCalibration,
)
from converters.verification.quality import PairedLoss, Quality, WeakClass
from converters.verification.sanity import check_informative
from converters.verification.verdict import Baseline
from converters.writer.classifier import ClassifierNetwork, read_classifier
from converters.writer.float_files import to_float32
from converters.writer.ranges import measure
from converters.writer.variants import write_variants
from edge.errors import ModelError
from edge.files import cache_folder
from edge.modelfile.metadata import ModelMetadata
from edge.preprocessing import Preprocessing
from edge.quantities import counted

_FIX = "convert the dataset again"


class ClassificationTask(TrainingTask):
    """One class for each image."""

    name = "classify"
    metric = ACCURACY

    def list_images(self, opened: OpenedDataset) -> Listing:
        """List the images of class folders, or of a CSV."""
        return label_images(opened)

    def audit(
        self, listing: Listing, preprocessing: Preprocessing, workdir: Path, progress: Progress
    ) -> Dataset:
        """Decode the images, and check images and classes."""
        return audit_classes(listing, preprocessing, workdir, progress)

    def tensorflow_option(self, weights: str | None, options: TrainingOptions) -> str:
        """Return the option that trains more than the head."""
        if weights == "none":
            return "--weights none"
        return "--fine-tune always" if options.fine_tune == "always" else ""

    def train(
        self,
        backbone: Backbone,
        dataset: Dataset,
        split: Split,
        options: TrainingOptions,
        cache: Path,
        progress: Progress,
    ) -> TrainedModel:
        """Train a head, and the backbone where it helps."""
        return train(backbone, dataset, split, options, cache, progress)

    def begin_analysis(
        self,
        backbone: Backbone,
        dataset: Dataset,
        split: Split,
        trained: TrainedModel,
        cache: Path,
        progress: Progress,
    ) -> Callable[[], TrainingAnalysis | None]:
        """Begin to analyze labels and learning, by embeddings of a pretrained backbone."""
        if not backbone.pretrained:
            return lambda: None
        return begin_analysis(backbone, dataset, split, trained.by_product, cache, progress)

    def read_network(self, folder: Path, size: int, classes: int) -> ClassifierNetwork:
        """Read the network from model.keras, or from the float32 file."""
        path = folder / KERAS_FILE
        if path.is_file():
            network = ClassifierNetwork.from_model(load_network(path, _FIX))
        else:
            path = folder / FLOAT_FILE
            network = read_classifier(path)
        expected, actual = [size, size, classes], [network.size, network.size, network.classes]
        if actual != expected:
            raise ModelError(
                f"a model with input size and class count {expected}",
                f"{actual} in {path}",
                _FIX,
                code="trained-model-mismatch",
            )
        return network

    def calibrate(self, training: TrainingResult, progress: Progress) -> CalibratedModel:
        """Divide the logits by a temperature fitted on the validation split, once."""
        network = training.trained.network
        if training.calibrated:
            return CalibratedModel(network)
        findings: FrozenFindings | None = training.trained.by_product
        dataset, validation = training.dataset, training.split.validation
        if findings is not None:
            scores = findings.validation_scores
        else:
            uncalibrated = Variant("uncalibrated float32", to_float32(network.folded()))
            scores = score(uncalibrated, dataset, validation, "validation split", progress)
        check_informative(REFERENCE, scores)
        temperature = fit_temperature(scores, dataset.labels[validation])
        return CalibratedModel(network.scaled(temperature), temperature)

    def write_variants(
        self, training: TrainingResult, network: ClassifierNetwork, progress: Progress
    ) -> tuple[Variant, ...]:
        """Write float32, float16 and int8."""
        folded = network.folded()
        findings: FrozenFindings | None = training.trained.by_product
        if findings is not None and findings.ranges is not None:
            return write_variants(folded, findings.ranges.with_head(network.head))
        samples = calibration_set(training.dataset, training.split, training.seed)
        with progress.working("measuring the ranges of activations"):
            ranges = measure(folded, samples, training.dataset.preprocessing)
        return write_variants(folded, ranges)

    def to_keras(self, network: ClassifierNetwork) -> Any:
        """Return the tf_keras model, with a softmax layer "head"."""
        return network.to_keras()

    def keras_model(self, network: ClassifierNetwork) -> Any:
        """Return the tf_keras model where TensorFlow trained it."""
        return network.model

    def metadata(self, training: TrainingResult) -> ModelMetadata:
        """Return labels, normalization, description and provenance."""
        dataset = training.dataset
        return model_metadata(
            training,
            name=f"{dataset.name} classifier",
            description=(
                f"Classifies images into the {counted(len(dataset.classes), 'class')} of "
                f"{dataset.name}."
            ),
        )

    def predict(
        self, variant: Variant, training: TrainingResult, progress: Progress
    ) -> Predictions:
        """Return the scores of a file, float32 [n, classes] for each split."""
        dataset, split = training.dataset, training.split
        if training.trained.by_product is not None and variant.name in NAMES:  # a frozen backbone
            return predict_in_parts(variant, dataset, split, cache_folder(), progress)
        return predict(variant, dataset, split, progress)

    def quality(
        self, predictions: Predictions, reference: Predictions, training: TrainingResult
    ) -> Quality:
        """Measure the accuracy, and figures per class."""
        return measure_quality(predictions, reference, training.dataset, training.split)

    def validation_quality(self, content: bytes, training: TrainingResult) -> float:
        """Return the accuracy of a file on the validation split."""
        indices = training.split.validation
        scores = score_candidate(content, training.dataset, indices)
        return float((scores.argmax(1) == training.dataset.labels[indices]).mean())

    def loss(
        self, before: Predictions, after: Predictions, training: TrainingResult, subset: str
    ) -> PairedLoss:
        """Count the images that only one of both gets right."""
        truth = training.dataset.labels[getattr(training.split, subset)]
        was, is_now = (getattr(p, subset).argmax(1) == truth for p in (before, after))
        return accuracy_loss(was, is_now, truth, training.dataset.classes)

    def check_informative(self, predictions: Predictions) -> None:
        """Check that scores are neither constant nor saturated."""
        check_informative(predictions.variant.name, predictions.test)

    def threshold(
        self, predictions: Predictions, training: TrainingResult, precision: float
    ) -> ScoreThreshold:
        """Find the lowest score above which predictions have this precision."""
        labels = training.dataset.labels[training.split.validation]
        return fit_threshold(predictions.validation, labels, precision)

    def baseline(self, training: TrainingResult) -> Baseline:
        """Return the accuracy of always predicting the most common class."""
        truth = training.dataset.labels[training.split.test]
        share = float(np.bincount(truth).max() / len(truth))
        return Baseline(share, "always predicting the most common class")

    def weak_classes(
        self, reference: Predictions, training: TrainingResult
    ) -> tuple[WeakClass, ...]:
        """Find the classes that need more photos."""
        return find_weak_classes(reference, training)

    def score_calibration(
        self, calibrated: CalibratedModel, reference: Predictions, training: TrainingResult
    ) -> ScoreCalibration:
        """Compare the reliability of the float32 scores before and after the calibration.

        Those before follow from those after: the temperature divided the logits.
        """

        def before_and_after(subset: str) -> tuple[Reliability, Reliability]:
            scores = getattr(reference, subset)
            labels = training.dataset.labels[getattr(training.split, subset)]
            before = scale_probabilities(scores, 1 / calibrated.temperature)
            return reliability(before, labels), reliability(scores, labels)

        return ScoreCalibration(
            temperature=calibrated.temperature,
            validation=before_and_after("validation"),
            test=before_and_after("test"),
        )

    def training_fields(self, trained: TrainedModel) -> Mapping[str, Any]:
        """Return the accuracy under the name that it has always had."""
        return {"validation_accuracy": trained.validation_quality}

    def variant_fields(self, evaluated: EvaluatedVariant) -> Mapping[str, Any]:
        """Return the figures under the names that they have always had."""
        quality = evaluated.metrics.quality
        return {
            "accuracy": quality.value,
            "accuracy_interval": quality.interval,
            "validation_accuracy": quality.validation,
            "agreement": quality.agreement,
            "log_loss": quality.details.log_loss,
            "ece": quality.details.ece,
            "per_class": tuple(
                ClassReport(label=row.label, **row.figures, support=row.support)
                for row in quality.per_class
            ),
            "confusion": tuple(map(tuple, quality.details.confusion.tolist())),
        }


TASK = ClassificationTask()
