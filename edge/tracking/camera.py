"""Motion of the camera: estimated from the frames, or from the tracked objects alone.

A camera that turns moves all objects at once, which their own filters cannot foresee. Optical flow
of the background shows it (as in BoT-SORT, Aharon et al. 2022). Where there are no frames, or none
with enough texture, the shift that the tracks share shows it, too; but people who walk together
share one as well, so it counts only as far as it has been larger than chance of late.

A transformation is float64 [2, 3]: from a point of the last frame to the same point of this one.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError
from edge.frame import BgrImage
from edge.tracking.parameters import TrackerParameters
from edge.tracking.state import Array, DetectionArrays, KalmanFilter, TrackState, distances

CameraMode = Literal["auto", "moving", "static"]
CAMERA_MODES: tuple[CameraMode, ...] = ("auto", "moving", "static")

STATIC: Array = np.eye(2, 3)
"""The transformation of a camera that does not move."""

_SIDE = 256
"""Longest side of the image whose flow is computed: enough, and fast."""
_POINTS, _MIN_POINTS = 80, 12
"""Points of the background to follow, and the least number that tells."""
_MIN_INLIERS = 0.4
"""Fraction of the points that have to move together."""
_MAX_ZOOM = 1.5
"""Largest change of scale between two frames that is believed."""
_STILL = 0.0025
"""Movement of a corner, as a fraction of the longer side, up to which the camera is still."""
_CHECK_S = 0.2
"""Seconds between two looks at a camera that is still."""
_REST_S = 1.0
"""Seconds without movement after which a camera is still."""

_MAX_DISTANCE = 16.0
"""Squared distance up to which a pair tells of the camera: nearly all of four coordinates' pairs"""

_Gray = NDArray[np.uint8]


class TrackShift:
    """Estimates the shift that tracks share, from their detections.

    An empirical Bayes estimate: the variance of the camera's movement is what the shifts of the
    last moments had in excess of their noise, and shrinks the shift of this frame accordingly.
    """

    def __init__(self) -> None:
        self._excess = np.zeros(2)

    def estimate(
        self,
        state: TrackState,
        detections: DetectionArrays,
        motion: KalmanFilter,
        parameters: TrackerParameters,
        seconds: float,
        calm: bool,
    ) -> Array:
        """Return the transformation by which the predicted tracks meet their detections best.

        In a scene that is ``calm``, without more motion than the filter expects, a camera that
        was at rest still is.
        """
        if calm and (self._excess <= parameters.camera_excess).all():
            return STATIC
        present = ((state.ids > 0) & (state.missed <= 1.01 * seconds)).nonzero()[0]
        high = (detections.scores >= parameters.high_score).nonzero()[0]
        if min(len(present), len(high)) < parameters.camera_tracks:
            return STATIC
        tracks, seen = state.motion.take(present, -1), detections.boxes.take(high, 1)
        boxes, spread = tracks[0], motion.spread(tracks)
        sudden = spread.copy()
        sudden[:2] += np.square(parameters.camera_spread * boxes[3])
        gaps = distances(boxes, seen, sudden)
        partners = gaps.argmin(axis=1)
        rows = (gaps[np.arange(len(gaps)), partners] < _MAX_DISTANCE).nonzero()[0]
        partners = partners[rows]
        if len(rows) < parameters.camera_tracks:
            return STATIC
        shift = _median(seen[:2, partners] - boxes[:2, rows])
        noise = np.pi / 2 * spread[:2, rows].sum(axis=1) / len(rows) ** 2  # of a median, squared
        weight = 1 - np.exp(-seconds / parameters.camera_memory)
        self._excess += weight * (np.square(shift) / noise - 1 - self._excess)
        excess = np.maximum(self._excess - parameters.camera_excess, 0)
        if not excess.any():
            return STATIC
        return np.column_stack([np.eye(2), shift * excess / (excess + 1)])


class OpticalFlow:
    """Estimates the transformation of the background from frame to frame."""

    def __init__(self) -> None:
        self._last: tuple[_Gray, Array] | None = None

    def estimate(self, image: BgrImage, boxes: Array) -> Array | None:
        """Return the transformation since the last image, None where too little shows it.

        Args:
            image: uint8 [height, width, 3].
            boxes: float64 [n, 4], x1, y1, x2, y2 of the objects in it, which are no background.
        """
        gray, factor = _shrink(image)
        before, self._last = self._last, (gray, boxes / factor)
        if before is None or before[0].shape != gray.shape:
            return None
        transformation = _flow(*before, gray)
        if transformation is not None:
            transformation[:, 2] *= factor
        return transformation


