"""Quality of the live image: each client gets the largest that its connection carries."""

import asyncio
from dataclasses import dataclass

from edge.frame import BgrImage
from edge.image import downscale, encode_jpeg


@dataclass(frozen=True, slots=True)
class QualityLevel:
    """Size and quality of a JPEG.

    Attributes:
        side: Longest side in pixels.
        quality: Of the JPEG, from 0 to 100.
    """

    side: int
    quality: int


LEVELS = (
    QualityLevel(320, 50),
    QualityLevel(480, 60),
    QualityLevel(640, 70),
    QualityLevel(960, 75),
    QualityLevel(1280, 80),
    QualityLevel(1280, 88),
)
"""From the smallest to the best; each has about twice as many bytes as the one before."""

BEST = LEVELS[-1]

FULL = QualityLevel(1 << 16, 92)
"""Original size, for snapshots."""

_SLOW_S, _FAST_S = 0.12, 0.05
"""Seconds beyond the base latency above which the level falls, and below which it rises."""

_MIN_BACKOFF_S, _MAX_BACKOFF_S = 1.0, 60.0
"""Seconds before a level that was too high is tried again."""

_BASE_GROWTH = 1.002
"""Factor by which the base latency grows with each image, to follow a slower connection."""


class AdaptiveQuality:
    """Chooses the level from the time that images take to be acknowledged.

    The first image is the smallest and gives the base latency of the connection. The time that
    later ones take beyond it is due to their size, or to a client that is slow to show them.
    """

    def __init__(self) -> None:
        self._index = 0
        self._base: float | None = None
        self._backoff, self._retry_at = _MIN_BACKOFF_S, 0.0

    @property
    def level(self) -> QualityLevel:
        """The current level."""
        return LEVELS[self._index]

    def acknowledged(self, sent: float, now: float) -> None:
        """Report that an image was sent and acknowledged at these times, in seconds."""
        elapsed = now - sent
        self._base = min(elapsed, _BASE_GROWTH * (self._base or elapsed))
        delay = elapsed - self._base
        if delay > _SLOW_S and self._index > 0:
            self._index -= 1
            self._retry_at = now + self._backoff
            self._backoff = min(2 * self._backoff, _MAX_BACKOFF_S)
        elif delay < _FAST_S and self._index < len(LEVELS) - 1 and now >= self._retry_at:
            self._index += 1


def encode(image: BgrImage, level: QualityLevel) -> bytes:
    """Encode an image, uint8 BGR, as a JPEG, downscaled where it exceeds the level."""
    return encode_jpeg(downscale(image, level.side), level.quality)


class EncodedImage:
    """An image for clients, encoded once for all of the same quality. Used in the event loop."""

    def __init__(self, image: BgrImage) -> None:
        self._image = image
        self._jpegs: dict[QualityLevel, asyncio.Task[bytes]] = {}

    async def jpeg(self, level: QualityLevel) -> bytes:
        """Encode the image as a JPEG, in another thread."""
        if level not in self._jpegs:
            encoding = asyncio.to_thread(encode, self._image, level)
            self._jpegs[level] = asyncio.create_task(encoding)
        return await asyncio.shield(self._jpegs[level])
