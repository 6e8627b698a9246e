"""Masks of the frame from a segmentation model's output, and the labels of their classes.

The output is recognized by its shape. Models such as DeepLab give a class for each pixel, or
scores of all classes; those of ``edge convert`` give logits of cells of several pixels, which are
enlarged to the frame before they are compared; those such as MediaPipe's selfie segmentation give
the probability that a pixel is foreground. Frames are stretched to the input: on photographs with a
reference that was better than DeepLab's own padding to a square in all but one (a bird in a wide
image: intersection over union 0.90, not 0.51).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import LabelsError, ModelError
from edge.frame import Frame
from edge.interpreter import Array, Runtime, TensorSpec
from edge.modelfile.labels import is_background
from edge.tasks.classify.scores import gives_logits, source_of
from edge.tasks.loading import LoadedModel
from edge.tasks.task import check_finite

Mask = NDArray[np.uint8]

MAX_CLASSES = 256
"""Number of classes that a uint8 mask can represent."""

SMOOTHING_S = 0.15
"""Seconds over which uncertain pixels of a probability mask are averaged."""

_ARG_MAX = 56
_EDGE = 0.25
"""Half the range of probability around the threshold over which foreground fades out."""

_NO_FLOATS = ("uint8", "int8", "int16", "int32", "int64")


class MaskDecoder(Protocol):
    """Decodes a model's output to a mask."""

    @property
    def classes(self) -> int | None:
        """Number of classes of the model, None if its file does not contain it."""

    @property
    def threshold(self) -> float | None:
        """Minimum probability of foreground, None for a model without probabilities."""

    def __call__(self, output: Array, frame: Frame) -> tuple[Mask, Mask | None]:
        """Return the class of each pixel of the frame, and its alpha, 0 to 255, where there is one.

        Both are uint8 [height, width].
        """

    def with_threshold(self, threshold: float | None) -> Self:
        """Return this decoder with another threshold."""


@dataclass(frozen=True, slots=True)
class ClassMaskDecoder:
    """A class for each pixel; ``decide`` returns it, uint8 [h, w], of the output."""

    classes: int | None
    decide: Callable[[Array], Mask]
    threshold: None = None

    def __call__(self, output: Array, frame: Frame) -> tuple[Mask, None]:
        """Return the class of each pixel of the frame, uint8 [height, width]."""
        size = (frame.image.shape[1], frame.image.shape[0])
        resized = cv2.resize(self.decide(output), size, interpolation=cv2.INTER_NEAREST_EXACT)
        return np.asarray(resized, np.uint8), None

    def with_threshold(self, threshold: float | None) -> Self:
        """Return this decoder, which has no threshold."""
        return self


@dataclass(frozen=True, slots=True)
class CoarseScoreDecoder:
    """The best class for each pixel, of scores that are coarser than the input."""

    classes: int
    threshold: None = None

    def __call__(self, output: Array, frame: Frame) -> tuple[Mask, None]:
        """Return the class of each pixel of the frame, uint8 [height, width]."""
        check_finite(output)
        return enlarged_classes(output[0], (frame.image.shape[1], frame.image.shape[0])), None

    def with_threshold(self, threshold: float | None) -> Self:
        """Return this decoder, which has no threshold."""
        return self


def enlarged_classes(scores: Array, size: tuple[int, int]) -> Mask:
    """Return the class of each pixel, uint8 [height, width], of scores of coarser cells.

    Scores are interpolated linearly, so that edges follow the objects and not the cells. Only
    classes that are the best in some cell are compared, so that no third one appears along the
    edge between two.

    Args:
        scores: [h, w, classes]; quantized ones need no scale to be compared.
        size: width and height of the mask.
    """
    first, *others = np.unique(np.argmax(scores, axis=-1)).tolist()
    mask = np.full(size[::-1], first, np.uint8)
    if not others:
        return mask

    def enlarged(index: int) -> NDArray[np.float32]:
        plane = np.ascontiguousarray(scores[..., index], np.float32)
        return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.float32)

    best = enlarged(first)
    for index in others:
        plane = enlarged(index)
        np.copyto(mask, np.uint8(index), where=plane > best)
        np.maximum(best, plane, out=best)
    return mask


@dataclass(frozen=True, slots=True)
class ProbabilityMaskDecoder:
    """Class 1 where the probability of foreground reaches ``threshold``, class 0 elsewhere."""

    spec: TensorSpec
    logits: bool
    threshold: float
    average: "ProbabilityAverage" = field(repr=False)
    classes: int = 2

    def __call__(self, output: Array, frame: Frame) -> tuple[Mask, Mask]:
        """Return the class of each pixel of the frame, and its alpha for compositing.

        Both are uint8 [height, width]. Images with a name are not averaged with the one before.
        """
        values = self.spec.dequantize(output.reshape(self.spec.shape[1:3]))
        check_finite(values)
        if self.logits:
            values = 1 / (1 + np.exp(-values))
        if not frame.name:
            values = self.average(values, frame.time_s)
        size = (frame.image.shape[1], frame.image.shape[0])
        resized = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
        mask = cv2.threshold(resized, self.threshold, 1, cv2.THRESH_BINARY)[1].astype(np.uint8)
        gain = 255 / (2 * _EDGE)
        alpha = cv2.convertScaleAbs(np.maximum(resized, self.threshold - _EDGE), alpha=gain,
                                    beta=(_EDGE - self.threshold) * gain)  # fmt: skip
        return mask, np.asarray(alpha, np.uint8)

    def with_threshold(self, threshold: float | None) -> Self:
        """Return this decoder with another threshold."""
        return self if threshold is None else replace(self, threshold=threshold)


