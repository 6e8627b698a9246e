import threading
from collections.abc import Iterator

import numpy as np
import pytest

from edge.errors import CorruptFrameError, SourceError
from edge.frame import Frame
from edge.streaming.reader import SourceReader
from edge.streaming.statistics import StreamMeter

LOST = SourceError("frames", "no more frames", "check its cable", code="source-lost")
CORRUPT = CorruptFrameError("a frame", "a broken one", "none", code="frame-corrupt")
FRAME = Frame(0, 0.0, np.zeros((2, 2, 3), np.uint8))


class Script:
    """A source that returns and raises what it is told."""

    name, fps = "script", None

    def __init__(self, *events: Frame | SourceError | None, live: bool = True) -> None:
        self.live, self.closed = live, False
        self._events: Iterator[Frame | SourceError | None] = iter(events)

    def read(self) -> Frame | None:
        event = next(self._events)
        if isinstance(event, SourceError):
            raise event
        return event

    def close(self) -> None:
        self.closed = True


def reader(*sources: Script | SourceError) -> tuple[SourceReader, list[str], StreamMeter]:
    """A reader that opens one source after the other; an error is one that does not open."""
    waiting, notes, meter = list(sources), [], StreamMeter(prefetchable=False)

    def open_() -> Script:
        source = waiting.pop(0)
        if isinstance(source, SourceError):
            raise source
        return source

    return SourceReader(open_, meter, threading.Event(), notes.append, (0.0,)), notes, meter


def test_a_lost_camera_is_reopened_as_often_as_it_takes() -> None:
    first = Script(FRAME, LOST)
    reading, notes, meter = reader(first, LOST, LOST, Script(FRAME, None))
    assert [reading.read(), reading.read(), reading.read()] == [FRAME, FRAME, None]
    assert first.closed
    assert meter.reconnects == 1
    assert reading.lost is None
    assert [note.partition(": ")[2].split()[-1] for note in notes] == [
        "reconnecting",
        "reconnected",
    ]


def test_others_see_that_the_camera_is_lost() -> None:
    seen: list[SourceError | None] = []
    reading, _, _ = reader(Script(LOST), Script(FRAME))
    reading._open = lambda: (seen.append(reading.lost), Script(FRAME))[1]  # type: ignore[assignment]
    reading.read()
    assert seen == [LOST]


def test_corrupt_frames_are_passed_over_and_counted() -> None:
    reading, _, meter = reader(Script(CORRUPT, CORRUPT, FRAME))
    assert reading.read() == FRAME
    assert meter.corrupt == 2


def test_a_file_is_not_reopened() -> None:
    reading, notes, _ = reader(Script(LOST, live=False))
    with pytest.raises(SourceError):
        reading.read()
    assert not notes


def test_a_file_without_a_valid_frame_says_why() -> None:
    reading, _, _ = reader(Script(CORRUPT, None, live=False))
    with pytest.raises(CorruptFrameError):
        reading.read()
