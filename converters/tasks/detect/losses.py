"""What training minimizes: scores that tell how well a box fits, and boxes that do."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from converters import tf
from converters.tasks.detect.assignment import IGNORED, Cells
from edge.tasks.detect.heads.levels import ANCHOR, SCALE

_BOX_WEIGHT = 2.0
"""Of the boxes' loss beside that of the scores."""

_MAX_CODE = 16.0
"""Bound of a coded size: exp(4) anchors are larger than any image."""


@dataclass(frozen=True, slots=True)
class BoxTargets:
    """A batch: ``labels`` int32 [b, cells], ``boxes`` float32 [b, cells, 4] in pixels."""

    labels: Any
    boxes: Any


def detection_loss(codes: Any, logits: Any, targets: BoxTargets, grid: Cells) -> Any:
    """Return the loss of a batch, a scalar.

    The score of a cell is to be the IoU of its box for its class, 0 for others, and cells that are
    wrong count most (Li et al., "Generalized Focal Loss", NeurIPS 2020); boxes are judged by CIoU
    (Zheng et al., "Distance-IoU Loss", AAAI 2020).

    Args:
        codes: float32 [b, cells, 4], see :mod:`edge.tasks.detect.heads.levels`.
        logits: float32 [b, cells, classes].
        targets: what each cell learns.
        grid: all cells.
    """
    tensorflow = tf.tensorflow()
    where = tensorflow.where(targets.labels >= 0)
    count = tensorflow.maximum(tensorflow.cast(tensorflow.shape(where)[0], tensorflow.float32), 1.0)
    predicted = _decoded(tensorflow.gather_nd(codes, where), where[:, 1], grid)
    iou, ciou = _overlaps(predicted, tensorflow.gather_nd(targets.boxes, where))
    classes = tensorflow.cast(tensorflow.gather_nd(targets.labels, where), tensorflow.int64)
    goal = tensorflow.scatter_nd(
        tensorflow.concat([where, classes[:, None]], axis=1),
        tensorflow.stop_gradient(tensorflow.maximum(iou, 0.0)),
        tensorflow.shape(logits, out_type=tensorflow.int64),
    )
    known = tensorflow.cast(targets.labels != IGNORED, tensorflow.float32)[..., None]
    entropy = tensorflow.nn.sigmoid_cross_entropy_with_logits(labels=goal, logits=logits)
    wrong = tensorflow.square(goal - tensorflow.sigmoid(logits))
    scores = tensorflow.reduce_sum(wrong * entropy * known)
    return (scores + _BOX_WEIGHT * tensorflow.reduce_sum(1 - ciou)) / count


def _decoded(codes: Any, cell: Any, grid: Cells) -> Any:
    """Return boxes [n, 4] in pixels of codes [n, 4] at these cells."""
    tensorflow = tf.tensorflow()
    centers = tensorflow.gather(tensorflow.constant(grid.centers), cell)
    strides = tensorflow.gather(tensorflow.constant(grid.strides), cell)[:, None]
    middle = centers + codes[:, 1::-1] * strides * (ANCHOR / SCALE)
    sizes = tensorflow.minimum(codes[:, :1:-1], _MAX_CODE) / SCALE
    half = tensorflow.exp(sizes) * strides * (ANCHOR / 2)
    return tensorflow.concat([middle - half, middle + half], axis=1)


def _overlaps(first: Any, second: Any) -> tuple[Any, Any]:
    """Return IoU and CIoU of boxes, float32 [n, 4] each, pair by pair."""
    tensorflow = tf.tensorflow()
    low = tensorflow.maximum(first[:, :2], second[:, :2])
    high = tensorflow.minimum(first[:, 2:], second[:, 2:])
    common = tensorflow.reduce_prod(tensorflow.maximum(high - low, 0.0), axis=1)
    sizes = [boxes[:, 2:] - boxes[:, :2] for boxes in (first, second)]
    areas = [tensorflow.reduce_prod(size, axis=1) for size in sizes]
    iou = common / (areas[0] + areas[1] - common + 1e-6)
    hull = tensorflow.maximum(first[:, 2:], second[:, 2:]) - tensorflow.minimum(
        first[:, :2], second[:, :2]
    )
    diagonal = tensorflow.reduce_sum(tensorflow.square(hull), axis=1) + 1e-6
    apart = (first[:, :2] + first[:, 2:] - second[:, :2] - second[:, 2:]) / 2
    distance = tensorflow.reduce_sum(tensorflow.square(apart), axis=1) / diagonal
    angles = [tensorflow.atan(size[:, 0] / (size[:, 1] + 1e-6)) for size in sizes]
    shape = 4 / np.pi**2 * tensorflow.square(angles[0] - angles[1])
    weight = tensorflow.stop_gradient(shape / (1 - iou + shape + 1e-6))
    return iou, iou - distance - weight * shape
