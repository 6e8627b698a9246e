"""How large an image a visitor gets: as large as the way to it carries without delay."""

from dataclasses import dataclass

from edge.frame import BgrImage
from edge.image import downscale, encode_jpeg


@dataclass(frozen=True, slots=True)
class QualityLevel:
    """``side``: the longest side in pixels; ``quality`` of the JPEG."""

    side: int
    quality: int


LEVELS = (
    QualityLevel(320, 50), QualityLevel(480, 60), QualityLevel(640, 70), QualityLevel(960, 75), QualityLevel(1280, 80), QualityLevel(1280, 88)
)  # fmt: skip
"""From the smallest to the best; each about twice as many bytes as the one before."""

BEST = LEVELS[-1]

FULL = QualityLevel(1 << 16, 92)
"""An image at its own size, whatever that is: a snapshot."""

_SLOW, _QUICK = 0.12, 0.05
"""Seconds that an image may take beyond the shortest way before the level falls, or rises."""

_PATIENCE, _LONGEST = 1.0, 60.0
"""Seconds before a level that was too much is tried again: at first, and at most."""

_FADES = 1.002
"""By so much the shortest way grows with each image, so that a way that became longer counts."""


class AdaptiveQuality:
    """Chooses the level from how long images take to be acknowledged.

    The first image is the smallest: it tells how long the way itself is. What later ones take
    beyond it is due to their size, or to a visitor that is slow to show them.
    """

    def __init__(self) -> None:
        self._index = 0
        self._shortest: float | None = None
        self._wait, self._until = _PATIENCE, 0.0

    @property
    def level(self) -> QualityLevel:
        return LEVELS[self._index]

    def acknowledged(self, sent: float, now: float) -> None:
        """An image was sent, and acknowledged, at these times in seconds."""
        took = now - sent
        self._shortest = min(took, _FADES * (took if self._shortest is None else self._shortest))
        beyond = took - self._shortest
        if beyond > _SLOW and self._index > 0:
            self._index -= 1
            self._until = now + self._wait
            self._wait = min(2 * self._wait, _LONGEST)
        elif beyond < _QUICK and self._index < len(LEVELS) - 1 and now >= self._until:
            self._index += 1


def encode(image: BgrImage, level: QualityLevel) -> bytes:
    """A JPEG of the image, made smaller where it is larger than the level."""
    return encode_jpeg(downscale(image, level.side), level.quality)
