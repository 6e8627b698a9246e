"""Heads of detectors: from a model's raw outputs to boxes, recognized by their shapes."""

from typing import Protocol

from edge.interpreter import Array, Runtime
from edge.tasks.detect.heads import ssd, yolo
from edge.tasks.detect.heads.nms import Candidates


class DetectionHead(Protocol):
    """``classes``: how many it tells apart, None where the outputs do not say; ``letterbox``: the
    image keeps its proportions; ``suppresses``: overlapping boxes are gone already.
    """

    @property
    def classes(self) -> int | None: ...

    @property
    def letterbox(self) -> bool: ...

    @property
    def suppresses(self) -> bool: ...

    def __call__(self, outputs: tuple[Array, ...], least: float) -> Candidates:
        """The candidates with a score of at least ``least``."""


def match_head(runtime: Runtime) -> DetectionHead | None:
    """The head of a model; None where no known one fits its outputs."""
    return ssd.match_head(runtime) or yolo.match_head(runtime)
