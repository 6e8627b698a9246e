"""The interface of a task, its settings that may change while it runs, and single images."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError, UsageError, check_list, did_you_mean
from edge.frame import BgrImage, Frame
from edge.image import as_image
from edge.interpreter import Array, Engine
from edge.results import Result
from edge.tracking.boundaries import Boundary, to_option

_NUMBERED = re.compile(r"background|class \d+")
"""Labels that a task gives the classes of a model without labels."""

_MAX_LISTED = 10
"""Labels that an error lists."""


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """Settings of a task.

    Attributes:
        score: Minimum score of a result, None where the task has no threshold.
        classes: Names of the reported classes, None for all.
        labels: Names to choose classes from, () where there is nothing to choose.
        boundaries: Lines and zones whose crossings are counted, None where the task counts none.
    """

    score: float | None
    classes: tuple[str, ...] | None
    labels: tuple[str, ...]
    boundaries: tuple[Boundary, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"score", "classes", "boundaries"}``, plain values for JSON.

        Each boundary has its kind, name, points and the option of the command line.
        """
        return {
            "score": self.score,
            "classes": None if self.classes is None else list(self.classes),
            "boundaries": None
            if self.boundaries is None
            else [
                {
                    "kind": boundary.kind,
                    "name": boundary.name,
                    "points": [list(point) for point in boundary.points],
                    "option": to_option(boundary),
                }
                for boundary in self.boundaries
            ],
        }


def check_score(score: float | None) -> float:
    """Return a valid score, from 0 to 1.

    Raises:
        UsageError: it is not valid.
    """
    if score is None or not (math.isfinite(score) and 0 <= score <= 1):
        raise UsageError(
            "a score from 0 to 1",
            str(score),
            "use a score such as 0.4",
            code="invalid-option-value",
        )
    return score


def check_finite(values: NDArray[Any]) -> None:
    """Check the numbers, of any shape, that a model computed.

    Raises:
        ModelError: one is NaN or infinite.
    """
    if not np.isfinite(values).all():
        raise ModelError(
            "finite scores and positions",
            "NaN or infinity among the model's outputs",
            "use another variant of the model, such as int8, or convert it again",
            code="output-not-finite",
        )


def check_classes(classes: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    """Return the names of classes, which all have to be in ``labels``.

    A name with commas ("cat, domestic") may come in the parts that a comma-separated list made
    of it.

    Raises:
        UsageError: a name is not, or there are no names.
    """
    check_list("classes", classes)
    if not classes:
        raise UsageError(
            "at least one class", "none", "choose one or all classes", code="no-classes"
        )
    known = frozenset(labels)
    names = classes if known.issuperset(classes) else _rejoin(classes, labels)
    if not known.issuperset(names) and all(map(_NUMBERED.fullmatch, labels)):
        raise UsageError(
            "a model with labels for --classes",
            f"one whose classes are only numbered, and --classes {','.join(classes)}",
            "name them with --labels FILE",
            code="classes-without-labels",
            summary=f"the model has no labels, so that --classes {','.join(classes)} names none",
        )
    for name in names:
        if name not in known:
            fix = did_you_mean(name, labels, f"choose from {_some(labels)}")
            raise UsageError("a class of the model", f"'{name}'", fix, code="unknown-class")
    return tuple(names)


def _some(labels: Sequence[str]) -> str:
    """List the labels, or the first ones where there are many."""
    names = distinct(labels)
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return f"{', '.join(names[:_MAX_LISTED])}{more}"


def _rejoin(parts: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Put the parts of labels with commas together again, the longest label first."""
    whole = {
        tuple(part.strip() for part in label.split(",") if part.strip()): label
        for label in labels
        if "," in label
    }
    longest = max(map(len, whole), default=0)
    names, at = [], 0
    while at < len(parts):
        sizes = range(min(longest, len(parts) - at), 0, -1)
        size = next((n for n in sizes if tuple(parts[at : at + n]) in whole), 1)
        names.append(whole.get(tuple(parts[at : at + size]), parts[at]))
        at += size
    return names


def class_indices(classes: Sequence[str], labels: Sequence[str]) -> NDArray[np.int64]:
    """Return the ascending indices of classes; a repeated label stands for all of its indices.

    Raises:
        UsageError: as :func:`check_classes`.
    """
    chosen = check_classes(classes, labels)
    return np.array([i for i, label in enumerate(labels) if label in chosen], np.int64)


def distinct(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels without repetitions, for :class:`TaskSettings`."""
    return tuple(dict.fromkeys(labels))


class Task(Protocol):
    """A model that processes the frames of a stream."""

    @property
    def name(self) -> str:
        """Name of the task: "classify", "detect", "track", …."""

    @property
    def runtime(self) -> Engine:
        """Runtime of the model."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about what was assumed or fell back."""

    @property
    def prefetchable(self) -> bool:
        """True where a frame's inputs do not depend on the result before.

        Inputs are then prepared while the model runs.
        """

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the model's inputs for a frame; called in another thread if ``prefetchable``."""

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Result:
        """Return the result in pixels of the frame; called in order, and may keep state."""

    def draw(self, image: BgrImage, result: Any) -> BgrImage:
        """Draw a result of this task on its image, uint8 BGR; called in another thread.

        The image is changed in place, or another one is returned, always of the same size for
        frames of the same size.
        """

    def settings(self) -> TaskSettings:
        """Return the settings that may change while the task runs."""

    def with_settings(self, settings: TaskSettings) -> Self:
        """Return this task with other settings and the same state.

        Raises:
            UsageError: settings that it cannot have.
        """

    def fallback_to_cpu(self) -> Self:
        """Return this task on the CPU, for when its delegate fails.

        Raises:
            DelegateError: there is no such model for the CPU.
        """


ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)


class _ImageTask(Protocol[ResultT_co]):
    """The part of a task that :class:`SingleImage` needs."""

    @property
    def runtime(self) -> Engine: ...

    def preprocess(self, frame: Frame) -> tuple[Array, ...]: ...

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> ResultT_co: ...


class SingleImage:
    """Mixin for tasks: predicts the result for one image."""

    __slots__ = ()

    def predict(self: _ImageTask[ResultT], image: BgrImage | str | Path) -> ResultT:
        """Run the model on one image.

        Args:
            image: uint8 [height, width, 3] in BGR order, as OpenCV reads it, or the path of a
                JPEG, PNG, BMP, WebP, TIFF, JPEG 2000 or PNM file.

        Returns:
            The result, in pixels of the image where it has coordinates.

        Raises:
            ImageError: the file cannot be read, or the array is no such image.
            ModelError: the model fails.
        """
        name = "image" if not isinstance(image, str | Path) else str(image)
        # A frame with a name is independent of the one before: nothing is averaged over time.
        frame = Frame(0, 0.0, as_image(image), name)
        return self.postprocess(self.runtime.invoke(*self.preprocess(frame)), frame)
