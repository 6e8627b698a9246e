"""Classification of a stream: what the camera shows, without flicker."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge import draw
from edge.errors import UsageError
from edge.frame import BgrImage, Frame
from edge.interpreter import Array, Runtime
from edge.results import Classification
from edge.tasks.classify import scores as classify
from edge.tasks.classify.model import ClassifierModel, open_model
from edge.tasks.classify.scores import Scores
from edge.tasks.loading import cpu_fallback_path
from edge.tasks.settings import TaskSettings, check_score, class_indices, distinct

SMOOTHING = 0.25
"""Seconds over which scores are averaged."""


class _Average:
    """An exponential average of scores over time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._scores: Scores | None = None
        self._time = 0.0

    def __call__(self, scores: Scores, time_s: float) -> Scores:
        passed = time_s - self._time
        if self._scores is None or self._seconds == 0 or passed < 0:
            mixed = scores
        else:
            kept = math.exp(-passed / self._seconds)
            mixed = (kept * self._scores + (1 - kept) * scores).astype(np.float32)
        self._scores, self._time = mixed, time_s
        return mixed


@dataclass(frozen=True, slots=True)
class Classifier:
    """The task "classify"; see :func:`classifier`.

    ``wanted``: indices of the classes that are looked at, None for all.
    """

    model: ClassifierModel
    top: int
    average: _Average = field(repr=False)
    path: Path
    name: str = "classify"
    prefetchable: bool = True
    wanted: NDArray[np.int64] | None = None

    @property
    def runtime(self) -> Runtime:
        return self.model.runtime

    @property
    def notes(self) -> tuple[str, ...]:
        return self.model.notes

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """The model's input of a frame."""
        stretched = self.model.preprocessing.resize(frame.image)
        rgb = np.asarray(cv2.cvtColor(stretched, cv2.COLOR_BGR2RGB), np.uint8)
        return (self.model.input_of(rgb),)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Classification:
        """The best classes. Images with names of their own have nothing to do with the last."""
        scores = self.model.scores_from(outputs[0])
        if not frame.name:
            scores = self.average(scores, frame.time_s)
        model = self.model
        return classify.best(scores, model.labels, self.top, model.threshold, self.wanted)

    def draw(self, image: BgrImage, result: Classification) -> BgrImage:
        """Draw the classes into a corner of the image."""
        draw.classification(image, result)
        return image

    def settings(self) -> TaskSettings:
        """The threshold, 0 where there is none, and the classes that are looked at."""
        labels = self.model.labels
        chosen = None if self.wanted is None else distinct([labels[i] for i in self.wanted])
        return TaskSettings(self.model.threshold or 0.0, chosen, distinct(labels))

    def with_settings(self, settings: TaskSettings) -> Self:
        """The same with another threshold, 0 for none, and other classes.

        Raises:
            UsageError: no such class, or a score out of range.
        """
        threshold = check_score(settings.score) or None
        names = settings.classes
        wanted = None if names is None else class_indices(names, self.model.labels)
        return replace(self, model=replace(self.model, threshold=threshold), wanted=wanted)

    def fallback_to_cpu(self) -> Self:
        """The same on the CPU.

        Raises:
            DelegateError: there is no model for the CPU beside this one.
        """
        other = cpu_fallback_path(self.path)
        opened = open_model(other, delegate="cpu", threads=self.runtime.threads)
        same = replace(opened, labels=self.model.labels, threshold=self.model.threshold)
        return replace(self, model=same, path=other)


def classifier(
    model: str | Path,
    *,
    labels: str | Path | None = None,
    top: int = 3,
    threshold: float | None = None,
    smoothing: float = SMOOTHING,
    delegate: str = "auto",
    threads: int | None = None,
) -> Classifier:
    """Open a classifier for a stream.

    Args:
        model, labels, threshold, delegate, threads: see :func:`edge.open_model`.
        top: classes in a result.
        smoothing: seconds over which scores are averaged, so that the answer does not flicker;
            0 for none.

    Raises:
        UsageError: a value out of range.
        ModelError, LabelsError, DelegateError: see :func:`edge.open_model`.
    """
    if not 0 <= smoothing < math.inf:
        raise UsageError(
            "a smoothing of at least 0 s",
            f"{smoothing:g} s",
            "use --smoothing 0.25",
            code="invalid-option-value",
        )
    opened = open_model(
        model, labels=labels, threshold=threshold, delegate=delegate, threads=threads
    )
    return Classifier(opened, top, _Average(smoothing), Path(model))
