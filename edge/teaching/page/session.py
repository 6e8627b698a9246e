"""Session: the state of teaching, changed by visitors, frames and finished lessons.

It knows neither threads nor the web; whoever runs it calls it from one thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge.errors import EdgeError, OutputError, UsageError
from edge.frame import Frame
from edge.quantities import counted
from edge.results import Classification
from edge.tasks.classify.classifier import Classifier
from edge.teaching.assessment import Assessment
from edge.teaching.examples import Examples
from edge.teaching.output import MODEL_FILE
from edge.teaching.page.learner import Assessed, Learned, Outcome
from edge.teaching.page.view import (
    TeachingView,
    cards_of,
    images_of,
    suggestion_for,
    waiting_for,
)
from edge.teaching.photo_folder import label_taken
from edge.teaching.teacher import Teacher

RECORD_INTERVAL_S = 0.1
"""Seconds between two images that are recorded: closer ones show the same."""

RENEW_S = 3.0
"""Seconds after which a recording ends that its visitor does not renew, such as a dead phone."""

_IDLE_S, _PATIENCE_S = 0.2, 1.5
"""Seconds without a change, or after the first one, before learning starts."""

_MAX_LABEL_BYTES = 200

Start = Callable[[Examples, float], None]
"""Starts learning from examples, with C; outcomes come to :meth:`TeachingSession.take_outcome`."""


@dataclass(slots=True)
class _Recording:
    visitor: int
    label: str
    until: float
    next: float = 0.0
    count: int = 0


class TeachingSession:
    """Teaching with a camera. All times are in seconds of one monotonic clock.

    Args:
        teacher: The classes, images and examples.
        start: Starts learning.
        source: Name of the camera.
        camera: The camera is that of the page.

    Attributes:
        saved: True where the model on disk knows all that was taught.
    """

    def __init__(self, teacher: Teacher, start: Start, source: str, *, camera: bool) -> None:
        self._teacher, self._start = teacher, start
        self._about = {"source": source, "camera": camera, "folder": str(teacher.photos.root)}
        self._classifier: Classifier | None = None
        self._assessed: Assessed | None = None
        self._recording: _Recording | None = None
        self._requested: Examples | None = None
        self._learning, self.saved = False, False
        self._changed_at: float | None = 0.0  # what the folder holds is learned at once
        self._first_change = 0.0
        self._problem: str | None = None
        self._lost: str | None = None
        self._view: TeachingView | None = None

    @property
    def assessment(self) -> Assessment | None:
        """The cross-validation of all that was taught; None while it is not there."""
        if self._assessed is None or self._changed_at is not None:
            return None
        return self._assessed.assessment if self._assessed.examples is self._requested else None

    @property
    def recording(self) -> bool:
        """True while frames are recorded."""
        return self._recording is not None

    def take_frame(self, frame: Frame, now: float) -> Classification | None:
        """Record a frame if that is due; return its classes, None before anything was learned.

        Raises:
            ModelError: the model fails.
        """
        recording = self._recording
        if recording is not None and now >= recording.next:
            recording.next = now + RECORD_INTERVAL_S
            self._record(recording, frame, now)
        classifier = self._classifier
        if classifier is None:
            return None
        outputs = classifier.runtime.invoke(*classifier.preprocess(frame))
        return classifier.postprocess(outputs, frame)

    def tick(self, now: float, lost: str | None = None) -> None:
        """Do what is due; ``lost``: why the camera gives no frames at the moment."""
        if lost != self._lost:
            self._lost = lost
            self._view = None
        if self._recording is not None and now > self._recording.until:
            self._stop_recording()
        if self._changed_at is None or not self._ready:
            return
        if now - self._changed_at < _IDLE_S and now - self._first_change < _PATIENCE_S:
            return
        self._changed_at, self._learning, self._view = None, True, None
        self._requested = self._teacher.examples
        self._start(self._requested, self._teacher.strength)

    def take_outcome(self, outcome: Outcome) -> None:
        """Take what came of learning: the next frame is classified by the new model."""
        self._view = None
        if isinstance(outcome, Learned):
            if self._ready:  # else its classes are gone
                self._classifier = outcome.classifier
                self._teacher.take(outcome.lesson, outcome.strength)
                self._save(newest=outcome.examples is self._requested)
            self._learning = outcome.examples is not self._requested
            return
        if isinstance(outcome, Assessed):
            self._assessed = outcome
            return
        self._learning = False
        if not isinstance(outcome, EdgeError):
            raise outcome
        self._problem = str(outcome)

    def record(self, visitor: int, label: str, now: float) -> None:
        """Record frames to a class until :meth:`stop_recording`; renew within :data:`RENEW_S`.

        Raises:
            UsageError: there is no such class, or another visitor records.
        """
        recording = self._recording
        if recording is not None and recording.visitor != visitor:
            raise UsageError(
                "one recording at a time",
                f"a recording of {recording.label} by another visitor",
                "wait until it ends",
                code="recording-in-use",
            )
        self._teacher.names(label)
        if recording is None or recording.label != label:
            self._stop_recording()
            self._recording = _Recording(visitor, label, now + RENEW_S)
            self._view = None
        else:
            recording.until = now + RENEW_S

    def stop_recording(self, visitor: int) -> None:
        """End the recording of a visitor, if there is one."""
        if self._recording is not None and self._recording.visitor == visitor:
            self._stop_recording()

    def add_file(self, content: bytes, name: str, label: str, now: float) -> str:
        """Add an image file to a class; return the name that it got.

        Raises:
            ImageError: it is no image that can be read.
            UsageError: there is no such class.
            OutputError: it cannot be written.
        """
        self._teacher.names(label)
        path = self._changing(now, lambda: self._teacher.add_file(content, name, label))
        return str(path.name)

    def add_class(self, label: str, now: float) -> None:
        """Add a class without images.

        Raises:
            UsageError: the name is taken, or cannot name a folder.
            OutputError: its folder cannot be created.
        """
        label = _checked(label)
        if label in self._teacher.labels:
            raise label_taken(label)
        self._changing(now, lambda: self._teacher.add_class(label))

    def rename(self, label: str, new: str, now: float) -> None:
        """Rename a class.

        Raises:
            UsageError: there is no such class, or the new name is unusable or taken.
            OutputError: its folder cannot be renamed.
        """
        self._changing(now, lambda: self._teacher.rename(label, _checked(new)))
        if self._recording is not None and self._recording.label == label:
            self._recording.label = _checked(new)

    def remove_class(self, label: str, now: float) -> None:
        """Remove a class with its images.

        Raises:
            UsageError: there is no such class.
            OutputError: they cannot be moved.
        """
        if self._recording is not None and self._recording.label == label:
            self._stop_recording()
        self._changing(now, lambda: self._teacher.forget(label))

    def remove_images(self, label: str, names: Sequence[str], now: float) -> None:
        """Remove images of a class.

        Raises:
            UsageError: there is no such class or image.
            OutputError: they cannot be moved.
        """
        self._changing(now, lambda: self._teacher.remove(label, names))

    def reorder(self, labels: Sequence[str], now: float) -> None:
        """Put the classes into another order.

        Raises:
            UsageError: these are not the classes.
        """
        self._changing(now, lambda: self._teacher.reorder(labels))

    def undo(self, now: float) -> None:
        """Undo the last change.

        Raises:
            OutputError: the folder cannot be written.
        """
        self._stop_recording()
        self._changing(now, self._teacher.undo)

    def images(self, label: str) -> list[tuple[str, str]]:
        """Return name and version of all images of a class, the newest first.

        Raises:
            UsageError: there is no such class.
        """
        return images_of(self._teacher.names(label))

    def view(self) -> TeachingView:
        """Return what visitors see: the same object until something changes."""
        if self._view is None:
            self._view = TeachingView(cards_of(self._teacher, self._shown_assessment), self._rest())
        return self._view

    @property
    def _shown_assessment(self) -> Assessment | None:
        """The last one, until the next is there."""
        return None if self._assessed is None else self._assessed.assessment

    @property
    def _ready(self) -> bool:
        """True where at least two classes have images."""
        return sum(count > 0 for count in self._teacher.counts.values()) >= 2

    def _record(self, recording: _Recording, frame: Frame, now: float) -> None:
        try:
            self._changing(now, lambda: self._teacher.add(frame.image, recording.label))
        except EdgeError:
            self._stop_recording()
            return
        recording.count += 1
        if recording.count > 1:
            images = counted(recording.count, "image")
            self._teacher.history.join(f"recording {images} of {recording.label}")

    def _stop_recording(self) -> None:
        if self._recording is not None:
            self._recording, self._view = None, None

    def _changing(self, now: float, change: Callable[[], Any]) -> Any:
        """Change the classes or images, and learn from them soon; a disk that fails is shown."""
        try:
            result = change()
        except OutputError as error:
            self._problem, self._view = str(error), None
            raise
        self._problem, self._view = None, None
        if self._changed_at is None:
            self._first_change = now
        self._changed_at, self.saved = now, False
        if not self._ready:
            self._classifier = self._assessed = None
        return result

    def _save(self, *, newest: bool) -> None:
        try:
            self._teacher.save()
        except OutputError as error:
            self._problem = str(error)
            return
        self.saved = newest and self._changed_at is None

    def _rest(self) -> dict[str, Any]:
        learned = self._teacher.lesson if self._classifier is not None else None
        shown = self._shown_assessment
        return {
            **self._about,
            "waiting": waiting_for(self._teacher.counts),
            "suggestion": suggestion_for(self._teacher.labels),
            "learning": self._learning,
            "learned": None if learned is None else learned.images,
            "accuracy": None if shown is None else shown.accuracy,
            "model": str(self._teacher.out / MODEL_FILE),
            "recording": None if self._recording is None else self._recording.label,
            "recorded": 0 if self._recording is None else self._recording.count,
            "undo": self._teacher.history.last,
            "problem": self._problem,
            "lost": self._lost,
        }


def _checked(label: str) -> str:
    """Return the name of a class without spaces around it.

    Raises:
        UsageError: it is too long for the name of a folder.
    """
    label = label.strip()
    if len(label.encode(errors="surrogateescape")) > _MAX_LABEL_BYTES:
        raise UsageError(
            f"a name of at most {_MAX_LABEL_BYTES} bytes",
            f"'{label[:40]}…'",
            "choose a shorter name",
            code="invalid-label",
        )
    return label
