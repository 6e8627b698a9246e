"""Words on filled plates, and colors that tell things apart."""

import colorsys
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from edge.frame import BgrImage

Color = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

DARK: Color = (24, 24, 24)
LIGHT: Color = (245, 245, 245)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GOLDEN = 0.618034
"""Hues at multiples of the golden ratio: neighbors differ and none comes again."""

_SHARES = 0.2126, 0.7152, 0.0722
"""Of red, green and blue in the luminance of sRGB (IEC 61966-2-1)."""

_DARKEST = 0.26
"""Least luminance of a color: dark words have a contrast above 4.5 to 1 on it (WCAG 2.1)."""


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in pixels for an image: ``line`` of strokes, ``pad`` around words."""

    font: float
    thickness: int
    line: int
    pad: int


def style(image: BgrImage) -> Style:
    """Sizes that suit an image: capitals of 12 pixels on 480, of 21 on 1080."""
    scale = min(max((min(image.shape[:2]) / 480) ** 0.8, 0.7), 8.0)
    return Style(
        font=0.5 * scale,
        thickness=max(1, round(scale)),
        line=max(2, round(2 * scale)),
        pad=max(3, round(4 * scale)),
    )


@lru_cache(maxsize=1024)
def color_of(number: int) -> Color:
    """The color of a class or track, bright enough for dark words on it."""
    hue = (0.33 + number * _GOLDEN) % 1.0
    saturation = 0.85 if number % 2 == 0 else 0.55  # so that near hues differ, too
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, 1.0)
    while _luminance(red, green, blue) < _DARKEST:
        saturation -= 0.05
        red, green, blue = colorsys.hsv_to_rgb(hue, saturation, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)


def _luminance(*rgb: float) -> float:
    """Relative luminance of sRGB in [0, 1], with 2.2 for its exponent."""
    return sum(share * float(part**2.2) for share, part in zip(_SHARES, rgb, strict=True))


def to_ascii(text: str) -> str:
    """``text`` in the letters that the font has, which are ASCII.

    >>> to_ascii("Café × 2")
    'Cafe x 2'
    """
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text.replace("×", "x"))
    kept = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return kept.encode("ascii", "replace").decode()


def width_of(text: str, wanted: Style) -> int:
    """Width of ``text`` in pixels, without a plate."""
    return cv2.getTextSize(text, _FONT, wanted.font, wanted.thickness)[0][0]


def height_of(wanted: Style) -> int:
    """Height of capital letters in pixels."""
    return cv2.getTextSize("H", _FONT, wanted.font, wanted.thickness)[0][1]


def truncate(label: str, rest: str, wanted: Style, width: int) -> str:
    """``label`` and ``rest``, with a shorter label where both do not fit into ``width``."""
    text = label + rest
    while width_of(text, wanted) > width and len(label) > 1:
        label = label[:-1]
        text = f"{label}..{rest}"
    return text


def write(image: BgrImage, text: str, place: tuple[int, int], color: Color, s: Style) -> None:
    """Write ``text``; ``place``: its lower left corner."""
    cv2.putText(image, text, place, _FONT, s.font, color, s.thickness, cv2.LINE_AA)


@lru_cache(maxsize=256)
def render_label(text: str, color: Color, s: Style) -> BgrImage:
    """Dark ``text`` on a filled plate, uint8 [h, w, 3]; often the same again, so kept."""
    (width, height), below = cv2.getTextSize(text, _FONT, s.font, s.thickness)
    made = np.full((height + below + s.pad, width + 2 * s.pad, 3), color, np.uint8)
    write(made, text, (s.pad, height + s.pad // 2 + 1), DARK, s)
    made.flags.writeable = False
    return made


def paste(image: BgrImage, patch: BgrImage, left: int, top: int) -> None:
    """Lay ``patch`` onto the image, moved inside where it would stick out, then cut off."""
    height, width = image.shape[:2]
    top = max(0, min(top, height - patch.shape[0]))
    left = max(0, min(left, width - patch.shape[1]))
    room = image[top : top + patch.shape[0], left : left + patch.shape[1]]
    room[:] = patch[: room.shape[0], : room.shape[1]]


def darken(room: BgrImage) -> None:
    """Darken a part of an image, so that light words can be read on it."""
    if room.size:
        room[:] = cv2.convertScaleAbs(room, alpha=0.25)
