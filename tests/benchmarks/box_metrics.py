"""Processor time of our average precision and of pycocotools', and of 1,000 resamples.

    OMP_NUM_THREADS=1 python tests/benchmarks/box_metrics.py [--images 300] [--classes 3]

On generated boxes; the largest difference of a figure is printed, too.
"""

import argparse
import contextlib
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from box_sets import box_set, coco_results, coco_truth
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from converters.metrics.average_precision import average_precisions
from converters.metrics.box_matching import SIZES, match_classes
from converters.metrics.resampling import resample


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Run ``work``, and return its result and its processor time in seconds."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def theirs(truth: dict[str, Any], results: list[dict[str, Any]]) -> Any:
    """Evaluate with pycocotools: precision [IoUs, recalls, classes, sizes, limits]."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"]


def main() -> None:
    """Print the times and the largest difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--detections", type=int, default=100, help="at most, of an image")
    given = parser.parse_args()
    true, detected = box_set(0, given.images, given.classes, given.detections)
    truth, results = coco_truth(true, given.classes), coco_results(detected)
    precision, coco_s = timed(lambda: theirs(truth, results))
    matches, match_s = timed(lambda: match_classes(true, detected, given.classes))
    ours, own_s = timed(
        lambda: [average_precisions(matches, size=size)[0] for size in range(len(SIZES))]
    )
    _, resample_s = timed(lambda: average_precisions(matches, resample(given.images)))
    difference = 0.0
    for size, values in enumerate(ours):
        other = precision[:, :, :, size, 2]
        other = np.where(other[:, 0] < 0, np.nan, other.mean(axis=1)).T
        difference = max(difference, float(np.nanmax(np.abs(values - other), initial=0)))
    print(f"{len(results):,} detections in {given.images:,} images, {given.classes} classes")
    print(f"pycocotools      {coco_s:6.2f} s")
    print(f"ours             {match_s + own_s:6.2f} s")
    print(f"1,000 resamples  {resample_s:6.2f} s more")
    print(f"difference       {difference:.1e}")


if __name__ == "__main__":
    main()
