"""Results of the tasks: typed values, ready for JSON."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.quantities import counted

Counts = Mapping[str, int | Mapping[str, int]]
"""Counts so far by name: crossings of a line or zone by direction, repetitions of an exercise.

``{"door": {"in": 3, "out": 1}, "shop": {"in": 2, "out": 1, "inside": 1}}``, or ``{"squat": 12}``.
"""


class Result(Protocol):
    """Result of any task for one image.

    Where a task counts, ``counts`` of its results are :data:`Counts`.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""

    def summary(self) -> str:
        """Return a short text for people; empty where there is nothing to report."""


def counts_of(result: Result) -> Counts:
    """Return the counts so far of a result; none where its task does not count."""
    counts: Counts = getattr(result, "counts", {})
    return counts


def describe_count(name: str, count: int | Mapping[str, int]) -> str:
    """Return a count for people.

    >>> describe_count("door", {"in": 3, "out": 1}), describe_count("squat", 12)
    ('door: 3 in, 1 out', 'squat × 12')
    """
    if isinstance(count, int):
        return f"{name} × {count}"
    return f"{name}: " + ", ".join(f"{number} {word}" for word, number in count.items())


def describe_counts(counts: Counts) -> list[str]:
    """Return counts for people, without exercises that nobody has done."""
    return [describe_count(name, count) for name, count in counts.items() if count]


class _Drawable:
    """Mixin for results that can be drawn on their image."""

    __slots__ = ()

    def draw(self: Result, image: NDArray[np.uint8] | str | Path) -> NDArray[np.uint8]:
        """Return a copy of the image with this result drawn on it.

        Args:
            image: the image of the result: uint8 [height, width, 3], BGR; or its path.

        Raises:
            ImageError: the file cannot be read, or the array is no such image.
        """
        from edge import draw  # results stay light: OpenCV is imported only to draw

        return draw.annotate(image, self)


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class with its score in [0, 1]; ``index`` is the model's output index."""

    label: str
    index: int
    score: float

    def to_dict(self) -> dict[str, str | int | float]:
        """Return plain values for JSON."""
        return {"label": self.label, "index": self.index, "score": round(self.score, 6)}


@dataclass(frozen=True, slots=True)
class Classification(_Drawable):
    """Classes of one image, best first.

    With a ``threshold``, the class is ``unknown`` if the best score is below it.
    """

    classes: tuple[ClassScore, ...]
    threshold: float | None = None

    @property
    def best(self) -> ClassScore:
        """Class with the highest score."""
        return self.classes[0]

    @property
    def unknown(self) -> bool:
        """True if the best score is below the threshold."""
        return self.threshold is not None and self.best.score < self.threshold

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"classes": […], "unknown": bool}``, and ``"threshold"`` if there is one."""
        values: dict[str, Any] = {
            "classes": [score.to_dict() for score in self.classes],
            "unknown": self.unknown,
        }
        if self.threshold is not None:
            values["threshold"] = round(self.threshold, 6)
        return values

    def summary(self) -> str:
        """Return a short text for people; empty where there is nothing to report."""
        return "unknown" if self.unknown else f"{self.best.label} {100 * self.best.score:.0f} %"


@dataclass(frozen=True, slots=True)
class Detection:
    """One object: ``box`` is x1, y1, x2, y2 in pixels of the frame, ``score`` in [0, 1].

    ``track_id`` identifies the object from frame to frame if objects are tracked. ``point``: x and
    y of its middle, from models that find points instead of boxes; ``box`` then has the usual size
    of its class, cut at the edges of the frame.
    """

    label: str
    index: int
    score: float
    box: tuple[float, float, float, float]
    track_id: int | None = None
    point: tuple[float, float] | None = None

    @property
    def position(self) -> tuple[float, float]:
        """Where it is counted: its point, else the middle of the bottom edge of its box."""
        left, _, right, bottom = self.box
        return ((left + right) / 2, bottom) if self.point is None else self.point

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; ``"track_id"`` and ``"point"`` where there are any."""
        values: dict[str, Any] = {
            "label": self.label,
            "index": self.index,
            "score": round(self.score, 6),
            "box": [round(side, 2) for side in self.box],
        }
        if self.track_id is not None:
            values["track_id"] = self.track_id
        if self.point is not None:
            values["point"] = [round(value, 2) for value in self.point]
        return values


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in this frame, such as an object that crossed a line.

    ``kind``: "line" or "zone"; ``name``: which one; ``direction``: for instance "in" or "out";
    ``track_id`` and ``label``: of the object.
    """

    kind: str
    name: str
    direction: str
    track_id: int
    label: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Detections(_Drawable):
    """Objects of one image, best first; ``events``: None if none are detected."""

    detections: tuple[Detection, ...]
    events: tuple[Event, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"detections": […]}``, and ``"events"`` if they are detected."""
        values: dict[str, Any] = {
            "detections": [detection.to_dict() for detection in self.detections]
        }
        if self.events is not None:
            values["events"] = [event.to_dict() for event in self.events]
        return values

    def summary(self) -> str:
        """Return a short text for people; empty where there is nothing to report."""
        counts = Counter(detection.label for detection in self.detections)
        return ", ".join(
            f"{label} × {count}" if count > 1 else label for label, count in sorted(counts.items())
        )


