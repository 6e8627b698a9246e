"""The task "pose": keypoints of people, angles of their joints, and counts of exercises."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol, Self

from edge import draw, registry
from edge.errors import DelegateError, EdgeError, ModelError, UsageError
from edge.frame import BgrImage, Frame
from edge.interpreter import Array, Engine
from edge.modelfile.normalization import Levels, Normalization, normalization
from edge.results import Pose, Poses
from edge.tasks.pose import bundle, exercises
from edge.tasks.pose.exercises import RepetitionCounter
from edge.tasks.task import SingleImage, TaskSettings, check_score

THRESHOLD = draw.MIN_KEYPOINT_SCORE
"""Minimum score of a keypoint that is drawn and used for angles."""

MOVENET = "movenet_lightning"
"""Name of MoveNet in the registry."""


class PoseModel(Protocol):
    """A model of poses, MoveNet or MediaPipe; members as in :class:`edge.tasks.task.Task`."""

    @property
    def engine(self) -> Engine:
        """Runtime of the model."""

    @property
    def path(self) -> Path:
        """Path of the model file."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about the model."""

    @property
    def normalization(self) -> Normalization | None:
        """Normalization of pixels that the user chose, None for the model's own."""

    @property
    def prefetchable(self) -> bool:
        """True where a frame's inputs do not depend on the result before."""

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the model's inputs for a frame."""

    def poses(self, outputs: tuple[Array, ...], frame: Frame, min_score: float) -> tuple[Pose, ...]:
        """Return people in pixels of the frame; angles use keypoints from ``min_score`` on."""

    def fallback_to_cpu(self) -> Self:
        """Return this model on the CPU."""


