"""Generated images of small dots that look alike, for detectors of points."""

import json
from pathlib import Path

import cv2
import numpy as np

from converters.tasks.detect.augmentation import BoxedImage

SIZE, SIDE = 64, 10
"""Sides of an image and of a dot in pixels."""

_PLACES = 4
"""Places for dots along each side of an image."""


def images(count: int, seed: int = 0) -> tuple[BoxedImage, ...]:
    """Return images of up to nine yellow dots, a different number each, on dark noise."""
    return tuple(
        _image(np.random.default_rng((seed, number)), number % 10) for number in range(count)
    )


def _image(rng: np.random.Generator, count: int) -> BoxedImage:
    pixels = rng.integers(30, 60, (SIZE, SIZE, 3), dtype=np.uint8)
    step = SIZE / _PLACES
    chosen = rng.choice(_PLACES**2, count, replace=False)
    middles = np.stack(np.divmod(chosen, _PLACES)[::-1], axis=1) * step + step / 2
    middles = middles + rng.uniform(-2.5, 2.5, (count, 2))
    for x, y in middles:
        cv2.circle(pixels, (round(x), round(y)), SIDE // 2, (240, 220, 40), cv2.FILLED)
    boxes = np.concatenate([middles - SIDE / 2, middles + SIDE / 2], axis=1).astype(np.float32)
    return BoxedImage(pixels, boxes, np.zeros(count, np.int64), np.zeros((0, 4), np.float32))


def write(folder: Path, count: int) -> Path:
    """Write images of dots with their boxes in COCO's format."""
    folder.mkdir(parents=True, exist_ok=True)
    listed, annotations = [], []
    for number, image in enumerate(images(count)):
        name = f"{number:02}.png"
        cv2.imwrite(str(folder / name), image.pixels[..., ::-1])
        listed.append({"id": number, "file_name": name, "width": SIZE, "height": SIZE})
        for left, top, right, bottom in image.boxes.tolist():
            annotations.append({
                "id": len(annotations), "image_id": number, "category_id": 0, "iscrowd": 0,
                "bbox": [left, top, right - left, bottom - top],
                "area": (right - left) * (bottom - top),
            })  # fmt: skip
    content = {
        "images": listed, "annotations": annotations, "categories": [{"id": 0, "name": "dot"}],
    }  # fmt: skip
    (folder / "labels.json").write_text(json.dumps(content))
    return folder
