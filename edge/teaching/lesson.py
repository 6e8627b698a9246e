"""Lesson: a head fitted on examples, and the model file that ends in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge import logistic_regression
from edge.errors import DatasetError
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.modelwriter.heads import LinearLayer, append_float_head, append_int8_head
from edge.quantities import counted
from edge.tasks.classify.classifier import Classifier
from edge.teaching.examples import Examples
from edge.teaching.features import FeatureExtractor
from edge.teaching.output import MODEL_FILE
from edge.version import __version__


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned.

    ``labels``: the classes, in the order of the outputs; ``content``: the .tflite file, with
    labels, normalization and provenance; ``images``: number of examples that it was learned from.
    """

    labels: tuple[str, ...]
    content: bytes
    images: int


def learn(extractor: FeatureExtractor, examples: Examples, strength: float) -> Lesson:
    """Fit a head and append it to the extractor.

    After an 8-bit backbone for the CPU the head is int8, too. After one that is compiled for the
    Edge TPU it is float32, on the CPU.

    Args:
        extractor: the one that the examples come from.
        examples: of at least two classes.
        strength: C, the inverse of the regularization strength.

    Raises:
        DatasetError: fewer than two classes.
    """
    check_classes(examples.labels)
    embeddings = extractor.format.values(examples.codes)
    fitted = logistic_regression.fit(embeddings, examples.targets, strength)
    head = LinearLayer(fitted.kernel, fitted.bias)
    if extractor.quantized and not extractor.runtime.file.for_edgetpu:
        content = append_int8_head(extractor.extractor, head, head.logits(embeddings))
    else:
        ends = "uint8" if extractor.quantized else "float32"
        content = append_float_head(extractor.extractor, head, ends)
    count = len(examples.targets)
    return Lesson(
        examples.labels,
        write_metadata(content, _about(extractor, examples.labels, count, strength)),
        count,
    )


def open_classifier(learned: Lesson, extractor: FeatureExtractor) -> Classifier:
    """Return what runs the model of a lesson; its results have the scores of all classes."""
    return Classifier.from_bytes(
        learned.content,
        name=MODEL_FILE,
        delegate="auto",
        threads=extractor.runtime.threads,
        top=len(learned.labels),
        trusted=True,
    )


def check_classes(labels: Sequence[str]) -> None:
    """Refuse fewer than two classes: there would be nothing to tell apart.

    Raises:
        DatasetError: naming the only class, if there is one.
    """
    if len(labels) < 2:
        raise DatasetError(
            "images of at least two classes",
            f"only those of {labels[0]}" if labels else "none",
            "add a second class, such as one of the background without any object",
            code="too-few-classes",
        )


def _about(
    extractor: FeatureExtractor, labels: tuple[str, ...], images: int, strength: float
) -> ModelMetadata:
    classes = counted(len(labels), "class")
    return ModelMetadata(
        name="Classifier",
        description=f"Classifies images into {classes}, learned from {counted(images, 'image')}.",
        labels=labels,
        mean=extractor.preprocessing.mean,
        std=extractor.preprocessing.std,
        provenance={
            "toolkit": f"edge-toolkit {__version__}",
            "method": "teach",
            "backbone": {"name": extractor.backbone, "sha256": extractor.format.backbone},
            "strength": strength,
            "images": images,
            "preprocessing": extractor.preprocessing.to_dict(),
        },
    )
