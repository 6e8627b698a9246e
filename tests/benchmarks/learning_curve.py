"""Benchmark: how well half of the images predict the accuracy with all of them.

    python tests/benchmarks/learning_curve.py DATA [--seeds 2] [--weights FILE]

``DATA`` is the folder that EDGE_TEST_DATA names. Of grocery6 and Fashion-MNIST with 300 and 1,000
images a class, half is drawn at random, its learning curve measured, and the accuracy with all
images predicted. Printed are prediction, measurement and their distance in points; the exit code
is 1 where the mean distance is above 2 points.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from converters.tasks.classify.suspects import EmbeddedImages
from converters.training.learning_curve import LearningCurve, measure_curve, part_of
from edge.files import cache_folder

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from embedded_sets import embedded, fashion_images

GOAL, STRENGTH = 2.0, 0.03


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--per-class", type=int, nargs="*", default=[300, 1000])
    parser.add_argument("--cache", type=Path, default=cache_folder())
    options = parser.parse_args()
    sets = options.data / "datasets"
    distances = []
    with tempfile.TemporaryDirectory() as work:
        folders = {"grocery6": sets / "grocery6"}
        for count in options.per_class:
            target = Path(work) / f"fashion{count}"
            folders[target.name] = fashion_images(sets / "fashion_mnist", target, count)
        for name, folder in folders.items():
            _, images = embedded(folder, options.weights, options.cache, Path(work))
            rows = [distance(name, images, seed) for seed in range(options.seeds)]
            distances.append(float(np.mean(rows)))
    print(f"mean distance {np.mean(distances):.2f} points")
    sys.exit(int(np.mean(distances) > GOAL))


def distance(name: str, images: EmbeddedImages, seed: int) -> float:
    """Return how far the prediction from half of the images is from the measurement, in points."""
    whole = curve(images, np.arange(len(images.labels)), seed)
    rank = np.random.default_rng(seed + 1).permutation(images.groups.max() + 1)[images.groups]
    half = curve(images, np.sort(part_of(np.arange(len(rank)), 0.5, images.labels, rank)), seed)
    (predicted,) = half.predict([float(whole.totals[-1])])
    measured = float(whole.accuracy[-1])
    off = 100 * abs(predicted.value - measured)
    interval = f"{predicted.low:.1%} to {predicted.high:.1%}"
    words = f"{predicted.value:.1%} predicted ({interval}), {measured:.1%} measured, {off:.1f} off"
    print(f"{name:12} seed {seed}: {words}", flush=True)
    return off


def curve(images: EmbeddedImages, rows: np.ndarray, seed: int) -> LearningCurve:
    measured = measure_curve(
        images.features[rows], images.labels[rows], images.groups[rows], STRENGTH, seed
    )
    assert measured is not None
    return measured


if __name__ == "__main__":
    main()
