"""Drawn images of 64 × 64 pixels with masks: a red disc, a blue square, and gray noise behind."""

from pathlib import Path

import cv2
import numpy as np

from converters.tasks.segment.masks import MaskedImage

SIZE = 64
CLASSES = ("background", "red", "blue")
COLORS = ((220, 40, 40), (40, 60, 220))


def images(count: int, seed: int = 0) -> tuple[MaskedImage, ...]:
    """Return images of one or two things of 16 to 30 pixels."""
    return tuple(_image(np.random.default_rng((seed, number))) for number in range(count))


def write(folder: Path, count: int, *, names: bool = True) -> Path:
    """Write a data set of images/ and masks/, with classes.txt if it has ``names``."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images(count)):
        name = f"{number:02}.png"
        cv2.imwrite(str(folder / "images" / name), image.pixels[..., ::-1])
        cv2.imwrite(str(folder / "masks" / name), image.mask)
    if names:
        (folder / "classes.txt").write_text("\n".join(CLASSES))
    return folder


def _image(rng: np.random.Generator) -> MaskedImage:
    pixels = rng.integers(90, 150, (SIZE, SIZE, 3), dtype=np.uint8)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for half in rng.permutation(2)[: int(rng.integers(1, 3))].tolist():
        side, kind = int(rng.integers(16, 31)), int(rng.integers(2))
        left, top = 32 * half + int(rng.integers(0, 33 - side)), int(rng.integers(0, SIZE - side))
        thing = np.zeros_like(mask)
        if kind:
            thing[top : top + side, left : left + side] = 1
        else:
            cv2.circle(thing, (left + side // 2, top + side // 2), side // 2, 1, cv2.FILLED)
        pixels[thing > 0], mask[thing > 0] = COLORS[kind], 1 + kind
    return MaskedImage(pixels, mask)
