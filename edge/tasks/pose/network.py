"""What finds people's keypoints: MoveNet or MediaPipe."""

from pathlib import Path
from typing import Protocol, Self

from edge.frame import Frame
from edge.interpreter import Array, Engine
from edge.results import Pose


class PoseModel(Protocol):
    """One of the models of poses; the members mean what they mean in :class:`edge.tasks.Task`."""

    @property
    def engine(self) -> Engine: ...

    @property
    def path(self) -> Path: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def prefetchable(self) -> bool: ...

    def preprocess(self, frame: Frame) -> tuple[Array, ...]: ...

    def poses(self, outputs: tuple[Array, ...], frame: Frame, least: float) -> tuple[Pose, ...]:
        """People in pixels of the frame; ``least``: score of keypoints that make angles."""

    def fallback_to_cpu(self) -> Self: ...
