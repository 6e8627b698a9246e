"""MediaPipePose's poses: several people, 33 keypoints with depth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import Frame
from edge.interpreter import Array
from edge.results import Keypoint, Pose
from edge.tasks.pose import bundle
from edge.tasks.pose.angles import angles
from edge.tasks.pose.keypoints import MEDIAPIPE
from edge.tasks.pose.landmarker import PoseLandmarker


@dataclass(frozen=True, slots=True)
class MediaPipePose:
    """MediaPipePose's pose landmarker at work on a stream; it follows people by itself."""

    engine: PoseLandmarker
    notes: tuple[str, ...]
    path: Path
    prefetchable: bool = True

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """The frame as RGB, and its time in ms where it is one of a stream."""
        rgb = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB), np.uint8)
        if frame.name:  # images with names of their own have nothing to do with the last
            return (rgb,)
        return rgb, np.array([round(1000 * frame.time_s)], np.int64)

    def poses(self, outputs: tuple[Array, ...], frame: Frame, min_score: float) -> tuple[Pose, ...]:
        """People in pixels of the frame; angles are those in the room, from any point of view."""
        height, width = frame.image.shape[:2]
        return tuple(
            _pose(landmarks, room, (width, height, width), min_score)
            for landmarks, room in zip(*outputs, strict=True)
        )

    def fallback_to_cpu(self) -> Self:
        """The same: it runs on the CPU."""
        return self


def open_mediapipe(path: Path, people: int, threads: int | None) -> MediaPipePose:
    """Open a bundle (.task) of MediaPipe's pose landmarker.

    Of ``threads``, a note says that MediaPipe takes none.

    Raises:
        ModelError: it is none, or MediaPipe refuses it.
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
    room: NDArray[np.float32],
    scale: tuple[int, int, int],
    min_score: float,
) -> Pose:
    places = (landmarks[:, :3].astype(np.float64) * scale).tolist()
    scores = np.clip(landmarks[:, 3], 0, 1)
    seen = {
        name: place
        for name, place, sure in zip(MEDIAPIPE, room, scores >= min_score, strict=True)
        if sure
    }
    keypoints = tuple(
        Keypoint(name, x, y, score, z)
        for name, (x, y, z), score in zip(MEDIAPIPE, places, scores.tolist(), strict=True)
    )
    return Pose(float(scores.mean()), keypoints, angles(seen))
