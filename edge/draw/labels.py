"""Text on filled labels, and colors that are easy to distinguish."""

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
"""Hues at multiples of the golden ratio: neighbors differ and none repeats."""

_LUMINANCE_WEIGHTS = 0.2126, 0.7152, 0.0722
"""Weights of red, green and blue in the luminance of sRGB (IEC 61966-2-1)."""

_MIN_LUMINANCE = 0.26
"""Minimum luminance of a color: dark text has a contrast above 4.5 to 1 on it (WCAG 2.1)."""


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in pixels for an image.

    Attributes:
        font: Scale of the font.
        thickness: Of the strokes of text.
        line: Width of lines.
        pad: Space around text.
    """

    font: float
    thickness: int
    line: int
    pad: int


def style(image: BgrImage) -> Style:
    """Return the sizes for an image: capitals of 12 pixels at a height of 480, of 21 at 1080."""
    scale = min(max((min(image.shape[:2]) / 480) ** 0.8, 0.7), 8.0)
    return Style(
        font=0.5 * scale,
        thickness=max(1, round(scale)),
        line=max(2, round(2 * scale)),
        pad=max(3, round(4 * scale)),
    )


@lru_cache(maxsize=1024)
def color_of(number: int) -> Color:
    """Return the color of a class or track, bright enough for dark text on it."""
    hue = (0.33 + number * _GOLDEN) % 1.0
    saturation = 0.85 if number % 2 == 0 else 0.55  # so that similar hues differ as well
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, 1.0)
    while _luminance(red, green, blue) < _MIN_LUMINANCE:
        saturation -= 0.05
        red, green, blue = colorsys.hsv_to_rgb(hue, saturation, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)


def _luminance(*rgb: float) -> float:
    """Return the relative luminance of sRGB in [0, 1], with an exponent of 2.2."""
    return sum(
        share * float(part**2.2) for share, part in zip(_LUMINANCE_WEIGHTS, rgb, strict=True)
    )


def to_ascii(text: str) -> str:
    """Return ``text`` in ASCII, which is all that the font has.

    >>> to_ascii("Café × 2")
    'Cafe x 2'
    """
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.replace("×", "x"))
    kept = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return kept.encode("ascii", "replace").decode()


def width_of(text: str, s: Style) -> int:
    """Return the width of ``text`` in pixels, without padding."""
    return cv2.getTextSize(text, _FONT, s.font, s.thickness)[0][0]


def height_of(s: Style) -> int:
    """Return the height of capital letters in pixels."""
    return cv2.getTextSize("H", _FONT, s.font, s.thickness)[0][1]


def truncate(label: str, rest: str, s: Style, width: int) -> str:
    """Return ``label`` and ``rest``, with a shorter label where both do not fit into ``width``."""
    text = label + rest
    while width_of(text, s) > width and len(label) > 1:
        label = label[:-1]
        text = f"{label}..{rest}"
    return text


def write(image: BgrImage, text: str, position: tuple[int, int], color: Color, s: Style) -> None:
    """Write ``text`` at ``position``, its lower left corner."""
    cv2.putText(image, text, position, _FONT, s.font, color, s.thickness, cv2.LINE_AA)


@lru_cache(maxsize=256)
def render_label(text: str, color: Color, s: Style) -> BgrImage:
    """Return dark ``text`` on a filled label, uint8 BGR [h, w, 3]; read-only, since cached."""
    (width, height), below = cv2.getTextSize(text, _FONT, s.font, s.thickness)
    label = np.full((height + below + s.pad, width + 2 * s.pad, 3), color, np.uint8)
    write(label, text, (s.pad, height + s.pad // 2 + 1), DARK, s)
    label.flags.writeable = False
    return label


def paste(image: BgrImage, patch: BgrImage, left: int, top: int) -> None:
    """Copy ``patch`` onto the image, moved inside and then cropped where it does not fit."""
    height, width = image.shape[:2]
    top = max(0, min(top, height - patch.shape[0]))
    left = max(0, min(left, width - patch.shape[1]))
    region = image[top : top + patch.shape[0], left : left + patch.shape[1]]
    region[:] = patch[: region.shape[0], : region.shape[1]]


def darken(region: BgrImage) -> None:
    """Darken a part of an image in place, so that light text can be read on it."""
    if region.size:
        region[:] = cv2.convertScaleAbs(region, alpha=0.25)
