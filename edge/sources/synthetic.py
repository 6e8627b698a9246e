"""Synthetic source: moving shapes, reproducible, without a camera or a file."""

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import cv2
import numpy as np

from edge.errors import UsageError, did_you_mean
from edge.frame import BgrImage, Frame
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import transform

_SHAPES = 4
_KEYS = ("seed", "frames")


@dataclass(frozen=True, slots=True)
class _Settings:
    width: int = 640
    height: int = 480
    fps: float = 30.0
    seed: int = 0
    frames: int | None = None


def open_synthetic(address: str, options: SourceOptions) -> Source:
    """Open shapes that move over a background: ``[WIDTHxHEIGHT][@FPS][?seed=N&frames=N]``.

    Without ``frames`` it never ends. Frames come as fast as they are read, with ``realtime`` at
    their rate.

    Raises:
        UsageError: The address is invalid.
    """
    parsed = _parse(address)
    width, height = options.size or (parsed.width, parsed.height)
    settings = replace(parsed, width=width, height=height, fps=options.fps or parsed.fps)

    def open_() -> Source:
        return _Synthetic(f"synthetic:{address}", settings)

    return transform(open_(), options, resize=False, reopen=open_)


class _Synthetic:
    live = False

    def __init__(self, name: str, settings: _Settings) -> None:
        self.name, self.fps = name, settings.fps
        self._settings, self._index = settings, 0
        random = np.random.default_rng(settings.seed)
        size = np.array([settings.width, settings.height])
        self._start = random.uniform(0, size, (_SHAPES, 2))
        self._speed = random.uniform(-0.3, 0.3, (_SHAPES, 2)) * size  # pixels a second
        self._radius = (random.uniform(0.05, 0.12, _SHAPES) * min(size)).astype(int)
        self._colors = random.integers(64, 256, (_SHAPES, 3)).tolist()
        across = np.linspace(40, 120, settings.width, dtype=np.uint8)
        ground = np.broadcast_to(across[None, :, None], (settings.height, settings.width, 3))
        self._background: BgrImage = np.ascontiguousarray(ground)

    def read(self) -> Frame | None:
        if self._index == self._settings.frames:
            return None
        seconds = self._index / self._settings.fps
        image = self._background.copy()
        for number in range(_SHAPES):
            center = self._center(number, seconds)
            radius, color = int(self._radius[number]), self._colors[number]
            if number % 2:
                corner = (center[0] - radius, center[1] - radius)
                cv2.rectangle(image, (*corner, 2 * radius, 2 * radius), color, cv2.FILLED)
            else:
                cv2.circle(image, center, radius, color, cv2.FILLED)
        self._index += 1
        return Frame(self._index - 1, seconds, image)

    def close(self) -> None:
        """Do nothing: no resource is held."""

    def _center(self, number: int, seconds: float) -> tuple[int, int]:
        """Return the center of a shape, which moves straight and bounces off the edges."""
        size = np.array([self._settings.width, self._settings.height])
        path = (self._start[number] + self._speed[number] * seconds) % (2 * size)
        x, y = np.where(path > size, 2 * size - path, path).astype(int).tolist()
        return x, y


def _parse(address: str) -> _Settings:
    match = re.fullmatch(r"(?:(\d+)x(\d+))?(?:@(\d+(?:\.\d+)?))?(?:\?(.*))?", address)
    if match is None:
        raise _invalid(address, "write synthetic:640x480@30?seed=1&frames=100")
    width, height, fps, query = match.groups()
    values: dict[str, int] = {}
    for key, value in parse_qsl(query or "", keep_blank_values=True):
        if key not in _KEYS:
            raise _invalid(address, did_you_mean(key, _KEYS, "use seed and frames"))
        if not value.isdecimal():
            raise _invalid(address, f"use a whole number for {key}")
        values[key] = int(value)
    options = SourceOptions(  # checks the ranges
        size=(int(width), int(height)) if width else None, fps=float(fps) if fps else None
    )
    size = options.size or (640, 480)
    return _Settings(*size, options.fps or 30.0, values.get("seed", 0), values.get("frames"))


def _invalid(address: str, fix: str) -> UsageError:
    return UsageError(
        "synthetic:[WIDTHxHEIGHT][@FPS][?seed=N&frames=N]",
        f"synthetic:{address}",
        fix,
        code="invalid-address",
    )
