"""Detectors of ``edge convert --head centers``: the middles of small objects, from a map of them.

"centers/8" is [1, h, w, classes]: the sigmoid of a logit is high where the middle of an object of
the class lies in a cell of 8 × 8 pixels of the input. "offsets/8" is [1, h, w, 2]: x and y of that
middle in cells from the middle of the cell. A cell that is as high as its eight neighbors is an
object (Zhou et al., "Objects as Points", 2019).

Trackers and programs want boxes, so that each point has one of the usual size of its class, which
the file's metadata has as ``{"object_sizes": [[width, height], …]}``, in parts of the image.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.interpreter import Array, Runtime, TensorSpec
from edge.tasks.detect.heads.scores import logit, quantized, sigmoid
from edge.tasks.detect.heads.yolo import Candidates, from_centers

SIZES_KEY = "object_sizes"
"""Of the sizes in the metadata of a file."""

MAX_POINTS = 1000
"""Objects of an image at most, the best ones."""

DEFAULT_CELLS = 4.0
"""Sides of an object in cells, where the file does not say how large it is."""

_NAME = re.compile(r"(?:^|.*[^\w])(centers|offsets)/(\d+)")

_EARLIER = ((-1, -1), (-1, 0), (-1, 1), (0, -1))
"""Rows and columns to the neighbors of a cell that come before it; the others lie opposite."""


@dataclass(frozen=True, slots=True)
class CentersHead:
    """A map of middles, and their offsets.

    Attributes:
        specs: All outputs of the model.
        centers: Index of the output of logits.
        offsets: Index of the output of offsets.
        stride: Pixels of the input per cell.
        size: Width and height of the input.
        sizes: Width and height of the objects of each class in parts of the input.
        sized: True where the file tells the sizes.
        classes: Number of classes.
        letterbox: True where the image keeps its aspect ratio in the model's input.
        suppresses: False: two cells that are no neighbors may mean one object.
        max_detections: Objects of an image at most.
    """

    specs: tuple[TensorSpec, ...]
    centers: int
    offsets: int
    stride: int
    size: tuple[int, int]
    sizes: tuple[tuple[float, float], ...]
    sized: bool
    classes: int | None
    letterbox: bool = False
    suppresses: bool = False
    max_detections: int = MAX_POINTS

    def __call__(self, outputs: tuple[Array, ...], min_score: float) -> Candidates:
        """Return the points with a score of at least ``min_score`` as boxes around them."""
        spec, raw = self.specs[self.centers], outputs[self.centers][0]
        # Most cells are empty: their logits show it before anything is dequantized.
        high = ~(raw < quantized(spec, logit(min_score)))
        rows, columns, classes = np.nonzero(high & find_peaks(raw))
        logits = spec.dequantize(raw[rows, columns, classes])
        best = np.argsort(-logits, kind="stable")[:MAX_POINTS]
        rows, columns, classes, logits = (each[best] for each in (rows, columns, classes, logits))
        moved = self.specs[self.offsets].dequantize(outputs[self.offsets][0][rows, columns])
        cells = np.stack([columns, rows], axis=1) + np.float32(0.5) + moved
        return from_centers(
            (cells * np.float32(self.stride) / np.array(self.size, np.float32)).astype(np.float32),
            np.array(self.sizes, np.float32)[classes],
            sigmoid(logits),
            classes.astype(np.int64),
        )


def find_peaks(heat: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which cells of maps [h, w, maps] are as high as their eight neighbors.

    Of neighbors that are equal only the first counts, row by row. NaN counts as high.
    """
    peaks = np.ones(heat.shape, np.bool_)
    for down, right in _EARLIER:
        here, there = _overlap(heat.shape, down, right)
        peaks[here] &= ~(heat[here] <= heat[there])
        peaks[there] &= ~(heat[there] < heat[here])
    return peaks


def _overlap(shape: tuple[int, ...], down: int, right: int) -> tuple[Any, Any]:
    """Return the cells that have such a neighbor, and these neighbors, of the same shape."""
    height, width = shape[:2]
    rows, columns = slice(-down, height), slice(max(0, -right), width - max(0, right))
    above = slice(0, height + down)
    beside = slice(max(0, right), width + min(0, right))
    return (rows, columns), (above, beside)


def match_head(runtime: Runtime, values: Mapping[str, Any] | None) -> CentersHead | None:
    """Return the head of a model with outputs of such names and shapes; None for others.

    ``values``: what the file's metadata says of its head.
    """
    size = (runtime.inputs[0].shape[2], runtime.inputs[0].shape[1])
    return match(runtime.outputs, size, values)


def match(
    specs: tuple[TensorSpec, ...], size: tuple[int, int], values: Mapping[str, Any] | None = None
) -> CentersHead | None:
    """Return the head of outputs with such names and shapes; ``size``: of the input."""
    names = [_NAME.match(spec.name) for spec in specs]
    kinds = {name[1]: index for index, name in enumerate(names) if name is not None}
    strides = {int(name[2]) for name in names if name is not None}
    if len(specs) != 2 or len(kinds) != 2 or len(strides) != 1 or 0 in strides:
        return None
    stride = strides.pop()
    heat, offsets = specs[kinds["centers"]], specs[kinds["offsets"]]
    cells = (1, size[1] // stride, size[0] // stride)
    if offsets.shape != (*cells, 2) or heat.shape[:3] != cells or len(heat.shape) != 4:
        return None
    classes = heat.shape[3]
    stored = stored_sizes(values, classes)
    usual = (DEFAULT_CELLS * stride / size[0], DEFAULT_CELLS * stride / size[1])
    return CentersHead(
        specs, kinds["centers"], kinds["offsets"], stride, size,
        stored or (usual,) * classes, stored is not None, classes,
    )  # fmt: skip


def stored_sizes(
    values: Mapping[str, Any] | None, classes: int
) -> tuple[tuple[float, float], ...] | None:
    """Return width and height of the objects of each class; None where they are not as expected."""
    listed = (values or {}).get(SIZES_KEY)
    if not isinstance(listed, list) or len(listed) != classes:
        return None
    pairs = [tuple(pair) if isinstance(pair, list) else () for pair in listed]
    if all(len(pair) == 2 and all(map(_is_part, pair)) for pair in pairs):
        return tuple((float(wide), float(high)) for wide, high in pairs)
    return None


def _is_part(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value <= 1
