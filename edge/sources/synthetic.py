"""Moving shapes: a source without a camera or a file, the same every time."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import cv2
import numpy as np

from edge.errors import UsageError, did_you_mean
from edge.frame import BgrImage, Frame
from edge.sources.source import Source, SourceOptions
from edge.sources.transforms import adjust

_SHAPES = 4
_KEYS = ("seed", "frames")


@dataclass(frozen=True, slots=True)
class _Wanted:
    width: int = 640
    height: int = 480
    fps: float = 30.0
    seed: int = 0
    frames: int | None = None


def open_synthetic(address: str, options: SourceOptions) -> Source:
    """Shapes that move over a background: ``[WIDTHxHEIGHT][@FPS][?seed=N&frames=N]``.

    Without ``frames`` it never ends. They come as fast as wanted, with ``realtime`` at their rate.

    Raises:
        UsageError: another address.
    """
    wanted = _parse(address)
    width, height = options.size or (wanted.width, wanted.height)
    made = _Wanted(width, height, options.fps or wanted.fps, wanted.seed, wanted.frames)

    def open_it() -> Source:
        return _Synthetic(f"synthetic:{address}", made)

    return adjust(open_it(), options, resize=False, again=open_it)


class _Synthetic:
    live = False

    def __init__(self, name: str, wanted: _Wanted) -> None:
        self.name, self.fps = name, wanted.fps
        self._wanted, self._index = wanted, 0
        random = np.random.default_rng(wanted.seed)
        size = np.array([wanted.width, wanted.height])
        self._start = random.uniform(0, size, (_SHAPES, 2))
        self._speed = random.uniform(-0.3, 0.3, (_SHAPES, 2)) * size  # pixels a second
        self._radius = (random.uniform(0.05, 0.12, _SHAPES) * min(size)).astype(int)
        self._colors = random.integers(64, 256, (_SHAPES, 3)).tolist()
        across = np.linspace(40, 120, wanted.width, dtype=np.uint8)
        ground = np.broadcast_to(across[None, :, None], (wanted.height, wanted.width, 3))
        self._background: BgrImage = np.ascontiguousarray(ground)

    def read(self) -> Frame | None:
        if self._index == self._wanted.frames:
            return None
        seconds = self._index / self._wanted.fps
        image = self._background.copy()
        for number in range(_SHAPES):
            center = self._place(number, seconds)
            radius, color = int(self._radius[number]), self._colors[number]
            if number % 2:
                corner = (center[0] - radius, center[1] - radius)
                cv2.rectangle(image, (*corner, 2 * radius, 2 * radius), color, cv2.FILLED)
            else:
                cv2.circle(image, center, radius, color, cv2.FILLED)
        self._index += 1
        return Frame(self._index - 1, seconds, image)

    def close(self) -> None:
        """Nothing is kept open."""

    def _place(self, number: int, seconds: float) -> tuple[int, int]:
        """Where a shape is: it runs straight and bounces off the edges."""
        size = np.array([self._wanted.width, self._wanted.height])
        way = (self._start[number] + self._speed[number] * seconds) % (2 * size)
        x, y = np.where(way > size, 2 * size - way, way).astype(int).tolist()
        return x, y


def _parse(address: str) -> _Wanted:
    found = re.fullmatch(r"(?:(\d+)x(\d+))?(?:@(\d+(?:\.\d+)?))?(?:\?(.*))?", address)
    if found is None:
        raise _wrong(address, "write synthetic:640x480@30?seed=1&frames=100")
    width, height, fps, query = found.groups()
    values: dict[str, int] = {}
    for key, value in parse_qsl(query or "", keep_blank_values=True):
        if key not in _KEYS:
            raise _wrong(address, did_you_mean(key, _KEYS, "use seed and frames"))
        if not value.isdecimal():
            raise _wrong(address, f"use a whole number for {key}")
        values[key] = int(value)
    options = SourceOptions(  # for its checks
        size=(int(width), int(height)) if width else None, fps=float(fps) if fps else None
    )
    wide, high = options.size or (640, 480)
    return _Wanted(wide, high, options.fps or 30.0, values.get("seed", 0), values.get("frames"))


def _wrong(address: str, fix: str) -> UsageError:
    return UsageError(
        "synthetic:[WIDTHxHEIGHT][@FPS][?seed=N&frames=N]",
        f"synthetic:{address}",
        fix,
        code="invalid-address",
    )
