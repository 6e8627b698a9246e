"""Benchmark: how far scores are from the truth on unseen images, before and after calibration.

    python tests/benchmarks/calibration.py DATA [--seeds 5] [--cache FOLDER] [--only NAME]

``DATA`` is the folder that EDGE_TEST_DATA names. For digits, grocery6, 3 × 20 photos of it and
Fashion-MNIST, each seed draws another split and fits another head on embeddings of the frozen
backbone, as ``edge convert`` does; nothing is converted. Printed are the temperature, accuracy and
the expected calibration error (ECE) on the test split before and after, and their means. The exit
code is 1 where a mean rose.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from converters import quickstart
from converters.backbone import weights
from converters.backbone.weights import Backbone
from converters.dataset import class_audit, intake, split
from converters.dataset.audit import Dataset
from converters.progress import SilentProgress
from converters.tasks.classify import head
from converters.tasks.classify.embedding_cache import embed_by_file
from converters.tasks.classify.embeddings import embed
from converters.verification.calibration import fit_temperature, reliability, scale_probabilities
from edge.files import cache_folder
from edge.preprocessing import Preprocessing

IMAGENET = "models/keras/mobilenet_v2_1.0_224_no_top.weights.h5"
FASHION = 200  # images of each class
SMALL = (3, 20)  # classes, and photos of each
ROUNDING = 1e-6  # of an ECE, by scores in float32


@dataclass(frozen=True)
class Case:
    """A dataset as a folder, the weights to embed it with, and the views that are allowed."""

    name: str
    folder: Path
    weights: str
    views: tuple[str, ...] = ("image", "mirror")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=cache_folder())
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    worse = False
    with tempfile.TemporaryDirectory() as work:
        for case in cases(options.data, Path(work)):
            if options.only not in case.name:
                continue
            rows = np.array(list(measure(case, options.seeds, options.cache, Path(work))))
            for seed, row in enumerate(rows):
                print(f"{case.name:28} seed {seed}  {text(row)}")
            print(f"{case.name:28} mean    {text(rows.mean(0))}", flush=True)
            worse |= bool(rows.mean(0)[-1] > rows.mean(0)[-2] + ROUNDING)
    sys.exit(int(worse))


def text(row: np.ndarray) -> str:
    temperature, accuracy, *errors = row
    loss, ece = errors[:2], errors[2:]
    return (
        f"T {temperature:5.2f}  accuracy {accuracy:6.1%}  log-loss {loss[0]:.3f} -> {loss[1]:.3f}"
        f"  ECE {ece[0]:6.2%} -> {ece[1]:6.2%}"
    )


def cases(data: Path, work: Path) -> Iterator[Case]:
    """Yield the datasets; those that are not folders are written below ``work``."""
    imagenet, grocery = str(data / IMAGENET), data / "datasets" / "grocery6"
    quickstart.write_images(work / "digits", work / "unseen", quickstart.UNSEEN, quickstart.SEED)
    yield Case("digits, builtin", work / "digits", "builtin", ("image",))
    small = few_photos(grocery, work / "small")
    for name, folder in (("grocery6", grocery), ("3 x 20 photos", small)):
        yield Case(f"{name}, builtin", folder, "builtin")
        yield Case(f"{name}, imagenet", folder, imagenet)
    fashion = fashion_images(data / "datasets" / "fashion_mnist", work / "fashion")
    yield Case("fashion_mnist, builtin", fashion, "builtin")


def few_photos(grocery: Path, target: Path) -> Path:
    """Link the first photos of the first classes."""
    classes, photos = SMALL
    for folder in sorted(path for path in grocery.iterdir() if path.is_dir())[:classes]:
        (target / folder.name).mkdir(parents=True)
        for photo in sorted(folder.iterdir())[:photos]:
            (target / folder.name / photo.name).symlink_to(photo.resolve())
    return target


def fashion_images(source: Path, target: Path) -> Path:
    """Write the first images of each class of the test set as PNG files."""
    with np.load(source / "test_10000_part0.npz") as part:
        images, labels = part["x"], part["y"]
    for label in np.unique(labels):
        (target / str(label)).mkdir(parents=True)
        for index in np.flatnonzero(labels == label)[:FASHION]:
            cv2.imwrite(str(target / str(label) / f"{index:05d}.png"), images[index])
    return target


def measure(case: Case, seeds: int, cache: Path, work: Path) -> Iterator[tuple[float, ...]]:
    """Yield temperature, accuracy, log-loss before and after, and ECE before and after."""
    backbone = weights.load(case.weights, None, None, 0, SilentProgress())
    pixels = Preprocessing(backbone.size, backbone.size)
    listing = intake.list_images(case.folder, work)
    dataset = class_audit.audit_classes(listing, pixels, work, SilentProgress())
    for seed in range(seeds):
        yield one(case, backbone, dataset, seed, cache)


def one(
    case: Case, backbone: Backbone, dataset: Dataset, seed: int, cache: Path
) -> tuple[float, ...]:
    sides = split.split(dataset, seed)
    seen = embed(backbone, dataset, sides, cache, SilentProgress(), case.views)
    unseen = embed_by_file(seen.extractor, dataset, sides.test, cache, "", SilentProgress())
    fitted = head.fit(seen)

    def scores(features: np.ndarray) -> np.ndarray:
        logits = features @ fitted.kernel + fitted.bias
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return (powers / powers.sum(1, keepdims=True)).astype(np.float32)

    before, truth = scores(unseen), dataset.labels[sides.test]
    temperature = fit_temperature(scores(seen.validation), seen.validation_labels)
    trust = [reliability(s, truth) for s in (before, scale_probabilities(before, temperature))]
    accuracy = float((before.argmax(1) == truth).mean())
    return temperature, accuracy, *(t.log_loss for t in trust), *(t.ece for t in trust)


if __name__ == "__main__":
    main()