class FrameMotion:
    """The camera's motion from frames, as far as its mode needs it: :data:`CAMERA_MODES`."""

    def __init__(self, mode: CameraMode) -> None:
        if mode not in CAMERA_MODES:
            raise UsageError(
                f"one of {', '.join(CAMERA_MODES)}",
                f"camera '{mode}'",
                "use auto if unsure",
                code="invalid-option-value",
            )
        self.mode = mode
        self._flow = OpticalFlow()
        self._still_s = 0.0  # it may move: look closely at first
        self._unchecked_s = _CHECK_S

    def update(self, image: BgrImage, boxes: Array, seconds: float) -> Array | None:
        """Return the transformation since the last frame, None where the frames do not show it.

        A camera in mode "auto" is looked at in every frame while it moves, else now and then.
        """
        if self.mode == "static":
            return STATIC
        resting = self.mode == "auto" and self._still_s >= _REST_S
        self._unchecked_s += seconds
        if resting and self._unchecked_s < _CHECK_S:
            return None
        several = self._unchecked_s > 1.5 * seconds
        self._unchecked_s = 0.0
        transformation = self._flow.estimate(image, boxes)
        moves = transformation is not None and _movement(transformation, image) > _STILL
        self._still_s = 0.0 if moves else self._still_s + seconds
        return None if several else transformation


def moved(state: TrackState, transformation: Array) -> TrackState:
    """Return the tracks as a camera that moved sees them."""
    if transformation is STATIC:
        return state
    linear, offset = transformation[:, :2], transformation[:, 2:]
    scale = float(np.sqrt(abs(linear[0, 0] * linear[1, 1] - linear[0, 1] * linear[1, 0])))
    motion = state.motion.copy()
    motion[:2, :2] = linear @ motion[:2, :2]
    motion[0, :2] += offset
    motion[:2, 2:] *= scale
    motion[2:] *= scale**2
    return state._replace(motion=motion, trail=linear @ state.trail + offset)


def _median(values: Array) -> Array:
    """Return the median of each row; for short rows five times as fast as NumPy's."""
    ordered, count = np.sort(values), values.shape[1]
    return np.asarray((ordered[:, (count - 1) // 2] + ordered[:, count // 2]) / 2, np.float64)


def _shrink(image: BgrImage) -> tuple[_Gray, int]:
    """Return the image in gray, halved until it is small, and how many times smaller it is.

    OpenCV halves several times as fast as it shrinks by other factors.
    """
    factor = 1
    while max(image.shape[:2]) > _SIDE:
        height, width = (max(length // 2, 1) for length in image.shape[:2])
        whole = image[: 2 * height, : 2 * width]
        image = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        factor *= 2
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), factor  # type: ignore[return-value]


def _flow(before: _Gray, boxes: Array, gray: _Gray) -> Array | None:
    background = np.full(before.shape, 255, np.uint8)
    for x1, y1, x2, y2 in np.maximum(boxes, 0).astype(int).tolist():
        background[y1 : y2 + 1, x1 : x2 + 1] = 0
    points = cv2.goodFeaturesToTrack(before, _POINTS, 0.01, 8, mask=background)
    if points is None or len(points) < _MIN_POINTS:
        return None
    after, tracked, _ = cv2.calcOpticalFlowPyrLK(
        before, gray, points, None, winSize=(11, 11), maxLevel=3,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03),
    )  # type: ignore[call-overload]  # fmt: skip
    good = tracked.ravel() == 1
    if good.sum() < _MIN_POINTS:
        return None
    transformation, inliers = cv2.estimateAffinePartial2D(
        points[good], after[good], method=cv2.RANSAC, ransacReprojThreshold=1.0, maxIters=200
    )
    if transformation is None or inliers.sum() < max(_MIN_POINTS, _MIN_INLIERS * len(points)):
        return None
    if not 1 / _MAX_ZOOM < np.hypot(*transformation[0, :2]) < _MAX_ZOOM:
        return None
    return transformation  # type: ignore[no-any-return]


def _movement(transformation: Array, image: BgrImage) -> float:
    """Return the largest movement of a corner of the image, as a fraction of its longer side."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    after = corners @ transformation[:, :2].T + transformation[:, 2]
    return float(np.hypot(*(after - corners).T).max() / max(height, width))
