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

import numpy as np

from converters.dataset.audit import Dataset
from converters.tasks.classify.suspects import EmbeddedImages, find_suspects
from edge.files import cache_folder

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from embedded_sets import embedded, fashion_images

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