@dataclass(frozen=True, slots=True)
class PoseEstimator(SingleImage):
    """The task "pose": finds people and their keypoints; see :meth:`open`.

    >>> estimator = PoseEstimator.open("movenet.tflite")
    >>> [pose.keypoints[0].name for pose in estimator.predict("red.png").poses]
    ['nose']

    Attributes:
        model: finds the keypoints.
        notes: sentences for the user about what was assumed or fell back.
        threshold: minimum score of a keypoint that is drawn and used for angles.
    """

    model: PoseModel
    notes: tuple[str, ...]
    threshold: float
    _counter: RepetitionCounter | None = field(repr=False)
    name: str = "pose"

    @classmethod
    def open(
        cls,
        model: str | Path | None = None,
        *,
        threshold: float | None = None,
        delegate: str = "auto",
        threads: int | None = None,
        people: int = 1,
        count: Sequence[str] = ("all",),
        rules: str | Path | None = None,
        mean: Levels | None = None,
        std: Levels | None = None,
        say: Callable[[str], None] = print,
    ) -> Self:
        """Open a pose model.

        Args:
            model: the path of a .task file of MediaPipe or a .tflite file of MoveNet, or a name
                from ``edge models list``; by default MediaPipe's from its installed package, or as
                pulled before, and MoveNet where that cannot be had, with a note that says why.
            threshold: minimum score of a keypoint that is drawn and makes angles, 0 to 1; by
                default 0.3.
            delegate: "auto", "cpu" or "edgetpu"; MediaPipe runs on the CPU.
            threads: CPU threads of MoveNet.
            people: maximum number of people; MoveNet finds one.
            count: names of the exercises that are counted in a stream; ["all"], or [] or ["none"].
            rules: a TOML file of exercises instead of the built-in ones (see
                :mod:`edge.tasks.pose.exercises`).
            mean: mean of the pixels that a .tflite file takes, 0 to 255: one number, or three for
                R, G, B; by default that of ``MODEL.toml`` next to the model, else MoveNet gets
                pixels as they are.
            std: standard deviation, as ``mean``: a pixel p means (p - mean) / std to the model.
            say: called with a sentence before a model is downloaded.

        Raises:
            UsageError: a value out of range, or unknown exercises.
            ModelError: no such model, or one for another task.
            DelegateError: no MediaPipe for a .task file, no interpreter, or no Edge TPU for a
                model that needs one.
            DownloadError, OutputError: a model of the registry cannot be had.
        """
        minimum = check_score(THRESHOLD if threshold is None else threshold)
        if people < 1:
            raise UsageError(
                "at least one person", str(people), "use --people 1", code="invalid-option-value"
            )
        known = exercises.read(exercises.SHIPPED if rules is None else Path(rules))
        counted = exercises.chosen(known, count)
        opener = partial(
            _open, people=people, delegate=delegate, threads=threads,
            given=normalization(mean, std),
        )  # fmt: skip
        opened, notes = _open_or_default(model, delegate, opener, say)
        counter = RepetitionCounter(counted) if counted else None
        return cls(opened, (*notes, *opened.notes), minimum, counter)

    @property
    def runtime(self) -> Engine:
        """Runtime of the model."""
        return self.model.engine

    @property
    def prefetchable(self) -> bool:
        """True where a frame's inputs do not depend on the result before."""
        return self.model.prefetchable

    def predict(self, image: BgrImage | str | Path) -> Poses:
        """Find the people in one image, independent of others; exercises are not counted.

        Args and errors as in :meth:`edge.tasks.task.SingleImage.predict`.
        """
        return SingleImage.predict(replace(self, _counter=None), image)

    def preprocess(self, frame: Frame) -> tuple[Array, ...]:
        """Return the model's inputs for a frame."""
        return self.model.preprocess(frame)

    def postprocess(self, outputs: tuple[Array, ...], frame: Frame) -> Poses:
        """Return people in pixels of the frame, and the repetitions that it completes."""
        poses = self.model.poses(outputs, frame, self.threshold)
        if self._counter is None:
            return Poses(poses)
        events = self._counter.update(poses, frame.time_s)
        return Poses(poses, events, self._counter.counts)

    def draw(self, image: BgrImage, result: Poses) -> BgrImage:
        """Draw skeletons, angles and counts, in place."""
        draw.poses(image, result, self.threshold)
        return image

    def settings(self) -> TaskSettings:
        """Return the minimum score of a keypoint; there are no classes to choose."""
        return TaskSettings(self.threshold, None, ())

    def with_settings(self, settings: TaskSettings) -> Self:
        """Return this task with another threshold; tracking and counting go on.

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
        return replace(self, threshold=check_score(settings.score))

    def fallback_to_cpu(self) -> Self:
        """Return this task on the CPU.

        Raises:
            DelegateError: there is no model for the CPU next to this one.
        """
        return replace(self, model=self.model.fallback_to_cpu())


def _open_or_default(
    model: str | Path | None,
    delegate: str,
    opener: Callable[[Path], PoseModel],
    say: Callable[[str], None],
) -> tuple[PoseModel, tuple[str, ...]]:
    """Return the model, and notes about its choice."""
    if model is not None or delegate == "edgetpu":  # MediaPipe does not run there
        path = registry.resolve_model(model or MOVENET, say, delegate)
        return opener(path), ()
    try:
        return opener(bundle.default_bundle()), ()
    except (DelegateError, ModelError) as error:
        why = f"(found {error.found}; {error.fix})"
    try:
        path = registry.resolve_model(MOVENET, say, delegate)
        movenet = opener(path)
    except EdgeError as error:
        both = f"{error.found}, and MediaPipe cannot be used either {why}"
        raise type(error)(error.expected, both, error.fix, code=error.code) from None
    return movenet, (f"using MoveNet instead of MediaPipe {why}",)


def _open(
    path: Path, people: int, delegate: str, threads: int | None, given: Normalization | None
) -> PoseModel:
    if bundle.is_bundle(path):
        if given is not None:
            raise UsageError(
                "no --mean and --std with a .task file, which contains its normalization",
                f"both with {path}",
                "leave them out, or use --model movenet_lightning",
                code="normalization-not-supported",
            )
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

    return open_movenet(path, delegate=delegate, threads=threads, given=given)
