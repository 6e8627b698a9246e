"""Benchmark: `edge convert` beside TensorFlow's transfer-learning tutorial recipe.

    python tests/benchmarks/transfer.py DATASET WEIGHTS.h5 [--seeds 1] [--json]

Both start from the same ImageNet weights and are tested on the same images: the tutorial trains
on our training and validation sides and is judged on our test side. Each run is a whole process,
TensorFlow's import included. `edge convert` is timed twice: with an empty cache, and again with
one image added (embeddings, head, three conversions and the verification really done), and the
ratio to the tutorial run of the same seed in the same minutes is printed.
The recipe: tensorflow.org/tutorials/images/transfer_learning (augmentation layers, 10 epochs
frozen with Adam 1e-4, then 10 epochs from layer 100 on with RMSprop 1e-5, dropout 0.2).
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tutorial", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tutorial:
        tutorial(options.dataset, options.weights, options.tutorial)
        return
    rows = [compare(options.dataset, options.weights, seed) for seed in range(options.seeds)]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(
            f"seed {row['seed']}: tutorial {row['tutorial_s']:.1f} s, {row['tutorial']:.1%} (float)"
            f" | edge convert cold {row['cold_s']:.1f} s ({row['cold_ratio']:.1f} times faster),"
            f" one image added {row['warm_s']:.1f} s ({row['warm_ratio']:.1f} times faster),"
            f" float32 {row['float32']:.1%}, int8 {row['int8']:.1%}"
        )


def compare(dataset: Path, weights: Path, seed: int) -> dict[str, float]:
    """Run ours cold, the tutorial, and ours with one image added; figures of all three."""
    with tempfile.TemporaryDirectory() as work:
        photos, out = Path(work) / "photos", Path(work) / "out"
        shutil.copytree(dataset, photos)
        added = held_back(photos, Path(work))
        cold = edge_convert(photos, weights, out, seed, Path(work) / "cache")
        report = json.loads((out / "report.json").read_text())
        started = time.perf_counter()
        command = [sys.executable, __file__, str(photos), str(weights), "--tutorial", str(out)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        slow = time.perf_counter() - started
        added.rename(photos / added.parent.name / added.name)
        warm = edge_convert(photos, weights, out, seed, Path(work) / "cache")
    return {
        "seed": seed,
        "tutorial_s": slow,
        "tutorial": float(answer.stdout.split()[-1]),
        "cold_s": cold,
        "cold_ratio": slow / cold,
        "warm_s": warm,
        "warm_ratio": slow / warm,
        "float32": report["variants"]["float32"]["accuracy"],
        "int8": report["variants"]["int8"]["accuracy"],
    }


def held_back(photos: Path, work: Path) -> Path:
    """Take one image out of ``photos`` for later; its new path names its class folder."""
    image = next(p for p in sorted(photos.rglob("*")) if p.suffix.lower() in SUFFIXES)
    place = work / image.parent.name / image.name
    place.parent.mkdir()
    return image.rename(place)


def edge_convert(photos: Path, weights: Path, out: Path, seed: int, cache: Path) -> float:
    """Seconds of one whole `edge convert` process."""
    command = [sys.executable, "-m", "edge", "convert", str(photos), "-o", str(out), "--force",
               "--weights", str(weights), "--fine-tune", "never", "--seed", str(seed)]  # fmt: skip
    started = time.perf_counter()
    subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, "EDGE_CACHE": str(cache)}
    )
    return time.perf_counter() - started


def tutorial(photos: Path, weights: Path, out: Path) -> None:
    """The tutorial's recipe on the recorded split; prints its accuracy on the test side."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf
    import tf_keras as keras

    report = json.loads((out / "report.json").read_text())
    classes = report["dataset"]["classes"]
    by_digest = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path
        for path in photos.rglob("*")
        if path.suffix.lower() in SUFFIXES
    }
    sides = report["split"]

    def load(*names: str) -> tuple[np.ndarray, np.ndarray]:
        paths = [by_digest[digest] for name in names for digest in sides[name]]
        pixels = [cv2.resize(cv2.imread(str(p))[..., ::-1], (224, 224)) for p in paths]
        return np.array(pixels, np.float32), np.array([classes.index(p.parent.name) for p in paths])

    x, y = load("train", "validation")
    batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(1000, seed=report["seed"])
    batches = batches.batch(32).prefetch(tf.data.AUTOTUNE)
    keras.utils.set_random_seed(report["seed"])
    base = keras.applications.MobileNetV2((224, 224, 3), include_top=False, weights=None)
    base.load_weights(weights)
    base.trainable = False
    inputs = keras.Input((224, 224, 3))
    flow = keras.Sequential(
        [keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(0.2)]
    )(inputs)
    flow = keras.applications.mobilenet_v2.preprocess_input(flow)
    flow = keras.layers.GlobalAveragePooling2D()(base(flow, training=False))
    outputs = keras.layers.Dense(len(classes))(keras.layers.Dropout(0.2)(flow))
    model = keras.Model(inputs, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-4), loss, metrics=["accuracy"])
    model.fit(batches, epochs=10, verbose=0)
    base.trainable = True
    for layer in base.layers[:100]:
        layer.trainable = False
    model.compile(keras.optimizers.RMSprop(1e-5), loss, metrics=["accuracy"])
    model.fit(batches, epochs=20, initial_epoch=10, verbose=0)
    test_x, test_y = load("test")
    print(float((model.predict(test_x, verbose=0).argmax(1) == test_y).mean()))


if __name__ == "__main__":
    main()
