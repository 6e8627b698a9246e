"""Benchmark: macro F1 of heads on imbalanced classes, balanced automatically and not at all.

    python tests/benchmarks/balance.py DATA [--seeds 5] [--weights FILE]

``DATA`` is the folder that EDGE_TEST_DATA names. Three classes of grocery6, drawn at random, keep a
tenth of their training and validation photos; the test photos stay. The exit code is 1 where the
mean macro F1 of ``--balance auto`` is below that of ``none``.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from converters.dataset.audit import Dataset
from converters.dataset.split import split
from converters.tasks.classify import head
from converters.tasks.classify.embeddings import Embeddings
from converters.tasks.classify.quality import class_figures, macro_figures
from converters.tasks.classify.suspects import EmbeddedImages
from edge.files import cache_folder

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from embedded_sets import embedded

FEWEST = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--cache", type=Path, default=cache_folder())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = options.data / "datasets" / "grocery6"
        dataset, images = embedded(folder, options.weights, options.cache, Path(work))
    rows = [measure(dataset, images, seed) for seed in range(options.seeds)]
    auto, none = np.mean(rows, axis=0)
    print(f"mean macro F1: auto {auto:.3f}, none {none:.3f}")
    sys.exit(int(auto < none))


def measure(dataset: Dataset, images: EmbeddedImages, seed: int) -> tuple[float, float]:
    """Return the macro F1 of both heads on the test split."""
    sides = split(dataset, seed)
    rare = np.random.default_rng(seed).permutation(len(dataset.classes))[::2]
    train, validation = (tenth(dataset, side, rare) for side in (sides.train, sides.validation))
    embeddings = Embeddings(
        images.features[train][:, None], dataset.labels[train], images.features[validation],
        dataset.labels[validation], ("image",), computed=0, cached=0,
    )  # fmt: skip
    fitted = {name: head.fit(embeddings, name, seed) for name in ("auto", "none")}
    truth = dataset.labels[sides.test]
    scores = {
        name: macro_figures(
            class_figures(truth, h.scores(images.features[sides.test]).argmax(1), dataset.classes)
        )["macro_f1"]
        for name, h in fitted.items()
    }
    print(f"seed {seed}: auto {scores['auto']:.3f} ({fitted['auto'].balance}), none "
          f"{scores['none']:.3f}", flush=True)  # fmt: skip
    return scores["auto"], scores["none"]


def tenth(dataset: Dataset, side: np.ndarray, rare: np.ndarray) -> np.ndarray:
    """Return the images of a side, of rare classes every tenth."""
    kept = []
    for label in range(len(dataset.classes)):
        own = side[dataset.labels[side] == label]
        kept.append(own[: max(FEWEST, round(len(own) / 10))] if label in rare else own)
    return np.sort(np.concatenate(kept))


if __name__ == "__main__":
    main()
