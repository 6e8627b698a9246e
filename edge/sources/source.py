"""The interface of a source, and its options."""

from dataclasses import dataclass
from typing import Protocol

from edge.errors import UsageError
from edge.frame import Frame

ROTATIONS = (0, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Options of a source; None keeps the source's own.

    Attributes:
        size: Width and height in pixels.
        fps: Frames per second.
        rotate: Degrees clockwise: 0, 90, 180 or 270.
        hflip: Mirror the frames.
        exposure: In the units of the camera's driver.
        loop: Start again at the end of a file.
        realtime: Play a file at its own speed instead of as fast as possible.

    Raises:
        UsageError: A value is out of its range.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    rotate: int = 0
    hflip: bool = False
    exposure: float | None = None
    loop: bool = False
    realtime: bool = False

    def __post_init__(self) -> None:
        if self.rotate not in ROTATIONS:
            raise UsageError(
                "--rotate 0, 90, 180 or 270",
                str(self.rotate),
                "use --rotate 90",
                code="invalid-option-value",
            )
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise UsageError(
                "--fps above 0, at most 1000",
                f"{self.fps:g}",
                "use --fps 30",
                code="invalid-option-value",
            )
        if self.size is not None and not all(16 <= side <= 16384 for side in self.size):
            width, height = self.size
            raise UsageError(
                "--size with sides from 16 to 16384",
                f"{width}x{height}",
                "use --size 640x480",
                code="invalid-option-value",
            )


class Source(Protocol):
    """Frames, one after the other; read and closed by one thread."""

    @property
    def name(self) -> str:
        """Name of the source, as the user wrote it."""
        ...

    @property
    def live(self) -> bool:
        """True where frames come whether they are read or not, so that only the newest counts."""
        ...

    @property
    def fps(self) -> float | None:
        """Frames per second that the source reports, if it does."""
        ...

    def read(self) -> Frame | None:
        """Read the next frame; None at the end.

        Raises:
            CorruptFrameError: This frame cannot be decoded; the next may.
            SourceError: The source is lost.
        """

    def close(self) -> None:
        """Release the camera or file; nothing is read after it."""
