"""SSD whose post-processing is part of the model: boxes, classes, scores and their number.

Usually the operation TFLite_Detection_PostProcess computes them, and tells which output is which.
Exporters list its outputs in any order, and some leave out the number of detections, which is read
all the same: the operation writes only so many rows, and the others keep what was in memory. Where
another operation computes them, shapes, data types, names and, at last, values decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.interpreter import Array, Runtime, TensorSpec
from edge.modelfile import flexbuffers
from edge.modelfile.tflite import Graph, ModelFile, OpInfo
from edge.tasks.detect.heads.yolo import MAX_DETECTIONS, Candidates

OPERATION = "TFLite_Detection_PostProcess"

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SsdHead:
    """Outputs of SSD's post-processing.

    Attributes:
        specs: All outputs of the model.
        boxes: Index of the output of boxes: y1, x1, y2, x2 as fractions.
        pair: Indices of the outputs of classes and scores.
        ordered: True where ``pair`` is in that order; else their values decide.
        count: Index of the output with the number of detections; without it, in models without
            the operation, those with a score above 0 count.
        classes: Number of classes, None if the file does not contain it.
        letterbox: True where the image keeps its aspect ratio in the model's input.
        suppresses: The model suppresses overlapping boxes itself.
        max_detections: Objects of an image at most; the model decides how many there are.
    """

    specs: tuple[TensorSpec, ...]
    boxes: int
    pair: tuple[int, int]
    ordered: bool
    count: int | None
    classes: int | None = None
    letterbox: bool = False
    suppresses: bool = True
    max_detections: int = MAX_DETECTIONS

    @property
    def scores(self) -> int | None:
        """Index of the output of scores; None where only values tell it."""
        return self.pair[1] if self.ordered else None

    def __call__(self, outputs: tuple[Array, ...], min_score: float) -> Candidates:
        """Return the candidates with a score of at least ``min_score``."""
        boxes = self._values(outputs, self.boxes).reshape(-1, 4)
        first, second = (self._values(outputs, index).reshape(-1) for index in self.pair)
        classes, scores = (first, second) if self.ordered else classes_and_scores(first, second)
        kept = ~((scores < min_score) | (scores <= 0))  # NaN is kept: it is an error
        if self.count is not None:
            kept &= np.arange(len(kept)) < self._values(outputs, self.count).reshape(-1)[0]
        top, left, bottom, right = boxes[kept].T
        return Candidates(
            np.stack([left, top, right, bottom], axis=1),
            scores[kept],
            np.rint(np.clip(np.nan_to_num(classes[kept]), 0, 1e6)).astype(np.int64),
        )

    def _values(self, outputs: tuple[Array, ...], index: int) -> Floats:
        return self.specs[index].dequantize(outputs[index])


def match_head(runtime: Runtime) -> SsdHead | None:
    """Return the head of a model with such outputs; None where it has others."""
    graph = runtime.file.main
    operation = post_processing(graph)
    if operation is None:
        return _match_shapes(runtime.outputs)
    *tensors, count = operation.outputs[:4]
    listed = graph.outputs
    if not {*tensors} <= {*listed} or (count not in listed and graph.operators[-1] != operation):
        return None
    boxes, classes, scores = map(listed.index, tensors)
    number = _class_count(runtime.file, operation)
    index = listed.index(count) if count in listed else runtime.add_output(count)
    return SsdHead(runtime.outputs, boxes, (classes, scores), True, index, number)


def post_processing(graph: Graph) -> OpInfo | None:
    """Return the operation of SSD's post-processing, None where a graph has none."""
    for op in graph.operators:
        if op.custom == OPERATION and len(op.outputs) >= 4:
            return op
    return None


def _class_count(file: ModelFile, operation: OpInfo) -> int | None:
    start, size = operation.custom_options
    return flexbuffers.integers(file.content[start : start + size]).get("num_classes")


def _match_shapes(specs: tuple[TensorSpec, ...]) -> SsdHead | None:
    """Return the head of outputs [1, n, 4], twice [1, n], and perhaps one single number."""
    boxes = [i for i, spec in enumerate(specs) if len(spec.shape) == 3 and spec.shape[2] == 4]
    if len(specs) not in (3, 4) or len(boxes) != 1 or specs[boxes[0]].shape[0] != 1:
        return None
    per_box = specs[boxes[0]].shape[:2]
    pair = [i for i, spec in enumerate(specs) if spec.shape == per_box]
    rest = [i for i in range(len(specs)) if i not in (*boxes, *pair)]
    if len(pair) != 2 or any(np.prod(specs[i].shape) != 1 for i in rest):
        return None
    order = _known_order(specs, pair)
    first, second = order or pair
    return SsdHead(specs, boxes[0], (first, second), order is not None, rest[0] if rest else None)


_CLASS_WORDS, _SCORE_WORDS = ("class", "label", "categor"), ("score", "conf", "prob")


def _known_order(specs: tuple[TensorSpec, ...], pair: Sequence[int]) -> tuple[int, int] | None:
    """Return the outputs of classes and scores as data types or names tell them, else None."""
    whole = [i for i in pair if specs[i].dtype in ("int32", "int64") and not specs[i].scale]
    classes = [i for i in pair if any(word in specs[i].name.lower() for word in _CLASS_WORDS)]
    scores = [i for i in pair if any(word in specs[i].name.lower() for word in _SCORE_WORDS)]
    for known in (whole, [i for i in classes if i not in scores]):
        if len(known) == 1:
            return known[0], pair[1 - pair.index(known[0])]
    scores = [i for i in scores if i not in classes]
    return (pair[1 - pair.index(scores[0])], scores[0]) if len(scores) == 1 else None


def classes_and_scores(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Return which of two outputs, float32 [n], are classes, and which are scores.

    Scores lie between 0 and 1, and classes are whole numbers. Where both are 0 and 1 only, scores
    are those that are sorted, and above 0 before classes are.
    """
    for classes, scores in ((first, second), (second, first)):
        if _are_no_scores(classes) or _are_no_classes(scores):
            return classes, scores
    falling = bool((np.diff(first) <= 0).all())
    if falling and not (np.diff(second) <= 0).all():
        return second, first
    return (second, first) if falling and first.sum() > second.sum() else (first, second)


def _are_no_scores(values: Floats) -> bool:
    return bool(((values < -0.01) | (values > 1.01)).any())


def _are_no_classes(values: Floats) -> bool:
    return bool((np.abs(values - np.rint(values)) > 0.001).any())
