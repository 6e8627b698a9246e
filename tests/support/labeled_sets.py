"""Small labeled data sets for the tiny models: of classes, boxes and masks."""

import json
from pathlib import Path

import color_photos
import cv2
import mask_models
import numpy as np
import tiny_models

from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata

COLORS = {"red": (0, 0, 250), "green": (0, 250, 0), "blue": (250, 0, 0)}
"""Blue, green, red."""


def colors(folder: Path, count: int = 6) -> Path:
    """Write photos of three colors in class folders; one of the red ones is blue."""
    for color in COLORS:
        color_photos.write(folder / color, color, count)
    cv2.imwrite(str(folder / "red" / "wrong.png"), color_photos.image("blue"))
    return folder


def color_models(folder: Path) -> tuple[Path, Path]:
    """Write a classifier of the colors, and one that takes red for green and the reverse."""
    right, wrong = folder / "right.tflite", folder / "wrong.tflite"
    right.write_bytes(tiny_models.color_classifier())
    about = ModelMetadata(labels=("green", "red", "blue"), mean=(127.5,), std=(127.5,))
    wrong.write_bytes(write_metadata(tiny_models.color_model("int8"), about))
    return right, wrong


def boxes(folder: Path, images: int = 4) -> Path:
    """Write a COCO data set of images 64 × 64: a cat on the left and, but in the last, a dog.

    The last image but one has neither. The cats are where :func:`detector` detects them.
    """
    (folder / "images").mkdir(parents=True)
    annotations = []
    for number in range(1, images + 1):
        cv2.imwrite(str(folder / "images" / f"{number}.png"), np.full((64, 64, 3), 90, np.uint8))
        if number == images - 1:
            continue
        annotations.append((number, 1, [0, 16, 32, 32]))
        if number != images:
            annotations.append((number, 2, [36, 16, 28, 32]))
    labels = {
        "images": [
            {"id": n, "file_name": f"{n}.png", "width": 64, "height": 64}
            for n in range(1, images + 1)
        ],
        "categories": [{"id": 1, "name": "Cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": n, "image_id": image, "category_id": kind, "bbox": box, "iscrowd": 0,
             "area": box[2] * box[3]}
            for n, (image, kind, box) in enumerate(annotations, 1)
        ],
    }  # fmt: skip
    (folder / "annotations.json").write_text(json.dumps(labels))
    return folder


def detector(folder: Path) -> Path:
    """Write a detector that detects a cat in the left half and a dog in the right, always."""
    model = folder / "detector.tflite"
    about = ModelMetadata(labels=("cat", "dog"))
    model.write_bytes(write_metadata(tiny_models.detector_model(), about))
    return model


def counter(folder: Path) -> Path:
    """Write a detector of points that finds a cat on the left and a dog on the right, always."""
    model = folder / "counter.tflite"
    about = ModelMetadata(
        labels=("cat", "dog"), task="detect", threshold=0.5,
        head={"object_sizes": [[0.5, 0.5], [0.4, 0.5]]},
    )  # fmt: skip
    content = tiny_models.centers_model([(20, 32, 0), (50, 30, 1)])
    model.write_bytes(write_metadata(content, about))
    return model


def masks(folder: Path, images: int = 3) -> Path:
    """Write images whose left half is green and right half red, with masks: the last is wrong.

    Classes: background, green thing, red thing.
    """
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(1, images + 1):
        image = mask_models.halves(COLORS["green"], COLORS["red"])
        mask = np.zeros(image.shape[:2], np.uint8)
        mask[:, :32], mask[:, 32:] = (1, 2) if number < images else (2, 1)
        mask[:4] = 255
        cv2.imwrite(str(folder / "images" / f"{number}.png"), image)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask)
    (folder / "classes.txt").write_text("background\nGreen_thing\nred thing\n")
    return folder


def segmenter(folder: Path) -> Path:
    """Write a model that segments by color: red is class 0, green 1, blue 2."""
    model = folder / "segmenter.tflite"
    about = ModelMetadata(
        labels=("red thing", "green thing", "background"), mean=(127.5,), std=(127.5,)
    )
    model.write_bytes(write_metadata(mask_models.scores_model(), about))
    return model
