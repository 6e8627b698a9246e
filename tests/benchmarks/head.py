"""Benchmark: the head of `edge convert` beside scikit-learn's logistic regression.

    python tests/benchmarks/head.py WEIGHTS.h5 [--splits 8] [--data DIR] [--json]

Three data sets (grocery6, 1,000 images of Fashion-MNIST, 1,000 digits) and eight splits of each.
Both solvers fit the same embeddings, selected alike on the validation split; the figures are
accuracy and log-loss on the test split, and CPU time, as means over the splits, and the paired
difference with its standard error.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import cv2
import numpy as np

from converters.backbone import weights
from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.class_audit import audit_classes
from converters.dataset.intake import list_images
from converters.dataset.split import Split, split
from converters.quickstart import render
from converters.tasks.classify import head
from converters.tasks.classify.embeddings import Embeddings, embed
from converters.terminal_progress import TerminalProgress
from edge import logistic_regression
from edge.files import cache_folder
from edge.preprocessing import Preprocessing

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
import scikit_learn_head

PER_CLASS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("weights")
    parser.add_argument("--splits", type=int, default=8)
    parser.add_argument("--data", type=Path, default=os.environ.get("EDGE_TEST_DATA"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    backbone = weights.load(options.weights, None, None, 0)
    table = {}
    with tempfile.TemporaryDirectory() as work:
        for name, photos in DATASETS.items():
            folder = photos(options.data / "datasets", Path(work) / name)
            table[name] = compare(folder, backbone, options.splits, Path(work))
    if options.json:
        print(json.dumps(table, indent=2))
        return
    for name, rows in table.items():
        for solver, figures in rows.items():
            accuracy, log_loss, seconds = np.mean(figures, axis=0)
            print(f"{name:14} {solver:13} {accuracy:.4f} {log_loss:.4f} {seconds:.2f} CPU-s")
        change = np.subtract(rows["own"], rows["scikit-learn"])[:, :2]
        error = change.std(axis=0, ddof=1) / len(change) ** 0.5
        (accuracy, log_loss), (error_a, error_l) = change.mean(axis=0), error
        print(f"{name:14} own - scikit-learn, with standard errors:"
              f" {accuracy:+.4f} ± {error_a:.4f}, {log_loss:+.4f} ± {error_l:.4f}")  # fmt: skip


def compare(
    folder: Path, backbone: Backbone, splits: int, work: Path
) -> dict[str, list[tuple[float, float, float]]]:
    """Accuracy, log-loss and CPU seconds of each split, by solver."""
    progress = TerminalProgress()
    size = Preprocessing(backbone.size, backbone.size)
    dataset = audit_classes(list_images(folder, work), size, work, progress)
    rows: dict[str, list[tuple[float, float, float]]] = {"own": [], "scikit-learn": []}
    for seed in range(splits):
        sides = split(dataset, seed)
        embeddings = embed(backbone, dataset, sides, cache_folder(), progress)
        test = of_test_split(backbone, dataset, sides)
        rows["own"].append(measure(embeddings, *test))
        with mock.patch.object(logistic_regression, "fit", scikit_learn_head.fit):
            rows["scikit-learn"].append(measure(embeddings, *test))
    return rows


def of_test_split(
    backbone: Backbone, dataset: Dataset, sides: Split
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings, float32 [n, d], and labels of the test split, taken for a validation split."""
    turned = replace(sides, train=sides.train[:1], validation=sides.test)
    embeddings = embed(
        backbone, dataset, turned, cache_folder(), TerminalProgress(), views=("image",)
    )
    return embeddings.validation, embeddings.validation_labels


def measure(
    embeddings: Embeddings, features: np.ndarray, labels: np.ndarray
) -> tuple[float, float, float]:
    started = time.process_time()
    fitted = head.fit(embeddings)
    seconds = time.process_time() - started
    logits = (features @ fitted.kernel + fitted.bias).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    accuracy = float((logits.argmax(axis=1) == labels).mean())
    return accuracy, float(-logs[np.arange(len(labels)), labels].mean()), seconds


def grocery(data: Path, _: Path) -> Path:
    return data / "grocery6"


def fashion(data: Path, target: Path) -> Path:
    with np.load(data / "fashion_mnist" / "test_10000_part0.npz") as part:
        images, labels = part["x"], part["y"]
    return written(images, labels, target)


def digits(_: Path, target: Path) -> Path:
    from sklearn.datasets import load_digits

    source = load_digits()
    return written([render(image) for image in source.images], source.target, target)


def written(images: np.ndarray | list[np.ndarray], labels: np.ndarray, target: Path) -> Path:
    """Write the first images of each class into class folders."""
    for label in np.unique(labels):
        folder = target / str(label)
        folder.mkdir(parents=True)
        for row in np.flatnonzero(labels == label)[:PER_CLASS]:
            cv2.imwrite(str(folder / f"{row}.png"), images[row])
    return target


DATASETS: dict[str, Callable[[Path, Path], Path]] = {
    "grocery6": grocery,
    "fashion_mnist": fashion,
    "digits": digits,
}

if __name__ == "__main__":
    main()
