"""Methods of explanation by name, each with one way to open a model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.explanation import Explanation
from edge.frame import BgrImage
from edge.tasks.classify.classifier import Classifier
from edge.tasks.explain.explainer import Explainer
from edge.tasks.explain.occlusion import explain_by_occlusion
from edge.tasks.task import check_classes
from edge.terminal import Tell


@dataclass(frozen=True, slots=True)
class OpenedMethod:
    """A model that explains its class of an image; ``notes``: sentences for the user.

    ``explain`` takes an image and tells its progress, where it runs the model many times.
    """

    explain: Callable[[BgrImage, Tell], Explanation]
    notes: tuple[str, ...]


def open_cam(model: Path, label: str | None, options: Mapping[str, Any]) -> OpenedMethod:
    """Open a model for class activation maps; ``options``: those of :meth:`Classifier.open`.

    Raises:
        EdgeError: see :meth:`edge.Classifier.open` and :meth:`edge.Explainer.of`.
    """
    explainer = Explainer.of(Classifier.open(model, **options), label)
    return OpenedMethod(lambda image, tell: explainer.predict(image), explainer.notes)


def open_occlusion(model: Path, label: str | None, options: Mapping[str, Any]) -> OpenedMethod:
    """Open a model for occlusion maps.

    Raises:
        EdgeError: see :meth:`edge.Classifier.open`, or there is no such class.
    """
    classifier = Classifier.open(model, **options)
    if label is not None:
        check_classes([label], classifier.labels)
    return OpenedMethod(
        lambda image, tell: explain_by_occlusion(classifier, image, label, tell=tell),
        classifier.notes,
    )


def open_gradcam(model: Path, label: str | None, options: Mapping[str, Any]) -> OpenedMethod:
    """Open the Keras model beside a file, for Grad-CAM; it takes TensorFlow.

    Raises:
        EdgeError: see :func:`converters.explain.gradcam.open_keras`.
    """
    from converters.explain.gradcam import open_keras

    opened = open_keras(model, label, options)
    return OpenedMethod(lambda image, tell: opened.explain(image), opened.classifier.notes)


METHODS: Mapping[str, Callable[[Path, str | None, Mapping[str, Any]], OpenedMethod]] = {
    "cam": open_cam,
    "gradcam": open_gradcam,
    "occlusion": open_occlusion,
}
