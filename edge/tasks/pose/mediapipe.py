"""MediaPipe's pose landmarker: several people, 33 keypoints with depth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import Frame
from edge.image import WARP_LIMIT, downscale
from edge.interpreter import Array
from edge.results import Keypoint, Pose
from edge.tasks.pose import bundle
from edge.tasks.pose.keypoints import MEDIAPIPE, angles
from edge.tasks.pose.landmarker import PoseLandmarker


@dataclass(frozen=True, slots=True)
class MediaPipePose:
    """MediaPipe's pose landmarker, which tracks people itself; see ``PoseModel``."""

    engine: PoseLandmarker
    notes: tuple[str, ...]
    path: Path
    prefetchable: bool = True
    normalization: None = None  # it is in the bundle

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the frame, uint8 RGB [height, width, 3], and in a stream its time in ms."""
        image = downscale(frame.image, WARP_LIMIT)  # MediaPipe would abort
        rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        if frame.name:  # images with a name are independent
            return (rgb,)
        return rgb, np.array([round(1000 * frame.time_s)], np.int64)

    def poses(self, outputs: tuple[Array, ...], frame: Frame, min_score: float) -> tuple[Pose, ...]:
        """Return people in pixels of the frame; angles are in 3D, for any point of view."""
        height, width = frame.image.shape[:2]
        return tuple(
            _pose(landmarks, world, (width, height, width), min_score)
            for landmarks, world in zip(*outputs, strict=True)
        )

    def fallback_to_cpu(self) -> Self:
        """Return this model, which runs on the CPU."""
        return self


def open_mediapipe(path: Path, people: int, threads: int | None) -> MediaPipePose:
    """Open a bundle (.task) of MediaPipe's pose landmarker.

    If ``threads`` are given, a note says that MediaPipe ignores them.

    Raises:
        ModelError: the file is no such bundle, or MediaPipe rejects it.
        DelegateError: MediaPipe is not installed.
    """
    engine = PoseLandmarker(bundle.read(path), str(path), people)
    notes = (
        ()
        if threads is None
        else ("MediaPipe ignores --threads and chooses its number of threads itself",)
    )
    return MediaPipePose(engine, notes, path)


def _pose(
    landmarks: NDArray[np.float32],
    world: NDArray[np.float32],
    scale: tuple[int, int, int],
    min_score: float,
) -> Pose:
    points = (landmarks[:, :3].astype(np.float64) * scale).tolist()
    scores = np.clip(landmarks[:, 3], 0, 1)
    visible = {
        name: point
        for name, point, is_visible in zip(MEDIAPIPE, world, scores >= min_score, strict=True)
        if is_visible
    }
    keypoints = tuple(
        Keypoint(name, x, y, score, z)
        for name, (x, y, z), score in zip(MEDIAPIPE, points, scores.tolist(), strict=True)
    )
    return Pose(float(scores.mean()), keypoints, angles(visible))
