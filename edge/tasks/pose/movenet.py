"""MoveNet: one person, 17 keypoints, fast on every board.

The model gets a square of the frame (see :mod:`edge.tasks.pose.smart_crop`), and outputs
[y, x, score] for each keypoint, as fractions of that square.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from edge.errors import ModelError
from edge.frame import Frame
from edge.interpreter import Array, Runtime
from edge.preprocessing import crop_square
from edge.results import Keypoint, Pose
from edge.tasks.loading import load_file, open_cpu_fallback
from edge.tasks.pose import smart_crop
from edge.tasks.pose.angles import angles
from edge.tasks.pose.keypoints import COCO
from edge.tasks.pose.smart_crop import Region
from edge.tasks.pose.smoothing import OneEuro

MIN_POSE_SCORE = 0.25
"""Minimum mean score of a pose: below it there is nobody."""

_DTYPES = ("uint8", "int32", "float32")


@dataclass
class _CropState:
    """State from frame to frame; ``region``: of the person, None for the whole frame."""

    smooth: OneEuro = field(default_factory=OneEuro)
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class MoveNet:
    """MoveNet for one person; see :class:`edge.tasks.pose.estimator.PoseModel`."""

    engine: Runtime
    notes: tuple[str, ...]
    path: Path
    prefetchable: bool = False  # the crop depends on the result before
    _memory: _CropState = field(default_factory=_CropState, repr=False)

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the square around the person: [1, size, size, 3] in the input's dtype."""
        spec = self.engine.inputs[0]
        region = self._region(frame)
        square = crop_square(frame.image, region.left, region.top, region.side, spec.shape[1])
        return (cv2.cvtColor(square, cv2.COLOR_BGR2RGB)[None].astype(spec.dtype),)

    def poses(self, outputs: tuple[Array, ...], frame: Frame, min_score: float) -> tuple[Pose, ...]:
        """Return the person in pixels of the frame; nobody if the mean score is below 0.25."""
        memory, region = self._memory, self._region(frame)
        rows = self.engine.outputs[0].dequantize(outputs[0]).reshape(len(COCO), 3)
        points = rows[:, 1::-1].astype(np.float64) * region.side + (region.left, region.top)
        scores = np.clip(rows[:, 2], 0, 1)
        if scores.mean() < MIN_POSE_SCORE:
            memory.region = None
            memory.smooth.reset()
            return ()
        height, width = frame.image.shape[:2]
        if not frame.name:  # images with a name are independent
            memory.region = smart_crop.person_region(points, scores, width, height)
            points = memory.smooth(points, frame.time_s, memory.region.side)
        named = dict(zip(COCO, points, strict=True))
        visible = {
            name: named[name]
            for name, is_visible in zip(COCO, scores >= min_score, strict=True)
            if is_visible
        }
        keypoints = (
            Keypoint(name, x, y, score)
            for name, (x, y), score in zip(COCO, points.tolist(), scores.tolist(), strict=True)
        )
        return (Pose(float(scores.mean()), tuple(keypoints), angles(visible)),)

    def fallback_to_cpu(self) -> Self:
        """Return this model on the CPU.

        Raises:
            DelegateError: there is no model for the CPU beside this one.
        """
        path, engine = open_cpu_fallback(self.path, self.engine.threads)
        return replace(self, engine=engine, path=path)

    def _region(self, frame: Frame) -> Region:
        height, width = frame.image.shape[:2]
        known = None if frame.name else self._memory.region
        return known or smart_crop.full_frame(width, height)


def open_movenet(path: Path, *, delegate: str, threads: int | None) -> MoveNet:
    """Open a .tflite file of MoveNet, Lightning or Thunder, for one person.

    Raises:
        ModelError: no usable model, or a model of another kind.
        DelegateError: no interpreter, or no Edge TPU for a model that needs one.
    """
    loaded = load_file(path, labels=None, delegate=delegate, threads=threads)
    runtime = loaded.runtime
    shapes = [spec.shape for spec in runtime.outputs]
    first = runtime.inputs[0]
    square = len(first.shape) == 4 and first.shape[1] == first.shape[2] and first.shape[3] == 3
    if not square or first.dtype not in _DTYPES or shapes != [(1, 1, len(COCO), 3)]:
        outputs = ", ".join(f"{spec.dtype} {list(spec.shape)}" for spec in runtime.outputs)
        raise ModelError(
            "MoveNet for one person (output [1, 1, 17, 3]) or a .task file of MediaPipe's poses",
            f"{path} with outputs {outputs}",
            "use --model movenet_lightning",
            code="model-wrong-task",
        )
    return MoveNet(runtime, loaded.notes, path)
