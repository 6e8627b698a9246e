"""The task of detection: what stages know of it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from converters import artifacts
from converters.backbone.weights import Backbone
from converters.compression.channels.narrowing import narrowed
from converters.compression.context import calibration_set
from converters.compression.methods import Method
from converters.dataset.annotations import BoxListing
from converters.dataset.audit import Dataset
from converters.dataset.intake import OpenedDataset, list_boxes
from converters.dataset.recognition import DETECT
from converters.dataset.split import Indices, Split
from converters.progress import Progress, SilentProgress
from converters.pyramid import weights
from converters.pyramid.record import described
from converters.pyramid.training import train
from converters.pyramid_task import PyramidTask
from converters.task import RunMethod, TrainingResult, model_metadata
from converters.tasks.detect import dataset as boxes
from converters.tasks.detect import files, network, predictions, quality, recipes
from converters.tasks.detect.assignment import choose_strides
from converters.tasks.detect.dataset import BoxedImages
from converters.tasks.detect.network import DetectorNetwork
from converters.tasks.detect.objective import DetectionObjective
from converters.tasks.detect.options import box_augmentation, training_key
from converters.tflite import NAMES as FORMATS
from converters.tflite import Variant
from converters.training.config import TrainedModel, TrainingOptions
from converters.verification.calibration import ScoreThreshold
from converters.verification.evaluate import Predictions
from converters.verification.quality import PairedLoss, Quality
from edge.errors import ConversionError, UsageError
from edge.modelfile import metadata
from edge.modelfile.metadata import ModelMetadata
from edge.preprocessing import Preprocessing
from edge.quantities import counted

NAMES = {"map50": "mAP50", "map": "mAP50-95"}
"""Of the figures on the validation images."""


class DetectionTask(PyramidTask):
    """Boxes of objects."""

    name = DETECT
    metric = quality.MAP50
    noun = "detector"
    size = 320
    unused_options = ("fast", *PyramidTask.unused_options)

    def list_images(self, opened: OpenedDataset) -> BoxListing:
        """List the images with their boxes."""
        return list_boxes(opened)

    def audit(
        self, listing: BoxListing, preprocessing: Preprocessing, workdir: Path, progress: Progress
    ) -> Dataset:
        """Decode the images, and check images and boxes."""
        return boxes.audit(listing, preprocessing, workdir, progress)

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
        assert isinstance(backbone, weights.PyramidBackbone)
        backbone, widths = narrowed(backbone, dataset, split, options.seed, progress)
        assert backbone.trunk is not None
        strides = choose_strides(
            np.concatenate([dataset.annotations[index].boxes for index in split.train])
        )
        untrained = network.build(
            backbone.trunk, backbone.size, strides, len(dataset.classes), options.seed
        )
        augmentation = box_augmentation(options.augmentation)
        objective = DetectionObjective(
            untrained, BoxedImages(dataset, split.train), BoxedImages(dataset, split.validation),
            augmentation,
        )  # fmt: skip
        training = self.pyramid_training(options)
        key = training_key(backbone, dataset, split, training, augmentation)
        trained = train(untrained, objective, training, cache / f"detector-{key}.npz", progress)
        return described(
            trained, backbone, NAMES, {"strides": list(strides), "trunk_widths": dict(widths)}
        )

    def write_variants(
        self, training: TrainingResult, trained: DetectorNetwork, progress: Progress
    ) -> tuple[Variant, ...]:
        """Write the files with raw outputs by level."""
        samples = calibration_set(training.dataset, training.split, training.seed)
        written = (
            files.to_float32(trained),
            files.to_float16(trained),
            files.to_int8(trained, samples, training.dataset.preprocessing),
        )
        return tuple(
            Variant(name, each.raw, companions={files.SELECTED_FILE: each.selected})
            for name, each in zip(FORMATS, written, strict=True)
        )

    def to_keras(self, trained: DetectorNetwork) -> DetectorNetwork:
        """Return the network itself, which the steps of :meth:`recipe_method` start from."""
        return trained

    def recipe_method(self, method: Method) -> RunMethod:
        """Return the steps that remove channels and that write float32, float16 and int8.

        Raises:
            UsageError: the step trains, or writes a file that no detector has.
        """
        run: RunMethod | None = recipes.METHODS.get((method.kind, method.name))
        if run is None:
            raise UsageError(
                "a recipe of the steps "
                + ", ".join(f"{kind} {name}" for kind, name in recipes.METHODS),
                f"the step {method.name} for a detector",
                "use --recipe channels-50; int8 and float16 are always built",
                code="recipe-not-for-task",
            )
        return run

    def metadata(self, training: TrainingResult) -> ModelMetadata:
        """Return labels, normalization, description and provenance."""
        data = training.dataset
        about = model_metadata(
            training,
            name=f"{data.name} detector",
            description=(
                f"Detects objects of the {counted(len(data.classes), 'class')} of {data.name}."
            ),
        )
        return replace(about, task=DETECT)

    def companions(self, selected: Variant, training: TrainingResult) -> Mapping[str, bytes]:
        """Return the file with post-processing, in the number format of the selected one."""
        about = metadata.read(selected.content) or self.metadata(training)  # with its threshold
        return {
            name: artifacts.describe(Variant(selected.name, content), about).content
            for name, content in selected.companions.items()
        }

    def predict_images(
        self,
        content: bytes,
        name: str,
        dataset: Dataset,
        indices: Indices,
        words: str,
        progress: Progress,
    ) -> Any:
        """Return the detections of a file, in pixels of the input."""
        return predictions.detect(content, name, dataset, indices, words, progress)

    def quality(
        self, predicted: Predictions, reference: Predictions, training: TrainingResult
    ) -> Quality:
        """Measure average precision."""
        data, split = training.dataset, training.split
        validation = quality.map50(
            predictions.true_boxes(data, split.validation), predicted.validation, data.classes
        )
        true = predictions.true_boxes(data, split.test)
        return quality.measure_quality(
            true, predicted.test, validation, data.classes, training.seed
        )

    def validation_quality(self, content: bytes, training: TrainingResult) -> float:
        """Return mAP50 of a file on the validation split."""
        data, indices = training.dataset, training.split.validation
        detected = predictions.detect(content, "candidate", data, indices, "", SilentProgress())
        return quality.map50(predictions.true_boxes(data, indices), detected, data.classes)

    def loss(
        self, before: Predictions, after: Predictions, training: TrainingResult, subset: str
    ) -> PairedLoss:
        """Compare mAP50 on the same images."""
        true = predictions.true_boxes(training.dataset, getattr(training.split, subset))
        return quality.map50_loss(
            true, getattr(before, subset), getattr(after, subset), training.dataset.classes,
            training.seed,
        )  # fmt: skip

    def check_informative(self, predicted: Predictions) -> None:
        """Check that something is detected, and not the same everywhere."""
        if not predictions.is_informative(predicted.test):
            raise ConversionError(
                f"detections of {predicted.variant.name} that depend on the image",
                "none at all, or the same ones in every test image",
                "label more images, or give training more time with --budget",
                code="scores-not-informative",
            )

    def threshold(
        self, predicted: Predictions, training: TrainingResult, precision: float
    ) -> ScoreThreshold | None:
        """Find the lowest score above which boxes have this precision, on validation."""
        data, indices = training.dataset, training.split.validation
        true = predictions.true_boxes(data, indices)
        return quality.fit_threshold(true, predicted.validation, data.classes, precision)


TASK = DetectionTask()
