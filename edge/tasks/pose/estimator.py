"""The task "pose": people's keypoints, the angles of their joints, and exercises counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from edge import draw, registry
from edge.errors import DelegateError, EdgeError, ModelError, UsageError
from edge.frame import BgrImage, Frame
from edge.interpreter import Array, Engine
from edge.results import Poses
from edge.tasks.pose import bundle, exercises
from edge.tasks.pose.network import PoseModel
from edge.tasks.pose.repetitions import RepetitionCounter
from edge.tasks.settings import TaskSettings, check_score

SCORE = 0.3
"""Least score of a keypoint that is drawn and makes angles."""

MOVENET = "movenet_lightning"
"""Its name in the registry."""


@dataclass(frozen=True, slots=True)
class PoseEstimator:
    """The task "pose"; see :func:`pose`."""

    network: PoseModel
    notes: tuple[str, ...]
    score: float
    _counter: RepetitionCounter | None = field(repr=False)
    name: str = "pose"

    @property
    def runtime(self) -> Engine:
        return self.network.engine

    @property
    def prefetchable(self) -> bool:
        return self.network.prefetchable

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """The model's inputs of a frame."""
        return self.network.preprocess(frame)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Poses:
        """People in pixels of the frame, and the repetitions that are complete with it."""
        found = self.network.poses(outputs, frame, self.score)
        if self._counter is None:
            return Poses(found)
        events = self._counter.update(found, frame.time_s)
        return Poses(found, events, self._counter.counts)

    def draw(self, image: BgrImage, result: Poses) -> BgrImage:
        """Draw skeletons, angles and counts."""
        draw.poses(image, result, self.score)
        return image

    def settings(self) -> TaskSettings:
        """The least score of a keypoint; there are no classes to choose."""
        return TaskSettings(self.score, None, ())

    def with_settings(self, settings: TaskSettings) -> Self:
        """The same with another score; people are followed and counted on.

        Raises:
            UsageError: classes, or a score out of range.
        """
        if settings.classes is not None:
            raise UsageError(
                "no classes",
                str(settings.classes),
                "omit them",
                code="classes-not-supported",
                summary="poses have no classes to choose from",
            )
        return replace(self, score=check_score(settings.score))

    def fallback_to_cpu(self) -> Self:
        """The same on the CPU.

        Raises:
            DelegateError: there is no model for the CPU beside this one.
        """
        return replace(self, network=self.network.fallback_to_cpu())


def pose(
    model: str | Path | None = None,
    *,
    people: int = 1,
    score: float = SCORE,
    count: Sequence[str] = ("all",),
    rules: str | Path | None = None,
    delegate: str = "auto",
    threads: int | None = None,
    say: Callable[[str], None] = print,
) -> PoseEstimator:
    """Open a model of poses for a stream.

    Args:
        model: a .task of MediaPipe, a .tflite of MoveNet, or a name of the registry; by default
            MediaPipe's from its installed package, or as pulled before, and MoveNet where that
            cannot be had, with a note that says why.
        people: how many to look for at most; MoveNet finds one.
        score: least score of a keypoint that is drawn and makes angles, 0 to 1.
        count: names of the exercises that are counted; ["all"], or [] or ["none"].
        rules: a TOML file of exercises instead of those that are shipped (see
            :mod:`edge.tasks.pose.exercises`).
        delegate: "auto", "cpu" or "edgetpu"; MediaPipe runs on the CPU.
        threads: CPU threads of MoveNet.
        say: told before a model is downloaded.

    Raises:
        UsageError: a value out of range, or exercises that are not known.
        ModelError: no such model, or one of another kind.
        DelegateError: no MediaPipe for a .task, no interpreter, or no Edge TPU for a model that
            needs one.
        DownloadError, OutputError: a model of the registry cannot be had.
    """
    check_score(score)
    if people < 1:
        raise UsageError(
            "at least one person", str(people), "use --people 1", code="invalid-option-value"
        )
    known = exercises.read(exercises.SHIPPED if rules is None else Path(rules))
    counted = exercises.chosen(known, count)
    network, notes = _network(model, people, delegate, threads, say)
    counter = RepetitionCounter(counted) if counted else None
    return PoseEstimator(network, (*notes, *network.notes), score, counter)


def _network(
    model: str | Path | None,
    people: int,
    delegate: str,
    threads: int | None,
    say: Callable[[str], None],
) -> tuple[PoseModel, tuple[str, ...]]:
    """The model, and what there is to say about its choice."""
    if model is not None or delegate == "edgetpu":  # MediaPipe does not run there
        path = registry.resolve_model(model or MOVENET, say, delegate)
        return _open(path, people, delegate, threads), ()
    try:
        return _open(bundle.default_bundle(), people, delegate, threads), ()
    except (DelegateError, ModelError) as error:
        why = f"(found {error.found}; {error.fix})"
    try:
        path = registry.resolve_model(MOVENET, say, delegate)
        network = _open(path, people, delegate, threads)
    except EdgeError as error:
        found = f"{error.found}, and MediaPipe cannot be used either {why}"
        raise type(error)(error.expected, found, error.fix, code=error.code) from None
    return network, (f"using MoveNet instead of MediaPipe {why}",)


def _open(path: Path, people: int, delegate: str, threads: int | None) -> PoseModel:
    if bundle.is_bundle(path):
        if delegate == "edgetpu":
            raise DelegateError(
                "a model compiled for the Edge TPU",
                f"{path}",
                f"use --model {MOVENET}",
                code="model-not-for-edgetpu",
            )
        from edge.tasks.pose.mediapipe import open_mediapipe

        return open_mediapipe(path, people, threads)
    if people > 1:
        raise UsageError(
            "one person with MoveNet",
            f"--people {people}",
            "use MediaPipe: choose a .task file with --model",
            code="people-not-supported",
        )
    from edge.tasks.pose.movenet import open_movenet

    return open_movenet(path, delegate=delegate, threads=threads)
