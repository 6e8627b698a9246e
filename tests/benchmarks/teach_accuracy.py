"""Benchmark: a taught model beside `edge convert --fine-tune never` on the same few images.

    python tests/benchmarks/teach_accuracy.py DATA [--images 5 30] [--draws 10] [--only NAME]

``DATA`` is the folder that EDGE_TEST_DATA names. Each draw takes so many images of every class of
grocery6 and of Fashion-MNIST; both commands learn from this folder with the built-in backbone, and
their int8 files classify images that were not drawn (up to 40 of each class). Printed are the
accuracies, and their means with the standard error of the mean difference.
"""

import argparse
import itertools
import random
import shutil
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

import converters
import edge
from edge.image_format import SUFFIXES

TESTED = 40
FASHION = 80  # images of each class

Images = dict[str, list[Path]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, nargs="+", default=[5, 30])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        for name, images in datasets(options.data / "datasets", Path(work)):
            if options.only not in name:
                continue
            for count in options.images:
                rows = draws(images, count, Path(work) / f"{name}-{count}")
                title = f"{name}, {count} images of each class"
                report(title, np.array(list(islice(rows, options.draws))))


def datasets(folder: Path, work: Path) -> Iterator[tuple[str, Images]]:
    grocery = folder / "grocery6"
    yield (
        "grocery6",
        {
            label.name: sorted(p for p in label.rglob("*") if p.suffix.lower() in SUFFIXES)
            for label in sorted(grocery.iterdir())
            if label.is_dir()
        },
    )
    with np.load(folder / "fashion_mnist" / "test_10000_part0.npz") as part:
        pixels, labels = (part[name] for name in part.files)
    fashion: Images = {}
    for label in range(10):
        target = work / "fashion" / f"class{label}"
        target.mkdir(parents=True)
        for index in np.flatnonzero(labels == label)[:FASHION]:
            cv2.imwrite(str(target / f"{index:05d}.png"), pixels[index])
        fashion[target.name] = sorted(target.iterdir())
    yield "fashion_mnist", fashion


def draws(images: Images, count: int, work: Path) -> Iterator[tuple[float, float]]:
    """Yield the accuracies of one draw after the other, for ever."""
    for draw in itertools.count():
        try:
            yield compare(images, count, draw, work / str(draw))
        except edge.DatasetError as error:  # too few of a class look different: not to be split
            print(f"  draw {draw} is left out: {error.expected}")


def compare(images: Images, count: int, draw: int, work: Path) -> tuple[float, float]:
    """Return the accuracy of the taught and of the converted file."""
    photos = work / "photos"
    held_out: list[tuple[Path, str]] = []
    for label, files in images.items():
        drawn = random.Random(draw).sample(files, len(files))
        (photos / label).mkdir(parents=True)
        for file in drawn[:count]:
            shutil.copy(file, photos / label)
        held_out += [(file, label) for file in drawn[count : count + TESTED]]
    taught = edge.teach(photos, work / "taught", say=lambda _: None).model
    converters.convert(photos, work / "converted", weights="builtin", fine_tune="never", seed=draw)
    result = accuracy(taught, held_out), accuracy(work / "converted", held_out)
    shutil.rmtree(work)
    print(f"  draw {draw}: taught {result[0]:.1%}, converted {result[1]:.1%}", flush=True)
    return result


def accuracy(model: Path, held_out: list[tuple[Path, str]]) -> float:
    classifier = edge.Classifier.open(model, threshold=0)
    right = [classifier.predict(file).best.label == label for file, label in held_out]
    return float(np.mean(right))


def report(title: str, rows: np.ndarray) -> None:
    taught, converted = rows.T
    ahead = taught - converted
    error = ahead.std(ddof=1) / np.sqrt(len(ahead)) if len(ahead) > 1 else float("nan")
    print(
        f"{title}: taught {taught.mean():.1%}, converted {converted.mean():.1%}, "
        f"difference {100 * ahead.mean():+.1f} ± {100 * error:.1f} points",
        flush=True,
    )


if __name__ == "__main__":
    main()