class ProbabilityAverage:
    """An average over time of uncertain probabilities, float32 [h, w].

    A certain pixel follows at once, so that nothing lags behind a movement; one near 0.5 follows
    slowly, so that edges do not flicker.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._values: NDArray[np.float32] | None = None
        self._time_s = 0.0

    def __call__(self, values: NDArray[np.float32], time_s: float) -> NDArray[np.float32]:
        """Smooth the probabilities, float32 [height, width], of the frame at ``time_s``."""
        elapsed = time_s - self._time_s
        if self._values is not None and self._seconds > 0 and elapsed >= 0:
            doubt = 1 - (2 * values - 1) ** 2
            weight = math.exp(-elapsed / self._seconds) * doubt
            values = (values + weight * (self._values - values)).astype(np.float32)
        self._values, self._time_s = values, time_s
        return values


def match_decoder(runtime: Runtime, threshold: float, smoothing: float) -> MaskDecoder | None:
    """Return the decoder of the model's output; None where the model is no segmentation.

    One output is expected: [1, h, w] or [1, h, w, 1] of classes (integers without a scale, or from
    an ARG_MAX) or probabilities of foreground, or [1, h, w, classes] of scores.
    """
    if len(runtime.inputs) != 1 or len(runtime.outputs) != 1:
        return None
    spec = runtime.outputs[0]
    if len(spec.shape) not in (3, 4) or spec.shape[0] != 1 or min(spec.shape[1:3]) < 2:
        return None
    depth = spec.shape[3] if len(spec.shape) == 4 else 1
    if depth > 1:
        return _of_scores(depth, coarse=spec.shape[1] < runtime.inputs[0].shape[1])
    graph = runtime.file.main
    source = source_of(graph, graph.outputs[0])
    if source is not None and source.code == _ARG_MAX:
        return ClassMaskDecoder(graph.tensors[source.inputs[0]].shape[-1], _decided)
    if spec.dtype in _NO_FLOATS and spec.scale == 0:
        return ClassMaskDecoder(None, _decided)
    logits = gives_logits(runtime.file, spec)
    return ProbabilityMaskDecoder(spec, logits, threshold, ProbabilityAverage(smoothing))


def _of_scores(classes: int, *, coarse: bool) -> MaskDecoder | None:
    if classes > MAX_CLASSES:
        return None
    return CoarseScoreDecoder(classes) if coarse else ClassMaskDecoder(classes, _best)


def _decided(output: Array) -> Mask:
    check_finite(output)
    classes = output.reshape(output.shape[1:3])
    low, high = int(classes.min()), int(classes.max())
    if low < 0 or high >= MAX_CLASSES:
        raise ModelError(
            f"classes from 0 to {MAX_CLASSES - 1}",
            f"class {low if low < 0 else high}",
            "use a model with fewer classes",
            code="too-many-classes",
        )
    return classes.astype(np.uint8)


def _best(output: Array) -> Mask:
    check_finite(output)
    return np.asarray(np.argmax(output[0], axis=-1), np.uint8)


_SELFIE = "selfie"
"""Label of people in MediaPipe's selfie segmentation."""


def mask_labels(
    loaded: LoadedModel, decoder: MaskDecoder
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels by class index, with notes about what was assumed.

    Raises:
        LabelsError: there are more or fewer than the model has classes.
    """
    labels = loaded.labels
    if isinstance(decoder, ProbabilityMaskDecoder):
        return _of_two(loaded)
    if labels is None:
        note = (
            f"{loaded.name} has no labels: classes are numbered, with class 0 as background; "
            "name them with --labels FILE"
        )
        count = decoder.classes or MAX_CLASSES
        return ("background", *(f"class {index}" for index in range(1, count))), (note,)
    if decoder.classes == len(labels) + 1 and not is_background(labels[0]):
        note = f"{loaded.source} has no background label: added as the first label"
        return ("background", *labels), (note,)
    if decoder.classes == len(labels) - 1 and is_background(labels[0]):
        note = f"{loaded.source} has a background label that the model lacks: removed"
        return labels[1:], (note,)
    if len(labels) > MAX_CLASSES or decoder.classes not in (None, len(labels)):
        raise LabelsError(
            f"{decoder.classes or f'at most {MAX_CLASSES}'} labels, one per class of the model",
            f"{len(labels)} in {loaded.source}",
            "choose the right file with --labels",
            code="labels-count-mismatch",
        )
    return labels, ()


def reported_indices(classes: Sequence[str] | None, labels: tuple[str, ...]) -> tuple[int, ...]:
    """Return the indices of the classes to report; None stands for all but the background."""
    if classes is None:
        return tuple(i for i, label in enumerate(labels) if not is_background(label))
    return tuple(i for i, label in enumerate(labels) if label in classes)


def _of_two(loaded: LoadedModel) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return background and foreground, whose name may be the only label."""
    labels = loaded.labels or ("foreground",)
    if len(labels) == 1:
        labels = ("background", "person" if labels[0] == _SELFIE else labels[0])
    if len(labels) != 2:
        raise LabelsError(
            "one label, for the model's foreground",
            f"{len(labels)} in {loaded.source}",
            "choose the right file with --labels",
            code="labels-count-mismatch",
        )
    return labels, ()
