"""Class activation maps of a classifier: of single images, and of a stream."""

from dataclasses import dataclass, field, replace
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge import draw, interpreter
from edge.errors import ModelError
from edge.explanation import Explanation, as_heatmap
from edge.frame import BgrImage, Frame
from edge.interpreter import Array, Runtime
from edge.modelwriter.feature_map import FeatureMap, find_feature_map
from edge.modelwriter.receptive_field import CellCenters
from edge.quantities import counted
from edge.results import Classification, ClassScore
from edge.tasks.classify.classifier import Classifier
from edge.tasks.task import SingleImage, TaskSettings, check_classes

_FINER = 4

Evidence = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Explainer(SingleImage):
    """A classifier that shows what speaks for its class, by class activation maps; see :meth:`of`.

    The class's logit is the mean of this map plus a bias, since the last layer is linear and takes
    the mean of the feature map: nothing is approximated, and no gradient is needed (Zhou et al.,
    "Learning Deep Features for Discriminative Localization", 2016).

    >>> explainer = Explainer.of(Classifier.open("model.tflite"))  # doctest: +SKIP
    >>> explainer.predict("cat.jpg").peak  # doctest: +SKIP
    (0.5, 0.357)

    Attributes:
        classifier: ranks all classes.
        runtime: runs the same file with its feature map as second output.
        top: number of classes in a result.
        label: the class to explain, None for the best of each image.
    """

    classifier: Classifier
    runtime: Runtime
    top: int
    label: str | None
    _map: FeatureMap = field(repr=False)
    name: str = "classify"
    prefetchable: bool = True

    @classmethod
    def of(cls, classifier: Classifier, label: str | None = None) -> Self:
        """Explain the classes of a classifier.

        Args:
            classifier: of a .tflite file of float32, float16, int8 or uint8 whose last layer is
                linear and takes the mean of a feature map, as in MobileNet; not compiled for the
                Edge TPU.
            label: the class to explain; None for the best of each image.

        Raises:
            ModelError: the file has no such end, or hides it.
            UsageError: no such class.
        """
        if label is not None:
            check_classes([label], classifier.labels)
        runtime, name = classifier.runtime, classifier.runtime.name
        feature_map = find_feature_map(runtime.file, name)
        feature_map = _of_classes(feature_map, len(classifier.labels), name)
        # The classifier has run this file, or its trial has: the same operations need no other.
        tapped = interpreter.load(
            feature_map.content, name=name, delegate="cpu", threads=runtime.threads, trusted=True
        )
        ranking_all = replace(classifier, top=len(classifier.labels))
        return cls(ranking_all, tapped, classifier.top, label, feature_map)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about what was assumed or fell back."""
        return self.classifier.notes

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the model's input for a frame."""
        return self.classifier.preprocess(frame)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Explanation:
        """Return the best classes, and the map of one of them."""
        scores, features = outputs
        ranked = self.classifier.postprocess((scores,), frame)
        explained = choose(ranked, self.label)
        values = self.runtime.outputs[1].dequantize(features[0])
        evidence = np.asarray(values @ self._map.kernel[explained.index], np.float32)
        placed = place(evidence, *self._map.centers)
        return Explanation(
            ranked.classes[: self.top],
            ranked.threshold,
            explained=explained,
            heatmap=as_heatmap(placed),
            method="cam",
        )

    def draw(self, image: BgrImage, result: Explanation) -> BgrImage:
        """Draw the map over the image, and the classes into a corner, in place."""
        draw.heatmap(image, result.heatmap)
        draw.classification(image, result)
        return image

    def settings(self) -> TaskSettings:
        """Return those of the classifier."""
        return self.classifier.settings()

    def with_settings(self, settings: TaskSettings) -> Self:
        """Return this task with another threshold, 0 for none, and other classes.

        Raises:
            UsageError: no such class, or a score out of range.
        """
        return replace(self, classifier=self.classifier.with_settings(settings))

    def fallback_to_cpu(self) -> Self:
        """Return this task on the CPU, where it is already.

        Raises:
            DelegateError: there is no other model for the CPU.
        """
        other = replace(self.classifier.fallback_to_cpu(), top=self.top)
        return type(self).of(other, self.label)


def choose(ranked: Classification, label: str | None) -> ClassScore:
    """Return the class to explain, of all classes: that of the label, else the best."""
    named = (entry for entry in ranked.classes if entry.label == label)
    return next(named, ranked.best)


def place(evidence: Evidence, rows: CellCenters, columns: CellCenters) -> Evidence:
    """Return evidence, float32 [rows, columns], four times as fine and where its cells look."""
    height, width = (_FINER * cells for cells in evidence.shape)
    x = np.tile(columns.positions(width), (height, 1))
    y = np.tile(rows.positions(height), (width, 1)).T.copy()
    placed = cv2.remap(evidence, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(placed, np.float32)


def _of_classes(feature_map: FeatureMap, classes: int, name: str) -> FeatureMap:
    """Return a row of weights for each class; that of a sigmoid speaks for the second of two."""
    kernel = feature_map.kernel
    if len(kernel) == 1 and classes == 2:
        return replace(feature_map, kernel=np.concatenate([-kernel, kernel]))
    if len(kernel) != classes:
        raise ModelError(
            f"a last layer with {counted(classes, 'output')}",
            f"{name}, whose last layer has {len(kernel)}",
            "use the method occlusion, which looks at the scores only",
            code="model-without-feature-map",
        )
    return feature_map
