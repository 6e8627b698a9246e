"""The task "mirror": beside you, the image of a pose like yours."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from edge import draw
from edge.frame import BgrImage, Frame
from edge.image import read_image
from edge.interpreter import Array, Engine
from edge.results import MatchedPoses, PoseMatch, Poses
from edge.tasks.pose.estimator import SCORE, PoseEstimator, pose
from edge.tasks.pose_match.index import PoseIndex, Progress, build_index
from edge.tasks.pose_match.similarity import keypoint_array
from edge.tasks.settings import TaskSettings


@dataclass(frozen=True, slots=True)
class PoseMatcher:
    """The task "mirror"; see :func:`mirror`."""

    pose: PoseEstimator
    index: PoseIndex = field(repr=False)
    name: str = "mirror"

    @property
    def runtime(self) -> Engine:
        return self.pose.runtime

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.pose.notes, *self.index.notes)

    @property
    def prefetchable(self) -> bool:
        return self.pose.prefetchable

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """The inputs of the model of poses."""
        return self.pose.preprocess(frame)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> MatchedPoses:
        """The people in pixels of the frame, and the closest pose to that of the first."""
        found = self.pose.postprocess(outputs, frame)
        match = self._match(found)
        return MatchedPoses(found.poses, found.events, found.counts, match=match)

    def draw(self, image: BgrImage, result: MatchedPoses) -> BgrImage:
        """The image with its people, and beside it the match, turned round where mirrored."""
        drawn = self.pose.draw(image, result)
        match = result.match
        if match is None:
            return draw.side_by_side(drawn, None, "no person detected")
        place = "" if match.frame is None else f" {match.frame}"
        text = f"{match.name}{place}  {100 * match.similarity:.0f}%"
        return draw.side_by_side(drawn, _image(match.image, match.mirrored), text)

    def fallback_to_cpu(self) -> Self:
        """The same on the CPU.

        Raises:
            DelegateError: there is no model for the CPU.
        """
        return replace(self, pose=self.pose.fallback_to_cpu())

    def settings(self) -> TaskSettings:
        """Those of the pose."""
        return self.pose.settings()

    def with_settings(self, settings: TaskSettings) -> Self:
        """The same with other settings of the pose.

        Raises:
            UsageError: settings that it cannot have.
        """
        return replace(self, pose=self.pose.with_settings(settings))

    def _match(self, found: Poses) -> PoseMatch | None:
        if not found.poses:
            return None
        nearest = self.index.library.nearest(keypoint_array(found.poses[0]))
        if nearest is None:
            return None
        place = self.index.places[nearest.number]
        return PoseMatch(place.name, place.frame, nearest.similarity, nearest.mirrored, place.image)


def mirror(
    address: str,
    model: str | Path | None = None,
    *,
    score: float = SCORE,
    delegate: str = "auto",
    threads: int | None = None,
    say: Callable[[str], None] = print,
    progress: Progress = lambda done, total: None,
) -> PoseMatcher:
    """Show among many poses the one closest to that of the camera's first person.

    The poses are found first, with the same model, and kept in the cache (see
    :mod:`edge.tasks.pose_match.index`). A pose is close if its keypoints are, wherever the person
    stands and however large; its mirror image counts, too, and is shown turned round.

    Args:
        address: a folder or pattern of images, or a video.
        model, score, delegate, threads, say: see :func:`edge.tasks.pose.estimator.pose`.
        progress: told how many images or frames are done, and how many there are.

    Raises:
        SourceError: there are no images, or nobody is in them.
        UsageError: a camera in place of images, or a value out of range.
        ModelError, DelegateError, DownloadError: the model cannot be had or run.
        OutputError: the cache cannot be written.
    """

    def opened() -> PoseEstimator:
        return pose(model, count=(), score=score, delegate=delegate, threads=threads, say=say)

    live = opened()  # one for the stream alone: it remembers what it saw last
    return PoseMatcher(live, build_index(address, live.network.path, opened, progress))


@lru_cache(maxsize=32)
def _image(path: Path, mirrored: bool) -> BgrImage:
    """An image of the index, BGR, turned round if asked for."""
    bgr = cv2.cvtColor(read_image(path), cv2.COLOR_RGB2BGR)
    return np.asarray(cv2.flip(bgr, 1) if mirrored else bgr, np.uint8)
