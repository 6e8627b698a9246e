"""Matched poses: the image with its people, and beside it the image of the most similar pose."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from edge.draw.labels import DARK, LIGHT, paste, render_label, style, to_ascii, truncate
from edge.draw.skeleton import poses
from edge.frame import BgrImage
from edge.image import read_image
from edge.results import MatchedPoses


def matched_poses(image: BgrImage, result: MatchedPoses, min_score: float) -> BgrImage:
    """Draw the people in place, and return a wider image with the match beside them.

    A match that is a mirror image is flipped. Keypoints with a score below ``min_score`` are left
    out. The size is the same with and without a match: [height, 2 × width, 3].
    """
    poses(image, result, min_score)
    match = result.match
    if match is None:
        return side_by_side(image, None, "no person detected")
    frame = "" if match.frame is None else f" {match.frame}"
    text = f"{match.name}{frame}  {100 * match.similarity:.0f}%"
    return side_by_side(image, _match_image(match.image, match.mirrored), text)


def side_by_side(image: BgrImage, other: BgrImage | None, text: str) -> BgrImage:
    """Return an image and, in a field of its size to the right, another one with ``text`` on it.

    The other keeps its aspect ratio. Without it the field is dark, so that the size is the same.
    """
    height, width = image.shape[:2]
    wide = cv2.copyMakeBorder(image, 0, 0, 0, width, cv2.BORDER_CONSTANT, value=DARK)
    canvas = np.asarray(wide, np.uint8)
    field = canvas[:, width:]
    if other is not None:
        scale = min(width / other.shape[1], height / other.shape[0])
        size = (max(1, round(other.shape[1] * scale)), max(1, round(other.shape[0] * scale)))
        interpolation = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        resized = cv2.resize(other, size, interpolation=interpolation).astype(np.uint8, copy=False)
        paste(field, resized, (width - size[0]) // 2, (height - size[1]) // 2)
    text_style = style(image)
    label = truncate(to_ascii(text), "", text_style, width - 4 * text_style.pad)
    paste(field, render_label(label, LIGHT, text_style), text_style.pad, text_style.pad)
    return canvas


@lru_cache(maxsize=32)
def _match_image(path: Path, mirrored: bool) -> BgrImage:
    """Return an image of the index, uint8 BGR, flipped where it is ``mirrored``."""
    image = read_image(path)
    return np.asarray(cv2.flip(image, 1), np.uint8) if mirrored else image
