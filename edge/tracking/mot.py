"""MOTChallenge text files: one line ``frame,id,x,y,width,height,score,-1,-1,-1`` per box.

The format of the MOT benchmarks: frames count from 1, x and y are the upper left corner in pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import DetectionsError, UsageError
from edge.tracking.frame_rate import estimate_fps
from edge.tracking.parameters import TrackerParameters
from edge.tracking.state import Tracks
from edge.tracking.tracker import MultiObjectTracker

LINE = "frame,id,x,y,width,height,score"
_EXAMPLE = "use lines such as 1,-1,281.9,187.5,79.9,209.5,0.99,-1,-1,-1"


@dataclass(frozen=True, slots=True)
class BoxTable:
    """Boxes of a sequence, sorted by frame; n boxes.

    Attributes:
        frames: int64 [n], from 1.
        boxes: float64 [n, 4], x1, y1, x2, y2 in pixels.
        scores: float64 [n], 0 to 1.
    """

    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]

    def by_frame(self) -> Iterator[tuple[int, slice]]:
        """Yield each frame that has boxes, with their rows."""
        numbers, starts = np.unique(self.frames, return_index=True)
        ends = np.append(starts, len(self.frames))[1:]
        for frame, start, end in zip(numbers.tolist(), starts.tolist(), ends.tolist(), strict=True):
            yield frame, slice(start, end)


@dataclass(frozen=True, slots=True)
class TrackTable:
    """Boxes of tracks, sorted by frame and id; as :class:`BoxTable`, with ``ids`` int64 [n]."""

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]


def read(path: Path) -> BoxTable:
    """Read the boxes of a file, in any order; ids and further numbers are ignored.

    Raises:
        DetectionsError: the file cannot be read, or a line is invalid.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DetectionsError(
            f"a file of detections at {path}", reason, "check the path", code="file-unreadable"
        ) from None
    except UnicodeDecodeError:
        raise DetectionsError(
            f"text in {path}", "binary data", _EXAMPLE, code="invalid-detections"
        ) from None
    rows = [
        _parse(line, f"line {number} of {path}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]
    table = np.array(rows, np.float64).reshape(-1, 6)
    table = table[np.argsort(table[:, 0], kind="stable")]
    corners = np.concatenate([table[:, 1:3], table[:, 1:3] + table[:, 3:5]], axis=1)
    return BoxTable(table[:, 0].astype(np.int64), corners, table[:, 5])


def _parse(line: str, place: str) -> tuple[float, float, float, float, float, float]:
    """Return frame, x, y, width, height and score of a line."""
    try:
        values = [float(word) for word in line.split(",")]
    except ValueError:
        values = []
    if len(values) < 7 or not all(map(isfinite, values)):
        raise DetectionsError(
            f"numbers {LINE} in {place}",
            f"'{_truncate(line)}'",
            _EXAMPLE,
            code="invalid-detections",
        )
    frame, _, x, y, width, height, score = values[:7]
    if frame < 1 or frame != int(frame) or frame >= 2**53:
        raise DetectionsError(
            f"a frame number from 1 in {place}", f"{frame:g}", _EXAMPLE, code="invalid-detections"
        )
    if not 0 <= score <= 1:
        raise DetectionsError(
            f"a score from 0 to 1 in {place}",
            f"{score:g}",
            "scale the scores to 0 to 1",
            code="invalid-detections",
        )
    return frame, x, y, width, height, score


def _truncate(line: str) -> str:
    line = line.strip()
    return line if len(line) <= 60 else f"{line[:57]}…"


def text(table: TrackTable) -> str:
    """Return the text of a file of tracks: one line per box, sorted by frame and id."""
    rows = zip(
        table.frames.tolist(),
        table.ids.tolist(),
        table.boxes.tolist(),
        table.scores.tolist(),
        strict=True,
    )
    return "".join(_line(*row) for row in rows)


def _line(frame: int, identity: int, box: list[float], score: float) -> str:
    x1, y1, x2, y2 = box
    place = f"{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
    return f"{frame},{identity},{place},{score:.6g},-1,-1,-1\n"


def track(
    table: BoxTable, fps: float | None = None, parameters: TrackerParameters | None = None
) -> TrackTable:
    """Return the tracks of a sequence, from its first to its last frame with detections.

    Args:
        table: Detections.
        fps: Frames per second, up to 1000; by default estimated, see
            :func:`edge.tracking.frame_rate.estimate_fps`.
        parameters: Constants of the tracker.

    Raises:
        UsageError: ``fps`` is out of range.
    """
    if fps is not None and not 0 < fps <= 1000:
        raise UsageError(
            "frames per second above 0, at most 1000",
            f"{fps:g}",
            "use a number such as 30",
            code="invalid-option-value",
        )
    size = table.boxes[:, 2:].max(axis=0, initial=0)  # somebody reached each edge of the image
    tracker = MultiObjectTracker(parameters, (float(size[0]), float(size[1])))
    seconds = 1 / (estimate_fps(_sure_boxes(table)) if fps is None else fps)
    empty = slice(0, 0)
    tracked: list[tuple[int, Tracks]] = []
    last = 0
    for frame, rows in table.by_frame():
        last = frame - 1 if tracker.idle else last
        for missed in range(last + 1, frame):
            tracked.append((missed, _update(tracker, table, empty, seconds)))
            if tracker.idle:
                break
        tracked.append((frame, _update(tracker, table, rows, seconds)))
        last = frame
    return _table(tracked)


def _sure_boxes(table: BoxTable) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield the boxes of each frame that are likely to be objects."""
    sure = (table.scores >= 0.5) & (table.boxes[:, 2:] > table.boxes[:, :2]).all(axis=1)
    for frame, rows in table.by_frame():
        yield frame, table.boxes[rows][sure[rows]]


def _update(tracker: MultiObjectTracker, table: BoxTable, rows: slice, seconds: float) -> Tracks:
    return tracker.update(table.boxes[rows], table.scores[rows], seconds=seconds)


def _table(tracked: list[tuple[int, Tracks]]) -> TrackTable:
    counts = [len(tracks.ids) for _, tracks in tracked]
    frames = np.repeat(np.array([frame for frame, _ in tracked], np.int64), counts)
    if not len(frames):
        return TrackTable(frames, frames, np.empty((0, 4)), np.empty(0))
    return TrackTable(
        frames,
        np.concatenate([tracks.ids for _, tracks in tracked]),
        np.concatenate([tracks.boxes for _, tracks in tracked]),
        np.concatenate([tracks.scores for _, tracks in tracked]),
    )
