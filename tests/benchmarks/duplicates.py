"""Benchmark: CPU time and memory of the search for duplicates among generated images.

    python tests/benchmarks/duplicates.py [--images 1000 10000 100000]

One image in ten is a shifted, cropped copy of another. Each number of images runs in a process of
its own; printed are CPU seconds, what memory grew by beside the thumbnails, and the share of the
copies that was found.
"""

import argparse
import resource
import subprocess
import sys
import time

import cv2
import numpy as np

from converters.dataset.duplicates import THUMBNAIL_SIDE, confirmed_pairs, thumbnail


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    counts = parser.parse_args().images
    if len(counts) == 1:
        print(measure(counts[0]), flush=True)
        return
    for count in counts:
        subprocess.run([sys.executable, __file__, "--images", str(count)], check=True)


def measure(count: int) -> str:
    thumbnails, originals = generated(count)
    memory = peak_mb()
    started = time.process_time()
    pairs = confirmed_pairs(thumbnails, np.arange(count))
    seconds = time.process_time() - started
    copies = {(int(original), count - len(originals) + i) for i, original in enumerate(originals)}
    found = len(copies & {(i, j) for i, j in pairs.tolist()}) / len(copies)
    return (
        f"{count:7,} images: {seconds:6.1f} CPU-s, {1e6 * seconds / count:4.0f} µs an image,"
        f" {peak_mb() - memory:4.0f} MB more, {found:.2%} of the copies found"
    )


def generated(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Thumbnails; the last tenth are copies of the returned originals."""
    rng = np.random.default_rng(0)
    thumbnails = np.empty((count, THUMBNAIL_SIDE, THUMBNAIL_SIDE), np.float16)
    originals = rng.choice(count - count // 10, count // 10, replace=False)
    copied: dict[int, np.ndarray] = {}
    sources = set(originals.tolist())
    for index in range(count - len(originals)):
        coarse = rng.integers(0, 256, (8, 8, 3), np.uint8)
        image = cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC)
        thumbnails[index] = thumbnail(image)
        if index in sources:
            copied[index] = thumbnail(image[2:63, 1:62])
    for row, original in enumerate(originals.tolist()):
        thumbnails[count - len(originals) + row] = copied[original]
    return thumbnails, originals


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
