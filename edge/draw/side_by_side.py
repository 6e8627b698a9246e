"""Two images beside each other."""

import cv2
import numpy as np

from edge.draw.labels import DARK, LIGHT, paste, render_label, style, to_ascii, truncate
from edge.frame import BgrImage


def side_by_side(image: BgrImage, other: BgrImage | None, text: str) -> BgrImage:
    """An image and, in a field of its size to the right, another one with ``text`` upon it.

    The other keeps its proportions. Without it the field is dark, so that the size stays the same.
    """
    height, width = image.shape[:2]
    wide = cv2.copyMakeBorder(image, 0, 0, 0, width, cv2.BORDER_CONSTANT, value=DARK)
    made = np.asarray(wide, np.uint8)
    field = made[:, width:]
    if other is not None:
        scale = min(width / other.shape[1], height / other.shape[0])
        size = (max(1, round(other.shape[1] * scale)), max(1, round(other.shape[0] * scale)))
        kind = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        paste(field, cv2.resize(other, size, interpolation=kind).astype(np.uint8, copy=False),
            (width - size[0]) // 2, (height - size[1]) // 2)  # fmt: skip
    wanted = style(image)
    words = truncate(to_ascii(text), "", wanted, width - 4 * wanted.pad)
    paste(field, render_label(words, LIGHT, wanted), wanted.pad, wanted.pad)
    return made
