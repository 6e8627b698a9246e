"""The task "mirror": a person next to the image with the most similar pose."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from edge import draw
from edge.frame import BgrImage, Frame
from edge.interpreter import Array, Engine
from edge.modelfile.normalization import Levels
from edge.results import MatchedPoses, PoseMatch, Poses
from edge.tasks.pose.estimator import PoseEstimator
from edge.tasks.pose_match.index import PoseIndex, Progress, build_index
from edge.tasks.pose_match.similarity import keypoint_array
from edge.tasks.task import SingleImage, TaskSettings


@dataclass(frozen=True, slots=True)
class PoseMatcher(SingleImage):
    """The task "mirror": finds the most similar pose among many; see :meth:`open`.

    Attributes:
        pose: estimates the poses.
        index: poses to choose from.
    """

    pose: PoseEstimator
    index: PoseIndex = field(repr=False)
    name: str = "mirror"

    @classmethod
    def open(
        cls,
        index: str | Path,
        model: str | Path | None = None,
        *,
        threshold: float | None = None,
        delegate: str = "auto",
        threads: int | None = None,
        mean: Levels | None = None,
        std: Levels | None = None,
        say: Callable[[str], None] = print,
        progress: Progress = lambda done, total: None,
    ) -> Self:
        """Estimate the poses of many images, and find the one most similar to a person's.

        The poses of the index are estimated with the same model, and cached (see
        :mod:`edge.tasks.pose_match.index`). Position and size do not affect the similarity; a
        mirror image counts as well, and is drawn flipped.

        Args:
            index: a directory or glob of images, or a video.
            model: path or name of a pose model, see :meth:`edge.PoseEstimator.open`.
            threshold: minimum score of a keypoint.
            delegate: where the model runs.
            threads: number of CPU threads.
            mean: mean of the pixels, see :meth:`edge.PoseEstimator.open`.
            std: standard deviation of the pixels.
            say: called with sentences for the user.
            progress: called with the numbers of images or frames that are done, and of all.

        Raises:
            SourceError: there are no images, or nobody is in them.
            UsageError: a camera in place of images, or a value out of range.
            ModelError, DelegateError, DownloadError: the model cannot be had or run.
            OutputError: the cache cannot be written.
        """

        def open_estimator() -> PoseEstimator:
            return PoseEstimator.open(
                model, count=(), threshold=threshold, delegate=delegate, threads=threads,
                mean=mean, std=std, say=say,
            )  # fmt: skip

        live = open_estimator()  # an estimator for the stream alone: it keeps state
        poses = build_index(
            str(index), live.model.path, open_estimator, progress, live.model.normalization
        )
        return cls(live, poses)

    @property
    def runtime(self) -> Engine:
        """Runtime of the pose model."""
        return self.pose.runtime

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of the pose model and of the index."""
        return (*self.pose.notes, *self.index.notes)

    @property
    def prefetchable(self) -> bool:
        """True where a frame's inputs do not depend on the result before."""
        return self.pose.prefetchable

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the inputs of the pose model for a frame."""
        return self.pose.preprocess(frame)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> MatchedPoses:
        """Return people in pixels of the frame, and the pose most similar to the first one's."""
        result = self.pose.postprocess(outputs, frame)
        return MatchedPoses(result.poses, result.events, result.counts, match=self._match(result))

    def draw(self, image: BgrImage, result: MatchedPoses) -> BgrImage:
        """Return an image twice as wide: the people, and next to them the match."""
        return draw.matched_poses(image, result, self.pose.threshold)

    def fallback_to_cpu(self) -> Self:
        """Return this task on the CPU.

        Raises:
            DelegateError: there is no model for the CPU.
        """
        return replace(self, pose=self.pose.fallback_to_cpu())

    def settings(self) -> TaskSettings:
        """Return the settings of the pose estimator."""
        return self.pose.settings()

    def with_settings(self, settings: TaskSettings) -> Self:
        """Return this task with other settings of the pose estimator.

        Raises:
            UsageError: settings that it cannot have.
        """
        return replace(self, pose=self.pose.with_settings(settings))

    def _match(self, result: Poses) -> PoseMatch | None:
        if not result.poses:
            return None
        nearest = self.index.database.nearest(keypoint_array(result.poses[0]))
        if nearest is None:
            return None
        location = self.index.locations[nearest.number]
        return PoseMatch(
            location.name, location.frame, nearest.similarity, nearest.mirrored, location.image
        )
