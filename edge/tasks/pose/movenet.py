"""MoveNet: one person, 17 keypoints, fast on every board.

The model gets a square of the frame around the person in the frame before (smart crop), and outputs
[y, x, score] for each keypoint, as fractions of that square. The region and its sizes are those
that MoveNet's authors describe in https://www.tensorflow.org/hub/tutorials/movenet ("cropping
algorithm"). In the whole frame, a person far away covers few pixels of the model's small input.

Keypoints are smoothed with the One Euro filter (Casiez, Roussel and Vogel, "1 € Filter: A Simple
Speed-based Low-pass Filter for Noisy Input in Interactive Systems", CHI 2012): slow movements are
smoothed strongly, fast ones hardly, so that they do not lag.
"""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.frame import Frame
from edge.interpreter import Array, Runtime, TensorSpec
from edge.modelfile.normalization import Normalization
from edge.preprocessing import Preprocessing, apply_table, crop_square, input_table
from edge.results import Keypoint, Pose
from edge.tasks.loading import check_task, load_file, open_cpu_fallback
from edge.tasks.pose.keypoints import COCO, angles
from edge.tasks.task import check_finite

MIN_SCORE = 0.2
"""Minimum score of a keypoint that the region is computed from."""

_TORSO, _BODY = 1.9, 1.2
"""Half a side of the region in maximum distances of torso and body keypoints from the hips."""

_SHOULDERS = [COCO.index("left_shoulder"), COCO.index("right_shoulder")]
_HIPS = [COCO.index("left_hip"), COCO.index("right_hip")]


@dataclass(frozen=True, slots=True)
class Region:
    """A square in pixels of the frame; it may exceed the frame, where it is black."""

    left: float
    top: float
    side: float


def full_frame(width: int, height: int) -> Region:
    """Return the smallest square around a frame."""
    side = float(max(width, height))
    return Region((width - side) / 2, (height - side) / 2, side)


def person_region(
    points: NDArray[np.floating[Any]], scores: NDArray[np.floating[Any]], width: int, height: int
) -> Region:
    """Return the region of the next frame to look at.

    Args:
        points: float [17, 2], x and y in pixels.
        scores: float [17].
        width: Of the frame in pixels.
        height: Of the frame in pixels.

    Returns:
        A square around the middle of the hips that contains the body; the frame if no hip or no
        shoulder is visible, or the body is as large as the frame.
    """
    visible = scores >= MIN_SCORE
    if not (visible[_HIPS].any() and visible[_SHOULDERS].any()):
        return full_frame(width, height)
    middle = points[_HIPS].mean(axis=0)
    distances = np.abs(points - middle)
    torso = [*_HIPS, *_SHOULDERS]
    reach = max(_TORSO * distances[torso].max(), _BODY * distances[visible].max())
    x, y = map(float, middle)
    half = min(float(reach), max(x, width - x, y, height - y))
    if half <= 0 or half > max(width, height) / 2:
        return full_frame(width, height)
    return Region(x - half, y - half, 2 * half)


_MIN_CUTOFF_HZ = 1.0
"""Cutoff frequency at rest."""

_CUTOFF_PER_SPEED = 20.0
"""Hertz added per speed, in body sizes per second (see :meth:`OneEuro.__call__`)."""

_SPEED_CUTOFF_HZ = 2.5
"""Cutoff frequency of the speed itself."""

Points = NDArray[np.float64]


class OneEuro:
    """Smooths the positions of keypoints from frame to frame; keeps the last ones."""

    def __init__(self) -> None:
        self._points: Points | None = None
        self._speed: Points | None = None
        self._time_s = 0.0

    def __call__(self, points: Points, time_s: float, scale: float) -> Points:
        """Return smoothed positions, float64 [n, 2].

        Args:
            points: Positions in this frame, float64 [n, 2].
            time_s: Time of the frame.
            scale: Size of the body in pixels, the unit of speeds.
        """
        elapsed = time_s - self._time_s
        if self._points is None or self._speed is None or elapsed <= 0:
            self._points, self._speed = points, np.zeros_like(points)
        else:
            weight = _weight(np.full(points.shape, _SPEED_CUTOFF_HZ), elapsed)
            self._speed = weight * self._speed + (1 - weight) * (points - self._points) / elapsed
            cutoff = _MIN_CUTOFF_HZ + _CUTOFF_PER_SPEED * np.abs(self._speed) / scale
            weight = _weight(cutoff, elapsed)
            self._points = weight * self._points + (1 - weight) * points
        self._time_s = time_s
        return self._points

    def reset(self) -> None:
        """Start again with the next frame."""
        self._points = self._speed = None


