"""What flows through a stream: a frame from the source, and what became of it for the sinks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.results import Result

BgrImage = NDArray[np.uint8]
"""An image as OpenCV captures and encodes it: uint8, [height, width, 3], BGR."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of a source.

    ``index`` counts the frames of the source from 0, dropped ones included. ``time_s``: seconds
    from its first frame, media time in a file. ``name``: of the file where it is one image.
    Nobody changes ``image``: several threads read it.
    """

    index: int
    time_s: float
    image: BgrImage
    name: str = ""


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Live figures for the screen: frames per second, milliseconds, frames dropped so far."""

    fps: float
    invoke_ms: float
    latency_ms: float
    dropped: int
    delegate: str


@dataclass(frozen=True, slots=True)
class Output:
    """A processed frame on its way to a sink.

    ``image``: the frame with the result drawn on it, for sinks that want images, else None.
    ``captured``: when the frame was there, in seconds of ``time.perf_counter``.
    """

    index: int
    time_s: float
    name: str
    task: str
    result: Result
    status: StreamStatus
    captured: float
    image: BgrImage | None = None
