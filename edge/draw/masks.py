"""Segments in their colors, and the legend that names them."""

import colorsys
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.draw.labels import (
    DARK,
    LIGHT,
    Color,
    Style,
    darken,
    height_of,
    style,
    to_ascii,
    truncate,
    width_of,
    write,
)
from edge.frame import BgrImage
from edge.results import Segment, Segmentation

_TINT = 0.5
"""How much of a segment's color lies on its pixels."""

_HUES, _FIRST = 12, 0.163
"""Hues of full color, then as many pale ones between them; where they start."""

_WIDEST = 0.45
"""Share of the image's width that the legend may take."""


def segmentation(image: BgrImage, said: Segmentation) -> None:
    """Tint what each segment covers, outline it, and name it in the upper left corner.

    The legend gives each segment's share of the image; those that do not fit are left out.
    """
    if not said.segments:
        return
    _tint(image, said)
    wanted = style(image)
    for one in said.segments:
        _outline(image, said.mask, one, wanted)
    _legend(image, said.segments, wanted)


@lru_cache(maxsize=256)
def mask_color(index: int) -> Color:
    """The color of a class in masks, of which many stand side by side: 24 differ well."""
    pale = index // _HUES % 2
    hue = _FIRST + (5 * index % _HUES + pale / 2) / _HUES  # by 5, so that neighbors differ
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, 0.5 if pale else 0.85, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)


def _tint(image: BgrImage, said: Segmentation) -> None:
    colors = np.zeros((256, 1, 3), np.uint8)
    covered = np.zeros(256, np.uint8)
    for one in said.segments:
        colors[one.index, 0], covered[one.index] = mask_color(one.index), 255
    painted = cv2.LUT(cv2.merge([said.mask] * 3), colors)
    mixed = cv2.addWeighted(image, 1 - _TINT, painted, _TINT, 0)
    cv2.copyTo(mixed, cv2.LUT(said.mask, covered), image)


def _outline(image: BgrImage, mask: NDArray[np.uint8], one: Segment, wanted: Style) -> None:
    left, top, right, bottom = map(round, one.box)
    alone = (mask[top:bottom, left:right] == one.index).view(np.uint8)
    ways, _ = cv2.findContours(alone, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top))
    cv2.polylines(image, ways, True, DARK, wanted.thickness + 2)
    cv2.polylines(image, ways, True, mask_color(one.index), wanted.thickness, cv2.LINE_AA)


def _legend(image: BgrImage, segments: tuple[Segment, ...], wanted: Style) -> None:
    pad, letters = wanted.pad, height_of(wanted)
    row = letters + 2 * pad
    rows = segments[: max(0, image.shape[0] - 4 * pad) // row]
    swatch = letters + pad
    longest = max(width_of(f"{to_ascii(one.label)}  100%", wanted) for one in segments)
    most = max(1, round(_WIDEST * image.shape[1]))
    width = min(longest + swatch + 3 * pad, most)
    panel = image[pad : pad + len(rows) * row + pad, pad : pad + width]
    darken(panel)
    for number, one in enumerate(rows):
        _entry(panel, one, pad + letters + number * row, wanted)


def _entry(panel: BgrImage, one: Segment, base: int, wanted: Style) -> None:
    pad, letters = wanted.pad, height_of(wanted)
    percent = f"{100 * one.share:.0f}%" if one.share >= 0.01 else "<1%"
    right = panel.shape[1] - pad
    start = letters + 2 * pad
    room = right - start - width_of("  100%", wanted)
    corner, opposite = (pad, base - letters), (pad + letters, base)
    cv2.rectangle(panel, corner, opposite, mask_color(one.index), cv2.FILLED)
    write(panel, truncate(to_ascii(one.label), "", wanted, room), (start, base), LIGHT, wanted)
    write(panel, percent, (right - width_of(percent, wanted), base), LIGHT, wanted)
