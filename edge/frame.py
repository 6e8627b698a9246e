"""Frames of a source, and outputs for the sinks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.results import Result

BgrImage = NDArray[np.uint8]
"""An image as OpenCV captures and encodes it: uint8, [height, width, 3], BGR."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a source.

    Attributes:
        index: Counts the frames of the source from 0, dropped ones included.
        time_s: Seconds from its first frame, media time in a file.
        image: Read-only, since several threads read it.
        name: Path of the file where the frame is a single image.
    """

    index: int
    time_s: float
    image: BgrImage
    name: str = ""


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Live statistics: frames per second, milliseconds, frames dropped so far."""

    fps: float
    invoke_ms: float
    latency_ms: float
    dropped: int
    delegate: str


@dataclass(frozen=True, slots=True)
class FrameResult:
    """A frame of :func:`edge.stream` and its result, of the type that the task returns."""

    frame: Frame
    result: Any


@dataclass(frozen=True, slots=True)
class Output:
    """A processed frame for a sink.

    Attributes:
        index: Of the frame.
        time_s: Of the frame.
        name: Of the frame.
        task: Name of the task.
        result: Of the task.
        status: Live statistics.
        captured: Time of capture, in seconds of ``time.perf_counter``.
        image: The frame with the result drawn on it, for sinks that want images, else None.
    """

    index: int
    time_s: float
    name: str
    task: str
    result: Result
    status: StreamStatus
    captured: float
    image: BgrImage | None = None
