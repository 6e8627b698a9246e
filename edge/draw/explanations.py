"""Pictures of explanations: one for each image, and a sheet of all."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from edge.draw.heatmaps import heatmap
from edge.draw.labels import DARK, LIGHT, height_of, style, to_ascii, truncate, write
from edge.explanation import Explanation
from edge.frame import BgrImage

_SHORTEST, _LONGEST = 320, 1024
"""Sides in pixels between which a picture is, so that its text can be read and its file is small.
The longest side counts more."""

_TILE, _GAP = 256, 8
_COLUMNS_PER_ROW = 4 / 3
"""About how many columns a sheet has for each of its rows."""


def overlay(image: BgrImage, explanation: Explanation) -> BgrImage:
    """Return an image, uint8 BGR [h, w, 3], with its map, and class and score on a strip below."""
    scale = max(1.0, _SHORTEST / min(image.shape[:2]))
    return _picture(image, explanation, min(scale, _LONGEST / max(image.shape[:2])))


def tile(image: BgrImage, explanation: Explanation) -> BgrImage:
    """Return the same for a contact sheet, whose text stays as large as on others."""
    return _picture(image, explanation, _TILE / max(image.shape[:2]))


def contact_sheet(tiles: Sequence[BgrImage]) -> BgrImage:
    """Return a sheet of tiles, uint8 BGR [h, w, 3], row by row; at least one."""
    columns = math.ceil(math.sqrt(len(tiles) * _COLUMNS_PER_ROW))
    columns = min(columns, len(tiles))
    width = _TILE + _GAP
    height = max(each.shape[0] for each in tiles) + _GAP
    rows = math.ceil(len(tiles) / columns)
    sheet: BgrImage = np.full((rows * height + _GAP, columns * width + _GAP, 3), DARK, np.uint8)
    for index, each in enumerate(tiles):
        top = _GAP + index // columns * height + (height - _GAP - each.shape[0])
        left = _GAP + index % columns * width + (_TILE - each.shape[1]) // 2
        sheet[top : top + each.shape[0], left : left + each.shape[1]] = each
    return sheet


def _picture(image: BgrImage, explanation: Explanation, scale: float) -> BgrImage:
    size = [max(1, round(scale * side)) for side in image.shape[1::-1]]
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)
    heatmap(picture, explanation.heatmap)
    return np.concatenate([picture, _strip(picture, explanation)])


def _strip(picture: BgrImage, explanation: Explanation) -> BgrImage:
    text_style = style(picture)
    pad, letters = text_style.pad, height_of(text_style)
    strip: BgrImage = np.full((letters + 4 * pad, picture.shape[1], 3), DARK, np.uint8)
    score = f"  {100 * explanation.explained.score:.1f}%"
    room = picture.shape[1] - 2 * pad
    text = truncate(to_ascii(explanation.explained.label), score, text_style, room)
    write(strip, text, (pad, letters + 2 * pad), LIGHT, text_style)
    return strip
