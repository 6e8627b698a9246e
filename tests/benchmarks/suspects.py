"""Benchmark: how many wrong labels are among the worst suspects.

    python tests/benchmarks/suspects.py DATA [--seeds 5] [--weights FILE] [--per-class 1000]

``DATA`` is the folder that EDGE_TEST_DATA names. On grocery6 and on images of Fashion-MNIST, 5 % of
the labels are changed to another class at random, and as many of the worst suspects are looked at:
printed is the share of them whose label was changed. The exit code is 1 where the mean of a data
set is below 80 %.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from converters.backbone import weights
from converters.dataset.audit import Dataset
from converters.dataset.class_audit import audit_classes
from converters.dataset.intake import list_images
from converters.progress import SilentProgress
from converters.tasks.classify.suspects import EmbeddedImages, embed_all, find_suspects
from edge.files import cache_folder
from edge.preprocessing import Preprocessing

SHARE, GOAL = 0.05, 0.8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--per-class", type=int, default=1000)
    parser.add_argument("--cache", type=Path, default=cache_folder())
    options = parser.parse_args()
    sets = options.data / "datasets"
    missed = False
    with tempfile.TemporaryDirectory() as work:
        fashion = fashion_images(sets / "fashion_mnist", Path(work) / "f", options.per_class)
        for name, folder in (("grocery6", sets / "grocery6"), ("fashion_mnist", fashion)):
            dataset, images = embedded(folder, options.weights, options.cache, Path(work))
            shares = [precision(dataset, images, seed) for seed in range(options.seeds)]
            missed |= bool(np.mean(shares) < GOAL)
            listed = " ".join(f"{share:.3f}" for share in shares)
            print(f"{name:14} {len(images.labels)} images  {listed}  mean {np.mean(shares):.3f}",
                  flush=True)  # fmt: skip
    sys.exit(int(missed))


def fashion_images(source: Path, target: Path, per_class: int) -> Path:
    """Write the first images of each class of the training set as PNG files."""
    parts = [np.load(source / f"train_10000_part{part}.npz") for part in (0, 1)]
    images, labels = (np.concatenate([part[key] for part in parts]) for key in "xy")
    for label in np.unique(labels):
        (target / str(label)).mkdir(parents=True)
        for index in np.flatnonzero(labels == label)[:per_class]:
            cv2.imwrite(str(target / str(label) / f"{index:05d}.png"), images[index])
    return target


def embedded(folder: Path, name: str, cache: Path, work: Path) -> tuple[Dataset, EmbeddedImages]:
    """Read and embed all images of a folder."""
    backbone = weights.load(name, None, None, 0, SilentProgress())
    size = Preprocessing(backbone.size, backbone.size)
    dataset = audit_classes(list_images(folder, work), size, work, SilentProgress())
    every = np.arange(len(dataset.images))
    return dataset, embed_all(backbone, dataset, every, cache, SilentProgress())


def precision(dataset: Dataset, images: EmbeddedImages, seed: int) -> float:
    """Change labels, and return the share of the worst suspects that they are."""
    labels, changed = with_errors(images.labels, SHARE, seed)
    suspects = find_suspects(replace(images, labels=labels), dataset, seed)
    assert suspects is not None
    names = {dataset.images[index].name for index in images.indices[changed]}
    worst = suspects[: len(changed)]
    return sum(row.file in names for row in worst) / len(changed)


def with_errors(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of which a share is changed to another class, and the rows of those."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(labels), round(share * len(labels)), replace=False)
    classes = int(labels.max()) + 1
    wrong = labels.copy()
    wrong[chosen] = (labels[chosen] + rng.integers(1, classes, len(chosen))) % classes
    return wrong, chosen


if __name__ == "__main__":
    main()
