"""A data set that is made, not collected: colored shapes on noise, learnable in seconds."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SHAPES = ("circle", "square", "triangle")
FORMATS = ("jpg", "png", "bmp", "webp")
COLORS = {"circle": (40, 60, 220), "square": (60, 200, 60), "triangle": (220, 90, 40)}  # BGR


def write_dataset(folder: Path, per_class: int = 24, seed: int = 0) -> None:
    """Write ``per_class`` images for each of SHAPES into ``folder/SHAPE/``, formats in turn."""
    rng = np.random.default_rng(seed)
    for shape in SHAPES:
        (folder / shape).mkdir(parents=True)
        for index in range(per_class):
            path = folder / shape / f"{shape}_{index:02d}.{FORMATS[index % len(FORMATS)]}"
            assert cv2.imwrite(str(path), draw(shape, rng))


def draw(shape: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One image, BGR uint8, 64 to 120 pixels a side."""
    height, width = (int(n) for n in rng.integers(64, 121, 2))
    background = rng.integers(60, 200, 3)
    noise = rng.integers(-40, 41, (height, width, 3))
    image = np.clip(background + noise, 0, 255).astype(np.uint8)
    color = [int(n) for n in np.clip(np.array(COLORS[shape]) + rng.integers(-30, 31, 3), 0, 255)]
    radius = int(min(height, width) * rng.uniform(0.25, 0.4))
    x = int(rng.integers(radius, width - radius))
    y = int(rng.integers(radius, height - radius))
    if shape == "circle":
        cv2.circle(image, (x, y), radius, color, -1)
    elif shape == "square":
        cv2.rectangle(image, (x - radius, y - radius), (x + radius, y + radius), color, -1)
    else:
        corners = [(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)]
        cv2.fillPoly(image, [np.array(corners, np.int32)], color)
    return image
