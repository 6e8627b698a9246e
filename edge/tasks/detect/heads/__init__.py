"""Detection heads: from a model's raw outputs to boxes, recognized by their shapes."""

from typing import Protocol

from edge.interpreter import Array, Runtime
from edge.tasks.detect.heads import ssd, yolo
from edge.tasks.detect.heads.yolo import Candidates


class DetectionHead(Protocol):
    """Decodes a model's outputs to candidate detections."""

    @property
    def classes(self) -> int | None:
        """Number of classes, None if the outputs do not show it."""

    @property
    def letterbox(self) -> bool:
        """True where the image keeps its aspect ratio in the model's input."""

    @property
    def suppresses(self) -> bool:
        """True where the model suppresses overlapping boxes itself."""

    def __call__(self, outputs: tuple[Array, ...], min_score: float) -> Candidates:
        """Return the candidates with a score of at least ``min_score``."""


def match_head(runtime: Runtime) -> DetectionHead | None:
    """Return the head of a model; None where no known head fits its outputs."""
    return ssd.match_head(runtime) or yolo.match_head(runtime)
