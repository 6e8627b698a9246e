"""Detectors of ``edge convert``: per stride one output of boxes and one of logits, by their names.

"boxes/16" is [1, h, w, 4] and "classes/16" [1, h, w, classes], one box for each cell of 16 × 16
pixels of the input. Boxes are coded as SSD's are against an anchor of 4 × 4 cells around the middle
of the cell, with all scales 4: y and x of the center in cells from there, and 4 times the logarithm
of height and width over 4 cells (Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016). The
sigmoid of a logit is the score.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.interpreter import Array, Runtime, TensorSpec
from edge.tasks.detect.heads.scores import logit, quantized, sigmoid
from edge.tasks.detect.heads.yolo import MAX_DETECTIONS, Candidates

SCALE = 4.0
"""Of SSD's coding, for all four values."""

ANCHOR = 4.0
"""Side of the anchor in cells."""

MAX_CANDIDATES = 1000
"""Boxes that are compared with each other at most, the best ones."""

_NAME = re.compile(r"(?:^|.*[^\w])(boxes|classes)/(\d+)")
_MAX_LOG = 20.0
"""Bound of a coded size, exp(5) anchors: more would overflow."""


@dataclass(frozen=True, slots=True)
class Level:
    """Outputs of a stride: indices of its boxes and its logits."""

    stride: int
    boxes: int
    classes: int


@dataclass(frozen=True, slots=True)
class LevelsHead:
    """Raw outputs by level; ``specs``: all outputs; ``size``: width and height of the input."""

    specs: tuple[TensorSpec, ...]
    levels: tuple[Level, ...]
    size: tuple[int, int]
    classes: int | None
    letterbox: bool = False
    suppresses: bool = False
    max_detections: int = MAX_DETECTIONS

    def __call__(self, outputs: tuple[Array, ...], min_score: float) -> Candidates:
        """Return the candidates with a score of at least ``min_score``, at most 1000."""
        parts = [self._level(level, outputs, min_score) for level in self.levels]
        logits, rows = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        boxes = np.concatenate([part[2] for part in parts])
        best = np.argsort(-logits, kind="stable")[:MAX_CANDIDATES]
        return Candidates(boxes[best], sigmoid(logits[best]), rows[best])

    def _level(
        self, level: Level, outputs: tuple[Array, ...], min_score: float
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        """Return logits, classes and boxes of a level."""
        spec, raw = self.specs[level.classes], outputs[level.classes][0]
        # Most cells are empty: their logits show it before anything is dequantized.
        rows, columns, classes = np.nonzero(~(raw < quantized(spec, logit(min_score))))
        logits = spec.dequantize(raw[rows, columns, classes])
        coded = self.specs[level.boxes].dequantize(outputs[level.boxes][0][rows, columns])
        boxes = decode(coded, np.stack([columns, rows], axis=1), level.stride)
        return logits, classes.astype(np.int64), boxes / np.array([*self.size] * 2, np.float32)


def decode(
    coded: NDArray[np.float32], cells: NDArray[np.int64], stride: int
) -> NDArray[np.float32]:
    """Return boxes in pixels of the input, float32 [n, 4] as left, top, right, bottom.

    Args:
        coded: float32 [n, 4]: y, x, height, width.
        cells: [n, 2]: column and row.
        stride: pixels per cell.
    """
    step = np.float32(stride * ANCHOR / SCALE)
    centers = (cells + np.float32(0.5)) * np.float32(stride) + coded[:, 1::-1] * step
    logarithms = np.minimum(coded[:, :1:-1], np.float32(_MAX_LOG)) / np.float32(SCALE)
    half = np.exp(logarithms) * np.float32(stride * ANCHOR / 2)
    return np.asarray(np.concatenate([centers - half, centers + half], axis=1), np.float32)


def anchors(size: int, strides: Sequence[int]) -> NDArray[np.float32]:
    """Return the anchors of all cells, float32 [n, 4]: y, x, height, width in parts of the input.

    They are in the order of the outputs: by stride, then row by row.
    """
    levels = []
    for stride in strides:
        along = (np.arange(size // stride, dtype=np.float32) + 0.5) * stride / size
        y, x = np.meshgrid(along, along, indexing="ij")
        side = np.full(y.size, ANCHOR * stride / size, np.float32)
        levels.append(np.stack([y.ravel(), x.ravel(), side, side], axis=1))
    return np.asarray(np.concatenate(levels), np.float32)


def match_head(runtime: Runtime) -> LevelsHead | None:
    """Return the head of a model with outputs of such names and shapes; None for others."""
    return match(runtime.outputs, (runtime.inputs[0].shape[2], runtime.inputs[0].shape[1]))


def match(specs: tuple[TensorSpec, ...], size: tuple[int, int]) -> LevelsHead | None:
    """Return the head of outputs with such names and shapes; ``size``: of the input."""
    by_name: dict[tuple[str, int], int] = {}
    for index, spec in enumerate(specs):
        parts = _NAME.match(spec.name)
        if parts is None or len(spec.shape) != 4:
            return None
        by_name[parts[1], int(parts[2])] = index
    strides = sorted({stride for _, stride in by_name})
    if len(by_name) != 2 * len(strides) or len(by_name) != len(specs):
        return None
    if any(("boxes", stride) not in by_name for stride in strides):
        return None
    levels = tuple(
        Level(stride, by_name["boxes", stride], by_name["classes", stride]) for stride in strides
    )
    counts = {specs[level.classes].shape[3] for level in levels}
    fits = all(_fits(specs, level, size) for level in levels)
    return LevelsHead(specs, levels, size, counts.pop()) if fits and len(counts) == 1 else None


def _fits(specs: tuple[TensorSpec, ...], level: Level, size: tuple[int, int]) -> bool:
    cells = (1, size[1] // level.stride, size[0] // level.stride) if level.stride else ()
    boxes, classes = specs[level.boxes].shape, specs[level.classes].shape
    return boxes == (*cells, 4) and classes[:3] == cells
