"""Benchmark: files from the weights beside those of TensorFlow's converter.

    python tests/benchmarks/writer.py DATASET [--weights FILE] [--size 224] [--seeds 5] [--json]

For each seed one head is fitted on the training split; from the same network come a float32, a
float16 and an int8 file on both ways, calibrated on the same images. "agreement" is the share of
validation and test images on which int8 names the same class as TensorFlow's float32 file, "mean"
and "max" the differences of scores. Times are of the processor, calibration included, without
TensorFlow's import.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np

from converters import tflite
from converters.backbone import weights
from converters.backbone.weights import Backbone
from converters.compression.context import calibration_set
from converters.dataset import class_audit, intake, split
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import SilentProgress
from converters.tasks.classify import head as heads
from converters.tasks.classify.embeddings import Embeddings
from converters.writer.classifier import ClassifierNetwork
from converters.writer.float_files import to_float16, to_float32
from converters.writer.folding import fold
from converters.writer.int8_file import to_int8
from converters.writer.ranges import RangeProbe, measure
from edge.interpreter import load
from edge.preprocessing import Preprocessing

Row = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--size", type=int)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    backbone = weights.load(options.weights, None, options.size, 0)
    preprocessing = Preprocessing(backbone.size, backbone.size)
    with tempfile.TemporaryDirectory() as work:
        listing = intake.list_images(options.dataset, Path(work))
        images = class_audit.audit_classes(listing, preprocessing, Path(work), SilentProgress())
    embeddings = embed(backbone, images)
    rows = []
    for seed in range(options.seeds):
        rows.append(compare(backbone, images, split.split(images, seed), embeddings, seed))
        if not options.json:
            print(
                f"seed {seed}: " + ", ".join(f"{k} {v:.4g}" for k, v in rows[-1].items()),
                flush=True,
            )
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    if options.json:
        print(json.dumps({"rows": rows, "means": means}, indent=2))
    else:
        print("means:  " + ", ".join(f"{name} {value:.4g}" for name, value in means.items()))


def embed(backbone: Backbone, images: Dataset) -> np.ndarray:
    """Embeddings of all images, float32 [n, d], by a file of the writer."""
    probe = RangeProbe(fold(backbone.arrays, backbone.size))
    return np.stack([probe.run(images.preprocessing.normalize(x)[None])[0] for x in images.pixels])


def compare(
    backbone: Backbone, images: Dataset, sides: Split, embeddings: np.ndarray, seed: int
) -> Row:
    """Figures of both ways for one split."""
    head = heads.fit(
        Embeddings(
            embeddings[sides.train][:, None], images.labels[sides.train],
            embeddings[sides.validation], images.labels[sides.validation],
            ("identity",), 0, 0,
        )
    )  # fmt: skip
    model = heads.assemble(backbone, len(images.classes), head.kernel, head.bias)
    samples = calibration_set(images, sides, seed)
    preprocessing = images.preprocessing

    def write() -> tuple[bytes, bytes, bytes]:
        network = ClassifierNetwork.from_model(model).folded()
        ranges = measure(network, samples, preprocessing)
        return to_float32(network), to_float16(network), to_int8(network, ranges)

    def convert() -> tuple[bytes, bytes, bytes]:
        return (
            tflite.to_float32(model), tflite.to_float16(model),
            tflite.to_int8(model, samples, preprocessing),
        )  # fmt: skip

    theirs, converter_s = timed(convert)
    ours, writer_s = timed(write)
    rows = np.concatenate([sides.validation, sides.test])
    truth = scores(theirs[0], images, rows)
    row: Row = {"writer_s": writer_s, "converter_s": converter_s}
    row["float32_max"] = float(np.abs(scores(ours[0], images, rows) - truth).max())
    for name, content in (("writer", ours[2]), ("converter", theirs[2])):
        close = scores(content, images, rows)
        row |= {
            f"{name}_accuracy": float((close.argmax(1) == images.labels[rows]).mean()),
            f"{name}_agreement": float((close.argmax(1) == truth.argmax(1)).mean()),
            f"{name}_mean": float(np.abs(close - truth).mean()),
            f"{name}_max": float(np.abs(close - truth).max()),
        }
    return row


def timed(function: Callable[[], tuple[bytes, bytes, bytes]]) -> tuple[tuple[bytes, ...], float]:
    started = time.process_time()
    return function(), time.process_time() - started


def scores(content: bytes, images: Dataset, rows: np.ndarray) -> np.ndarray:
    """Scores, float32 [n, classes], as a file gives them."""
    runtime = load(content, name="file", delegate="cpu", trusted=True)
    spec, pixels = runtime.outputs[0], images.pixels[rows]
    fed = pixels if runtime.inputs[0].dtype == "uint8" else images.preprocessing.normalize(pixels)
    return np.concatenate([spec.dequantize(runtime.invoke(x[None])[0]) for x in fed])


if __name__ == "__main__":
    main()
