"""What a source is: something that frames can be read from, one after the other."""

from dataclasses import dataclass
from typing import Protocol

from edge.errors import UsageError
from edge.frame import Frame

ROTATIONS = (0, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a user can ask of a source; None leaves it as the source has it.

    ``size``: width and height in pixels; ``fps``: frames per second; ``rotate``: degrees
    clockwise; ``exposure``: as the driver counts it; ``loop``: start again at the end of a file;
    ``realtime``: a file at its own speed instead of as fast as possible.

    Raises:
        UsageError: a value outside its range.
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
            wide, high = self.size
            raise UsageError(
                "--size with sides from 16 to 16384",
                f"{wide}x{high}",
                "use --size 640x480",
                code="invalid-option-value",
            )


class Source(Protocol):
    """Frames, one after the other; read and closed by one thread.

    ``name`` is what the user called it; ``live``: frames come whether they are read or not, so
    that only the newest counts; ``fps``: as it says itself, None where it does not.
    """

    @property
    def name(self) -> str: ...

    @property
    def live(self) -> bool: ...

    @property
    def fps(self) -> float | None: ...

    def read(self) -> Frame | None:
        """The next frame; None at the end.

        Raises:
            CorruptFrameError: this one cannot be decoded; the next may.
            SourceError: the source is lost.
        """

    def close(self) -> None:
        """Give the camera or file back; reading is over."""
