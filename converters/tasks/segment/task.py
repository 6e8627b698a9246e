"""The task of segmentation: what stages know of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from converters.backbone.weights import Backbone
from converters.compression.context import calibration_set
from converters.compression.methods import Method
from converters.dataset.annotations import MaskListing
from converters.dataset.audit import Dataset
from converters.dataset.intake import OpenedDataset, list_masks
from converters.dataset.recognition import SEGMENT
from converters.dataset.split import Indices, Split
from converters.progress import Progress, SilentProgress
from converters.pyramid import weights
from converters.pyramid.record import described, training_key
from converters.pyramid.training import train
from converters.pyramid_task import PyramidTask
from converters.task import RunMethod, TrainingResult, model_metadata, option_not_for
from converters.tasks.segment import dataset as masks
from converters.tasks.segment import files, network, predictions, quality
from converters.tasks.segment.augmentation import SegmentationAugmentation
from converters.tasks.segment.masks import MaskedImages, PackedMask
from converters.tasks.segment.network import SegmenterNetwork
from converters.tasks.segment.objective import SegmentationObjective
from converters.tflite import NAMES, Variant
from converters.training.augment import Augmentation
from converters.training.config import TrainedModel, TrainingOptions
from converters.verification.evaluate import Predictions
from converters.verification.quality import PairedLoss, Quality
from converters.verification.verdict import Baseline
from edge.errors import ConversionError, UsageError
from edge.modelfile.metadata import ModelMetadata
from edge.preprocessing import Preprocessing
from edge.quantities import counted
from edge.terminal import suppress_native_stderr


class SegmentationTask(PyramidTask):
    """The class of each pixel."""

    name = SEGMENT
    metric = quality.MIOU
    noun = "segmenter"
    size = 256

    def list_images(self, opened: OpenedDataset) -> MaskListing:
        """List the images with their masks."""
        return list_masks(opened)

    def audit(
        self, listing: MaskListing, preprocessing: Preprocessing, workdir: Path, progress: Progress
    ) -> Dataset:
        """Decode the images, and check images and masks."""
        return masks.audit(listing, preprocessing, workdir, progress)

    def check_options(self, options: TrainingOptions, precision: float | None) -> None:
        """Refuse a precision, too: masks have classes, and no scores to be sure of.

        Raises:
            UsageError: one is required, or another option has no meaning for segmenters.
        """
        super().check_options(options, precision)
        if precision is not None:
            raise option_not_for("--precision", self.name)

    def train(
        self,
        backbone: Backbone,
        dataset: Dataset,
        split: Split,
        options: TrainingOptions,
        cache: Path,
        progress: Progress,
    ) -> TrainedModel:
        """Train the decoder, and the trunk from the cut on that validation chooses."""
        assert isinstance(backbone, weights.PyramidBackbone) and backbone.trunk is not None
        stride = network.FAST_STRIDE if options.fast else network.STRIDE
        untrained = network.build(
            backbone.trunk, backbone.size, stride, len(dataset.classes), options.seed
        )
        augmentation = _augmentation(options.augmentation)
        objective = SegmentationObjective(
            untrained, MaskedImages(dataset, split.train), MaskedImages(dataset, split.validation),
            augmentation,
        )  # fmt: skip
        training = self.pyramid_training(options)
        key = training_key(backbone, dataset, split, (training, augmentation, stride), _content)
        trained = train(untrained, objective, training, cache / f"segmenter-{key}.npz", progress)
        return described(trained, backbone, {"miou": "mIoU"}, {"stride": stride})

    def write_variants(
        self, training: TrainingResult, trained: SegmenterNetwork, progress: Progress
    ) -> tuple[Variant, ...]:
        """Write the files with logits of cells."""
        samples = calibration_set(training.dataset, training.split, training.seed)
        contents = (
            files.to_float32(trained),
            files.to_float16(trained),
            files.to_int8(trained, samples, training.dataset.preprocessing),
        )
        return tuple(Variant(*each) for each in zip(NAMES, contents, strict=True))

    def to_keras(self, trained: SegmenterNetwork) -> Any:
        """Refuse: see :meth:`recipe_method`.

        Raises:
            ConversionError: always.
        """
        raise ConversionError(
            "a network of tf_keras layers",
            "a segmenter",
            "leave out recipes that train",
            code="model-not-convertible",
        )

    def recipe_method(self, method: Method) -> RunMethod:
        """Refuse all steps: int8 and float16 are always built, and nothing else is possible yet.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "no --recipe, or int8 or float16, which are always built",
            f"the step {method.name} for a segmenter",
            "leave it out: a smaller --alpha or --size, or --fast, makes a segmenter faster",
            code="recipe-not-for-task",
        )

    def metadata(self, training: TrainingResult) -> ModelMetadata:
        """Return labels, normalization, description and provenance."""
        data = training.dataset
        about = model_metadata(
            training,
            name=f"{data.name} segmenter",
            description=(
                f"Finds the class of each pixel, of the {counted(len(data.classes), 'class')} of "
                f"{data.name}."
            ),
        )
        return replace(about, task=SEGMENT)

    def predict_images(
        self,
        content: bytes,
        name: str,
        dataset: Dataset,
        indices: Indices,
        words: str,
        progress: Progress,
    ) -> predictions.Segmented:
        """Return the masks of a file, at the size of the input."""
        return predictions.segment(content, name, dataset, indices, words, progress)

    def quality(
        self, predicted: Predictions, reference: Predictions, training: TrainingResult
    ) -> Quality:
        """Measure intersection over union and boundaries."""
        validation = quality.miou(_confusions(predicted, training, "validation"))
        data, test = training.dataset, training.split.test
        with suppress_native_stderr():  # the interpreter announces its delegate
            enlarging_ms = predictions.enlarging_ms(
                predicted.variant.content, predicted.variant.name,
                np.asarray(data.pixels[test[0]]), data.preprocessing,
            )  # fmt: skip
        return quality.measure_quality(
            predictions.true_masks(data, test), predicted.test, validation, enlarging_ms,
            data.classes, training.seed,
        )  # fmt: skip

    def validation_quality(self, content: bytes, training: TrainingResult) -> float:
        """Return mIoU of a file on the validation split."""
        data, indices = training.dataset, training.split.validation
        segmented = predictions.segment(content, "candidate", data, indices, "", SilentProgress())
        true = predictions.true_masks(data, indices)
        return quality.miou(quality.confusions(true, segmented, len(data.classes)))

    def loss(
        self, before: Predictions, after: Predictions, training: TrainingResult, subset: str
    ) -> PairedLoss:
        """Compare mIoU on the same images."""
        return quality.miou_loss(
            _confusions(before, training, subset),
            _confusions(after, training, subset),
            training.dataset.classes,
            training.seed,
        )

    def check_informative(self, predicted: Predictions) -> None:
        """Check that not all pixels get the same class."""
        if not predictions.is_informative(predicted.test):
            raise ConversionError(
                f"masks of {predicted.variant.name} with more than one class",
                "the same class in every pixel of every test image",
                "label more images, or give training more time with --budget",
                code="scores-not-informative",
            )

    def baseline(self, training: TrainingResult) -> Baseline:
        """Return what naming the commonest class everywhere would reach."""
        true = predictions.true_masks(training.dataset, training.split.test)
        counts = quality.confusions(true, true, len(training.dataset.classes))
        label = training.dataset.classes[quality.common_share(counts)[0]]
        return Baseline(quality.without_knowledge(counts), f"naming {label} everywhere")


def _confusions(
    predicted: Predictions, training: TrainingResult, subset: str
) -> quality.Confusions:
    data = training.dataset
    true = predictions.true_masks(data, getattr(training.split, subset))
    return quality.confusions(true, getattr(predicted, subset), len(data.classes))


def _augmentation(given: Augmentation) -> SegmentationAugmentation:
    """Return the changes of images that ``--augment`` leaves on."""
    plain = SegmentationAugmentation()
    return replace(
        plain,
        flip=given.flip,
        zoom=plain.zoom if given.zoom else (1.0, 1.0),
        aspect=plain.aspect if given.zoom else 0.0,
        color=plain.color if given.brightness or given.contrast else 0.0,
    )


def _content(mask: PackedMask) -> tuple[bytes, ...]:
    return (mask.content,)


TASK = SegmentationTask()
