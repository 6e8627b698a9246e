"""Grad-CAM of the Keras model of an earlier result (Selvaraju et al., 2017)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.artifacts import FLOAT_FILE, KERAS_FILE
from converters.compression.keras_archive import load_network
from converters.writer.classifier import read_classifier
from edge.errors import ModelError, UsageError
from edge.explanation import Explanation, as_heatmap
from edge.frame import BgrImage
from edge.modelwriter.feature_map import find_feature_map
from edge.modelwriter.receptive_field import CellCenters
from edge.tasks.classify.classifier import Classifier
from edge.tasks.classify.scores import best_classes
from edge.tasks.explain.explainer import choose, place
from edge.tasks.task import check_classes

_OTHER = "use --method cam, which explains the .tflite file itself and needs no TensorFlow"


@dataclass(frozen=True, slots=True)
class GradCam:
    """A Keras classifier that explains its classes by the gradients of their logits.

    Attributes:
        classifier: the .tflite file of the same result, for labels and preprocessing.
        inner: a tf_keras model from images to the last feature map, and the last layer's input.
        kernel: of the last layer, float32 [features, classes]; ``bias``: float32 [classes].
        centers: where in the image rows and columns of the feature map look.
        label: the class to explain, None for the best of each image.
    """

    classifier: Classifier
    inner: Any
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    centers: tuple[CellCenters, CellCenters] | None
    label: str | None

    def explain(self, image: BgrImage) -> Explanation:
        """Explain a class of an image, uint8 BGR [height, width, 3]."""
        classifier, tensorflow = self.classifier, tf.tensorflow()
        rgb = cv2.cvtColor(classifier.preprocessing.resize(image), cv2.COLOR_BGR2RGB)
        pixels = classifier.preprocessing.normalize(np.asarray(rgb, np.uint8))[None]
        with tensorflow.GradientTape() as tape:
            features, embedding = self.inner(pixels, training=False)
            logits = embedding @ self.kernel + self.bias
            scores = np.asarray(tensorflow.nn.softmax(logits)[0], np.float32)
            ranked = best_classes(scores, classifier.labels, len(scores), classifier.threshold)
            explained = choose(ranked, self.label)
            logit = logits[0, explained.index]
        gradient = np.asarray(tape.gradient(logit, features))[0]
        evidence = np.asarray(features)[0] @ gradient.mean((0, 1))
        rows, columns = self.centers or map(CellCenters.even, evidence.shape)
        return Explanation(
            ranked.classes[: classifier.top],
            ranked.threshold,
            explained=explained,
            heatmap=as_heatmap(place(evidence, rows, columns)),
            method="gradcam",
        )


def open_keras(model: Path, label: str | None, options: Mapping[str, Any]) -> GradCam:
    """Open the Keras model beside a .tflite file in a result folder of ``edge convert``.

    It is model.keras where TensorFlow trained the network, else built from the float32 file.

    Raises:
        UsageError: there is none, or no such class.
        EdgeError: TensorFlow is not installed, or a file is not usable.
    """
    folder = model.parent
    keras_file, float_file = folder / KERAS_FILE, folder / FLOAT_FILE
    if not keras_file.is_file() and not float_file.is_file():
        raise UsageError(
            f"{KERAS_FILE} or {FLOAT_FILE} beside the model, for --method gradcam",
            f"neither in {folder}",
            _OTHER,
            code="keras-model-missing",
        )
    tf.require("--method gradcam")
    classifier = Classifier.open(model, **options)
    if label is not None:
        check_classes([label], classifier.labels)
    if keras_file.is_file():
        network = load_network(keras_file, _OTHER)
    else:
        network = read_classifier(float_file).to_keras()
    return GradCam(classifier, *_cut(network, keras_file), _centers(classifier), label)


def _cut(network: Any, path: Path) -> tuple[Any, NDArray[np.float32], NDArray[np.float32]]:
    """Return the model up to its last layer, with the feature map, and that layer's weights."""
    maps = [layer for layer in network.layers if len(getattr(layer.output, "shape", ())) == 4]
    last = network.layers[-1].get_weights()
    if not maps or len(last) != 2 or last[0].ndim != 2:
        raise ModelError(
            "a network with a feature map, and a dense layer at its end",
            f"another one in {path}",
            _OTHER,
            code="keras-model-without-feature-map",
        )
    inner = tf.keras().Model(network.input, [maps[-1].output, network.layers[-1].input])
    return inner, *last


def _centers(classifier: Classifier) -> tuple[CellCenters, CellCenters] | None:
    """Return where the cells look, by the .tflite file of the same network; None: not known."""
    try:
        return find_feature_map(classifier.runtime.file, classifier.runtime.name).centers
    except ModelError:
        return None