@dataclass(frozen=True, slots=True)
class TrackedDetections(Detections):
    """Tracked objects of one image.

    ``trails``: past positions by track id, the oldest first; for drawing, and not in the JSON.
    ``counts``: crossings so far by name of the line or zone: ``{"in": …, "out": …}``, and of a
    zone how many objects are ``"inside"`` now.
    """

    trails: Mapping[int, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the values of :class:`Detections`, and ``"counts"``."""
        counts = {name: dict(count) for name, count in self.counts.items()}
        return {**Detections.to_dict(self), "counts": counts}


@dataclass(frozen=True, slots=True)
class Segment:
    """Area of a class: ``share`` of the frame's area in (0, 1], ``box`` around all of it.

    ``box`` is x1, y1, x2, y2 in pixels of the frame; ``index`` the class's value in the mask.
    """

    label: str
    index: int
    share: float
    box: tuple[float, float, float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "label": self.label,
            "index": self.index,
            "share": round(self.share, 6),
            "box": [round(side, 2) for side in self.box],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation(_Drawable):
    """Class of each pixel; masks are not in the JSON.

    ``segments``: the requested classes, the largest first, never the background. ``mask``: uint8
    [height, width], the class of each pixel of the frame, requested or not. ``alpha``: opacity of
    the segments, uint8 [height, width], 0 to 255, from models with probabilities; else None.
    """

    segments: tuple[Segment, ...]
    mask: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"segments": […]}``."""
        return {"segments": [segment.to_dict() for segment in self.segments]}

    def summary(self) -> str:
        """Return a short text for people; empty where there is nothing to report."""
        return ", ".join(
            f"{segment.label} {100 * segment.share:.0f} %" for segment in self.segments
        )


@dataclass(frozen=True, slots=True)
class Keypoint:
    """A keypoint of a body: ``x`` and ``y`` in pixels of the frame, perhaps outside of it.

    ``z``: depth in about the scale of ``x``, smaller nearer to the camera, 0 between the hips;
    None from models without depth. ``score`` in [0, 1]: confidence that it is visible.
    """

    name: str
    x: float
    y: float
    score: float
    z: float | None = None

    def to_dict(self) -> dict[str, str | float]:
        """Return plain values for JSON."""
        depth = {} if self.z is None else {"z": round(self.z, 2)}
        position = {"x": round(self.x, 2), "y": round(self.y, 2)}
        return {"name": self.name, **position, **depth, "score": round(self.score, 4)}


@dataclass(frozen=True, slots=True)
class Pose:
    """One person: the mean score of all keypoints, and these in the order of the model.

    ``angles``: of the visible joints, in degrees, 180 for a straight limb.
    """

    score: float
    keypoints: tuple[Keypoint, ...]
    angles: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"score": …, "keypoints": […], "angles": {…}}``."""
        return {
            "score": round(self.score, 4),
            "keypoints": [point.to_dict() for point in self.keypoints],
            "angles": {joint: round(degrees, 1) for joint, degrees in self.angles.items()},
        }


@dataclass(frozen=True, slots=True)
class Repetition:
    """A repetition of an exercise that ended in this frame; ``count``: repetitions so far."""

    name: str
    count: int

    def to_dict(self) -> dict[str, str | int]:
        """Return ``{"kind": "repetition", "name": …, "count": …}``."""
        return {"kind": "repetition", "name": self.name, "count": self.count}


@dataclass(frozen=True, slots=True)
class Poses(_Drawable):
    """People of one image; ``events``: None if repetitions are not counted.

    ``counts``: repetitions so far by exercise.
    """

    poses: tuple[Pose, ...]
    events: tuple[Repetition, ...] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"poses": […]}``, and ``"events"``, ``"counts"`` if repetitions are counted."""
        values: dict[str, Any] = {"poses": [pose.to_dict() for pose in self.poses]}
        if self.events is not None:
            values["events"] = [event.to_dict() for event in self.events]
            values["counts"] = dict(self.counts)
        return values

    def summary(self) -> str:
        """Return a short text for people; empty where there is nothing to report."""
        if not self.poses:
            return ""
        return counted(len(self.poses), "person")


@dataclass(frozen=True, slots=True)
class PoseMatch:
    """An image that shows a similar pose; ``mirrored``: with left and right swapped.

    ``name``: of its file; ``frame``: its number in a video; ``similarity`` in [0, 1]. ``image``:
    a file with a copy of it, for drawing, and not in the JSON.
    """

    name: str
    frame: int | None
    similarity: float
    mirrored: bool
    image: Path

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        frame = {} if self.frame is None else {"frame": self.frame}
        values = {"similarity": round(self.similarity, 4), "mirrored": self.mirrored}
        return {"name": self.name, **frame, **values}


@dataclass(frozen=True, slots=True)
class MatchedPoses(Poses):
    """People of one image, and the image most similar to the first; None without people."""

    match: PoseMatch | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the values of :class:`Poses`, and ``"match"``, which may be None."""
        return {**Poses.to_dict(self), "match": self.match and self.match.to_dict()}

    def summary(self) -> str:
        """Return a short text for people; empty where there is nothing to report."""
        if self.match is None:
            return Poses.summary(self)
        frame = "" if self.match.frame is None else f" frame {self.match.frame}"
        return f"{self.match.name}{frame} {100 * self.match.similarity:.0f} %"
