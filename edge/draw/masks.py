"""Colored segments and their legend."""

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
"""Opacity of a segment's color."""

_HUES, _FIRST = 12, 0.163
"""Number of saturated hues, with as many pale ones between them; the first hue."""

_MAX_WIDTH = 0.45
"""Maximum width of the legend, as a fraction of the image's."""


def segmentation(image: BgrImage, result: Segmentation) -> None:
    """Tint and outline each segment in place, with a legend in the upper left corner.

    The legend shows each segment's share of the image; segments that do not fit are left out.
    """
    if not result.segments:
        return
    _tint(image, result)
    text_style = style(image)
    for segment in result.segments:
        _outline(image, result.mask, segment, text_style)
    _legend(image, result.segments, text_style)


@lru_cache(maxsize=256)
def mask_color(index: int) -> Color:
    """Return the color of a class in masks, where many are side by side: 24 differ well."""
    pale = index // _HUES % 2
    hue = _FIRST + (5 * index % _HUES + pale / 2) / _HUES  # by 5, so that neighbors differ
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, 0.5 if pale else 0.85, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)


def _tint(image: BgrImage, result: Segmentation) -> None:
    colors = np.zeros((256, 1, 3), np.uint8)
    covered = np.zeros(256, np.uint8)
    for segment in result.segments:
        colors[segment.index, 0], covered[segment.index] = mask_color(segment.index), 255
    painted = cv2.LUT(cv2.merge([result.mask] * 3), colors)
    mixed = cv2.addWeighted(image, 1 - _TINT, painted, _TINT, 0)
    cv2.copyTo(mixed, cv2.LUT(result.mask, covered), image)


def _outline(image: BgrImage, mask: NDArray[np.uint8], segment: Segment, text_style: Style) -> None:
    left, top, right, bottom = map(round, segment.box)
    region = (mask[top:bottom, left:right] == segment.index).view(np.uint8)
    contours, _ = cv2.findContours(
        region, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top)
    )
    cv2.polylines(image, contours, True, DARK, text_style.thickness + 2)
    cv2.polylines(
        image, contours, True, mask_color(segment.index), text_style.thickness, cv2.LINE_AA
    )


def _legend(image: BgrImage, segments: tuple[Segment, ...], text_style: Style) -> None:
    pad, letters = text_style.pad, height_of(text_style)
    row = letters + 2 * pad
    rows = segments[: max(0, image.shape[0] - 4 * pad) // row]
    swatch = letters + pad
    longest = max(width_of(f"{to_ascii(segment.label)}  100%", text_style) for segment in segments)
    max_width = max(1, round(_MAX_WIDTH * image.shape[1]))
    width = min(longest + swatch + 3 * pad, max_width)
    panel = image[pad : pad + len(rows) * row + pad, pad : pad + width]
    darken(panel)
    for number, segment in enumerate(rows):
        _entry(panel, segment, pad + letters + number * row, text_style)


def _entry(panel: BgrImage, segment: Segment, base: int, text_style: Style) -> None:
    pad, letters = text_style.pad, height_of(text_style)
    percent = f"{100 * segment.share:.0f}%" if segment.share >= 0.01 else "<1%"
    right = panel.shape[1] - pad
    start = letters + 2 * pad
    room = right - start - width_of("  100%", text_style)
    corner, opposite = (pad, base - letters), (pad + letters, base)
    cv2.rectangle(panel, corner, opposite, mask_color(segment.index), cv2.FILLED)
    write(
        panel,
        truncate(to_ascii(segment.label), "", text_style, room),
        (start, base),
        LIGHT,
        text_style,
    )
    write(panel, percent, (right - width_of(percent, text_style), base), LIGHT, text_style)
