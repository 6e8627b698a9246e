"""What trainings on boxes share: how images are changed, and which training goes on."""

from dataclasses import replace

from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.pyramid import record
from converters.pyramid.training import PyramidTraining
from converters.tasks.detect.augmentation import DetectionAugmentation
from converters.tasks.detect.dataset import ImageBoxes
from converters.training.augment import Augmentation


def box_augmentation(given: Augmentation) -> DetectionAugmentation:
    """Return the changes of images that ``--augment`` leaves on."""
    plain = DetectionAugmentation()
    return replace(
        plain,
        flip=given.flip,
        zoom=plain.zoom if given.zoom else (1.0, 1.0),
        aspect=plain.aspect if given.zoom else 0.0,
        mosaic=plain.mosaic if given.translation else 0.0,
        color=plain.color if given.brightness or given.contrast else 0.0,
    )


def training_key(
    backbone: Backbone,
    dataset: Dataset,
    split: Split,
    training: PyramidTraining,
    augmentation: DetectionAugmentation,
) -> str:
    """Identify a training by all that it depends on, so that only the same one goes on."""
    return record.training_key(backbone, dataset, split, (training, augmentation), _content)


def _content(truth: ImageBoxes) -> tuple[bytes, ...]:
    return truth.boxes.tobytes(), truth.labels.tobytes(), truth.ignored.tobytes()
