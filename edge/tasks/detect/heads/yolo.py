"""YOLO heads, and non-maximum suppression of their candidates.

There are three: a grid of anchors, rows of boxes with objectness, rows of boxes without. Redmon
and Farhadi, "YOLOv3: An Incremental Improvement", 2018; the rows are those of the exports of
Ultralytics' YOLOv5 and YOLOv8.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.interpreter import Array, Runtime, TensorSpec
from edge.tasks.detect.heads.scores import logit, quantized, sigmoid

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidate detections of one image.

    Attributes:
        boxes: float32 [n, 4], x1, y1, x2, y2 as fractions of the model's input.
        scores: float32 [n], 0 to 1.
        classes: int64 [n].

    Heads keep candidates whose score is NaN, which the detector reports.
    """

    boxes: Floats
    scores: Floats
    classes: NDArray[np.int64]

    def select(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Candidates":
        """Return the candidates of these rows: indices, or a mask [n]."""
        return Candidates(self.boxes[rows], self.scores[rows], self.classes[rows])


def from_centers(
    centers: Floats, sizes: Floats, scores: Floats, classes: NDArray[np.int64]
) -> Candidates:
    """Return the candidates of boxes given by center [n, 2] and size [n, 2]."""
    boxes = np.concatenate([centers - sizes / 2, centers + sizes / 2], axis=1)
    return Candidates(boxes.astype(np.float32, copy=False), scores, classes)


MAX_DETECTIONS = 100
"""Boxes of an image at most, as COCO counts them."""


def nms(candidates: Candidates, iou: float, max_count: int = MAX_DETECTIONS) -> Candidates:
    """Suppress overlapping boxes greedily within each class; best first, at most ``max_count``."""
    if len(candidates.scores) == 0:
        return candidates
    corners = candidates.boxes
    # Sizes instead of corners, scaled up: OpenCV treats boxes of less than a pixel as empty.
    rectangles = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1) * 1e4
    kept = cv2.dnn.NMSBoxesBatched(
        rectangles.tolist(), candidates.scores.tolist(), candidates.classes.tolist(), 0.0, iou
    )
    order = np.asarray(kept, np.int64).reshape(-1)
    order = order[np.argsort(-candidates.scores[order], kind="stable")]
    return candidates.select(order[:max_count])


Anchors = tuple[tuple[float, float], ...]

FASTEST: dict[int, Anchors] = {
    16: ((12, 18), (37, 49), (52, 132)),
    32: ((115, 73), (119, 199), (242, 238)),
}
"""Anchors, width and height in pixels, by stride: Yolo-Fastest 1.1 at 320 pixels."""


