"""Objects that are points: a dot each, and how many there are of each class.

There may be hundreds of them, so that only tracked ones have a label, their number.
"""

from collections import Counter
from collections.abc import Sequence

import cv2

from edge.draw.labels import DARK, Style, color_of, paste, render_label, style, to_ascii, truncate
from edge.frame import BgrImage
from edge.results import Detection

_SHARE = 0.25
"""Radius of a dot in sides of the object's box, within the limits of the image's style."""


def points(image: BgrImage, objects: Sequence[Detection]) -> None:
    """Draw objects that have a point, and their numbers by class in the upper left corner."""
    text_style = style(image)
    for detection in reversed(objects):
        _dot(image, detection, text_style)
    _legend(image, objects, text_style)


def _dot(image: BgrImage, detection: Detection, text_style: Style) -> None:
    assert detection.point is not None
    x, y = map(round, detection.point)
    left, top, right, bottom = detection.box
    number = detection.track_id
    tone = color_of(detection.index if number is None else number)
    side = _SHARE * min(right - left, bottom - top)
    radius = round(min(max(side, 2), 2.5 * text_style.line))
    cv2.circle(image, (x, y), radius + 1, DARK, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(image, (x, y), radius, tone, cv2.FILLED, cv2.LINE_AA)
    if number is not None:
        label = render_label(f"#{number}", tone, text_style)
        paste(image, label, x + radius + 1, y - label.shape[0] // 2)


def _legend(image: BgrImage, objects: Sequence[Detection], text_style: Style) -> None:
    """Write a line for each class, as far as there is room."""
    counts = Counter((detection.index, detection.label) for detection in objects)
    pad = text_style.pad
    top = pad
    for (index, name), count in sorted(counts.items()):
        rest = f" x {count}"
        text = truncate(to_ascii(name), rest, text_style, image.shape[1] - 4 * pad)
        label = render_label(text, color_of(index), text_style)
        if top + label.shape[0] > image.shape[0]:
            break
        paste(image, label, pad, top)
        top += label.shape[0] + pad // 2
