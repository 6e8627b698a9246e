"""A MobileNetV2 classifier as its weights: files are written from it, tf_keras models built."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from converters import tf
from converters.backbone import from_tflite, mobilenet_v2
from converters.backbone.mobilenet_v2 import Weights
from converters.verification.calibration import scale_logits
from converters.writer.folding import FoldedNetwork, fold
from edge.errors import WeightsError
from edge.modelwriter.heads import LinearLayer


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierNetwork:
    """A MobileNetV2 for images [1, size, size, 3] in [-1, 1], with a softmax over its classes.

    ``weights``: those of the backbone, by layer name; ``model``: the tf_keras model that they come
    from, None where TensorFlow had no part in it.
    """

    weights: Weights
    size: int
    head: LinearLayer
    model: Any = None

    @classmethod
    def from_model(cls, model: Any) -> Self:
        """Take the weights of a flat tf_keras classifier, of any width.

        Raises:
            WeightsError: it has no layer "head".
        """
        weights = {
            layer.name: [np.asarray(array, np.float32) for array in layer.get_weights()]
            for layer in model.layers
        }
        head = weights.pop("head", [])
        if len(head) != 2:
            raise WeightsError(
                "a MobileNetV2 classifier with a layer 'head'",
                f"{len(head)} arrays of weights there",
                "convert the dataset again",
                code="weights-layout-mismatch",
            )
        return cls(weights, int(model.inputs[0].shape[1]), LinearLayer(*head), model)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.head.bias)

    def folded(self) -> FoldedNetwork:
        """Fold BatchNorm, for the writer.

        Raises:
            WeightsError: the weights are not those of a MobileNetV2.
        """
        return fold(self.weights, self.size, self.head)

    def scaled(self, temperature: float) -> Self:
        """Return the network with its logits divided by ``temperature``."""
        if self.model is not None:
            return self.from_model(scale_logits(self.model, temperature))
        factor = np.float32(1 / temperature)
        head = LinearLayer(self.head.kernel * factor, self.head.bias * factor)
        return replace(self, head=head)

    def to_keras(self) -> Any:
        """Return the tf_keras model, flat, float32 [n, size, size, 3] to softmax [n, classes].

        Raises:
            WeightsError: the weights have the width of no published MobileNetV2.
        """
        if self.model is not None:
            return self.model
        alpha = mobilenet_v2.infer_alpha(self.weights)
        if alpha is None:
            raise WeightsError(
                "weights of a published width of MobileNetV2",
                "other shapes",
                "convert the dataset again",
                code="weights-layout-mismatch",
            )
        keras = tf.keras()
        base = mobilenet_v2.build(alpha, self.size, self.weights)
        features = keras.layers.GlobalAveragePooling2D(name="pool")(base.output)
        scores = keras.layers.Dense(self.classes, activation="softmax", name="head")(features)
        model = keras.Model(base.input, scores, name="classifier")
        model.get_layer("head").set_weights([self.head.kernel, self.head.bias])
        return model


def read_classifier(path: Path) -> ClassifierNetwork:
    """Read the network of a float32 file of :mod:`converters.writer.variants`.

    BatchNorm, which is folded into the convolutions there, becomes the identity plus a bias.

    Raises:
        WeightsError: the file is damaged, or another network.
    """
    file = from_tflite.read(path)
    return ClassifierNetwork(file.weights, file.size, LinearLayer(*from_tflite.read_head(path)))