def _weight(cutoff: Points, elapsed: float) -> Points:
    """Return the weight of the last value in a low-pass filter of ``cutoff`` Hz."""
    return np.asarray(1 / (1 + 2 * math.pi * cutoff * elapsed), np.float64)


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
    normalization: Normalization | None = None
    _memory: _CropState = field(default_factory=_CropState, repr=False)
    _table: Array | None = field(default=None, repr=False)

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the square around the person: [1, size, size, 3] in the input's dtype."""
        spec = self.engine.inputs[0]
        region = self._region(frame)
        square = crop_square(frame.image, region.left, region.top, region.side, spec.shape[1])
        rgb = np.asarray(cv2.cvtColor(square, cv2.COLOR_BGR2RGB), np.uint8)
        if self._table is None:
            return (rgb[None].astype(spec.dtype),)
        return (apply_table(self._table, rgb),)

    def poses(self, outputs: tuple[Array, ...], frame: Frame, min_score: float) -> tuple[Pose, ...]:
        """Return the person in pixels of the frame; nobody if the mean score is below 0.25."""
        memory, region = self._memory, self._region(frame)
        rows = self.engine.outputs[0].dequantize(outputs[0]).reshape(len(COCO), 3)
        check_finite(rows)
        points = rows[:, 1::-1].astype(np.float64) * region.side + (region.left, region.top)
        scores = np.clip(rows[:, 2], 0, 1)
        if scores.mean() < MIN_POSE_SCORE:
            memory.region = None
            memory.smooth.reset()
            return ()
        height, width = frame.image.shape[:2]
        if not frame.name:  # images with a name are independent
            memory.region = person_region(points, scores, width, height)
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
            DelegateError: there is no model for the CPU next to this one.
        """
        path, engine = open_cpu_fallback(self.path, self.engine.threads)
        return replace(self, engine=engine, path=path)

    def _region(self, frame: Frame) -> Region:
        height, width = frame.image.shape[:2]
        known = None if frame.name else self._memory.region
        return known or full_frame(width, height)


def open_movenet(
    path: Path, *, delegate: str, threads: int | None, given: Normalization | None = None
) -> MoveNet:
    """Open a .tflite file of MoveNet, Lightning or Thunder, for one person.

    It gets pixels as they are, 0 to 255, unless a normalization is given.

    Raises:
        ModelError: no usable model, or a model of another kind.
        DelegateError: no interpreter, or no Edge TPU for a model that needs one.
    """
    loaded = load_file(path, labels=None, delegate=delegate, threads=threads, normalization=given)
    check_task(loaded, "pose")
    runtime = loaded.runtime
    shapes = [spec.shape for spec in runtime.outputs]
    first = runtime.inputs[0]
    square = len(first.shape) == 4 and first.shape[1] == first.shape[2] and first.shape[3] == 3
    if not square or first.dtype not in _DTYPES or shapes != [(1, 1, len(COCO), 3)]:
        outputs = ", ".join(f"{spec.dtype} {list(spec.shape)}" for spec in runtime.outputs)
        of_yolo = loaded.about is not None and loaded.about.task == "pose"
        raise ModelError(
            "MoveNet for one person (output [1, 1, 17, 3]) or a .task file of MediaPipe's poses",
            f"{path} with outputs {outputs}",
            f"{'poses of YOLO are not read yet: ' * of_yolo}use --model movenet_lightning",
            code="model-wrong-task",
        )
    chosen = loaded.normalization
    table = None if chosen is None else _input_table(first, chosen)
    return MoveNet(runtime, loaded.notes, path, normalization=chosen, _table=table)


def _input_table(spec: TensorSpec, chosen: Normalization) -> Array | None:
    """Return the input values of the pixel values 0 to 255; None where they are the same."""
    size = spec.shape[1]
    preprocessing = Preprocessing(size, size, chosen.mean, chosen.std)
    if spec.dtype != "int32":
        return input_table(spec, preprocessing)
    pixels = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    return np.rint(preprocessing.normalize(pixels)).astype(np.int32)