@dataclass(frozen=True, slots=True)
class AnchorGridHead:
    """Anchor-based outputs [1, h, w, anchors × (5 + classes)], one for each stride."""

    specs: tuple[TensorSpec, ...]
    anchors: tuple[Anchors, ...]
    size: tuple[int, int]
    classes: int | None
    letterbox: bool = True
    suppresses: bool = False
    max_detections: int = MAX_DETECTIONS

    def __call__(self, outputs: tuple[Array, ...], min_score: float) -> Candidates:
        """Return the candidates with objectness × class of at least ``min_score``."""
        levels = [self._level(i, output, min_score) for i, output in enumerate(outputs)]
        return Candidates(
            np.concatenate([level.boxes for level in levels]),
            np.concatenate([level.scores for level in levels]),
            np.concatenate([level.classes for level in levels]),
        )

    def _level(self, index: int, output: Array, min_score: float) -> Candidates:
        spec, anchors = self.specs[index], np.array(self.anchors[index], np.float32)
        _, high, wide, channels = output.shape
        cells = output.reshape(high, wide, len(anchors), channels // len(anchors))
        # Most cells are empty: their objectness shows it before anything is dequantized.
        rows, columns, anchor = np.nonzero(~(cells[..., 4] < quantized(spec, logit(min_score))))
        values = spec.dequantize(cells[rows, columns, anchor])
        class_scores = sigmoid(values[:, 5:])
        several = class_scores.shape[1] > 0
        count = len(class_scores)
        classes = class_scores.argmax(1) if several else np.zeros(count, np.int64)
        scores = sigmoid(values[:, 4])
        if several:
            scores = scores * class_scores[np.arange(count), classes]
        kept = ~(scores < min_score)
        corner = np.stack([columns, rows], axis=1)[kept]
        centers = (corner + sigmoid(values[kept, :2])) / np.array([wide, high], np.float32)
        sizes = np.exp(np.minimum(values[kept, 2:4], 10)) * anchors[anchor[kept]]
        return from_centers(
            centers.astype(np.float32),
            (sizes / np.array(self.size, np.float32)).astype(np.float32),
            scores[kept].astype(np.float32),
            classes[kept].astype(np.int64),
        )


@dataclass(frozen=True, slots=True)
class RowsHead:
    """One output of boxes: [1, boxes, values], or [1, values, boxes] where ``transposed``.

    ``objectness``: values are x y w h, objectness, classes (YOLOv5); else x y w h, classes
    (YOLOv8). Boxes are fractions of the input or pixels of it, which their size shows.
    """

    spec: TensorSpec
    transposed: bool
    objectness: bool
    size: tuple[int, int]
    classes: int | None
    letterbox: bool = True
    suppresses: bool = False
    max_detections: int = MAX_DETECTIONS

    def __call__(self, outputs: tuple[Array, ...], min_score: float) -> Candidates:
        """Return the candidates with a score of at least ``min_score``."""
        values = outputs[0][0].T if self.transposed else outputs[0][0]
        first = 5 if self.objectness else 4
        threshold = quantized(self.spec, min_score)
        if self.objectness:
            near = ~(values[:, 4] < threshold)
        else:
            near = ~(values[:, first:].max(1) < threshold)
        kept = self.spec.dequantize(values[near])
        classes = kept[:, first:].argmax(1)
        scores = kept[np.arange(len(kept)), first + classes]
        if self.objectness:
            scores = scores * kept[:, 4]
        valid = ~(scores < min_score)
        boxes = kept[valid, :4]
        if len(boxes) and boxes.max() > 2:  # pixels
            boxes = boxes / np.array([*self.size, *self.size], np.float32)
        return from_centers(
            boxes[:, :2], boxes[:, 2:], scores[valid].astype(np.float32), classes[valid]
        )


def match_head(runtime: Runtime) -> AnchorGridHead | RowsHead | None:
    """Return the head that fits the shapes of a model's outputs; None where none fits."""
    size = (runtime.inputs[0].shape[2], runtime.inputs[0].shape[1])
    shapes = [spec.shape for spec in runtime.outputs]
    if len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][0] == 1:
        return _rows(runtime.outputs[0], size)
    if all(len(shape) == 4 and shape[0] == 1 for shape in shapes):
        return grid(runtime, FASTEST)
    return None


def grid(runtime: Runtime, anchors: dict[int, Anchors]) -> AnchorGridHead | None:
    """Return a grid head with these anchors by stride; None where the outputs have other shapes."""
    size = (runtime.inputs[0].shape[2], runtime.inputs[0].shape[1])
    chosen, numbers = [], set()
    for spec in runtime.outputs:
        stride = size[0] // max(1, spec.shape[2])
        if stride not in anchors or spec.shape[3] % len(anchors[stride]):
            return None
        chosen.append(anchors[stride])
        numbers.add(spec.shape[3] // len(anchors[stride]) - 5)
    if len(numbers) != 1 or min(numbers) < 0:
        return None
    return AnchorGridHead(runtime.outputs, tuple(chosen), size, max(1, numbers.pop()))


def rows(spec: TensorSpec, size: tuple[int, int], *, objectness: bool) -> RowsHead:
    """Return a head of rows; the longer dimension of the output counts the boxes."""
    transposed = spec.shape[1] < spec.shape[2]
    values = min(spec.shape[1:])
    return RowsHead(spec, transposed, objectness, size, values - (5 if objectness else 4))


def _rows(spec: TensorSpec, size: tuple[int, int]) -> RowsHead | None:
    """Return the head: YOLOv5 has three boxes per cell at strides 8, 16 and 32, YOLOv8 one."""
    boxes, values = max(spec.shape[1:]), min(spec.shape[1:])
    cells = sum((size[0] // stride) * (size[1] // stride) for stride in (8, 16, 32))
    if values < 5:
        return None
    if boxes == 3 * cells:
        return rows(spec, size, objectness=True)
    if boxes == cells:
        return rows(spec, size, objectness=False)
    return None
