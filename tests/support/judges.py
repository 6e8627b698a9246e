"""Runs a model file on images with somebody else's software, in a process of its own.

    python judges.py WHO MODEL.tflite IMAGES.npz OUT.json

WHO is "mediapipe" (given the images as they are) or an interpreter that edge knows (given
them stretched). OUT holds one list of scores, and one of labels where WHO knows them, per image.
The interpreters bring clashing copies of one native library, and MediaPipe logs at exit: hence
the process.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def main(who: str, model: str, images: str, out: str) -> None:
    with np.load(images) as stored:
        pixels = [stored[name] for name in stored.files]
    answer = mediapipe(model, pixels) if who == "mediapipe" else interpreter(who, model, pixels)
    Path(out).write_text(json.dumps(answer))


def mediapipe(model: str, pixels: list[Any]) -> dict[str, Any]:
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import ImageClassifier, ImageClassifierOptions

    options = ImageClassifierOptions(BaseOptions(model_asset_path=model))
    scores, labels = [], set()
    with ImageClassifier.create_from_options(options) as classifier:
        for image in pixels:
            mp_image = mp.Image(mp.ImageFormat.SRGB, np.ascontiguousarray(image))
            categories = classifier.classify(mp_image).classifications[0].categories
            categories.sort(key=lambda category: category.index)
            scores.append([category.score for category in categories])
            labels.add(tuple(category.category_name for category in categories))
    (names,) = labels
    return {"package": f"mediapipe {mp.__version__}", "labels": names, "scores": scores}


def interpreter(who: str, model: str, pixels: list[Any]) -> dict[str, Any]:
    from edge.interpreter import load

    runtime = load(Path(model).read_bytes(), name=model, delegate="cpu", interpreter=who)
    spec = runtime.outputs[0]
    scores = [spec.dequantize(runtime.invoke(p[None])[0])[0].tolist() for p in pixels]
    return {"package": runtime.package, "scores": scores}


if __name__ == "__main__":
    main(*sys.argv[1:])
