"""Quality of segmenters on real masks, and the CPU time that it takes.

    python tests/benchmarks/segmenters.py DATA [NAME ...] [--seeds 3] [--budget 600]

DATA is the folder that EDGE_TEST_DATA names; NAME one of its data sets, by default seg_people and
seg_cookie; the weights are those of COCO and of ImageNet in it. Each is converted with each seed in
a process of its own, whose split is that of the seed. It prints IoU of the classes by the int8
file, mIoU before and after quantization, and seconds. Exit code 1 where int8 loses more than a
point of mIoU, or people are segmented below an IoU of 0.85.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAMES = {
    "seg_people": ("models/coco_ssd_mobilenet_v1_1.0_quant.tflite", 0.85),
    "seg_cookie": ("models/keras/mobilenet_v2_1.0_224_no_top.weights.h5", 0.0),
}
"""Data set → weights to start from, and least IoU of its foreground, the mean over the seeds."""

MAX_DROP = 1.0
"""Points of mIoU."""


def convert(dataset: Path, weights: str, budget: float, seed: int) -> tuple[dict, float, float]:
    """Return the report, wall-clock and CPU seconds of a conversion."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [
            sys.executable, "-m", "edge", "convert", dataset, "-o", out, "--weights", weights,
            "--budget", f"{budget:g}", "--seed", f"{seed}", "--size", "256",
        ]  # fmt: skip
        environment = {**os.environ, "EDGE_CACHE": str(Path(folder) / "cache")}
        ended = subprocess.run([str(word) for word in command], env=environment, check=False)
        if ended.returncode not in (0, 3):
            sys.exit(ended.returncode)
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return report, time.perf_counter() - start, cpu


def figures(report: dict) -> tuple[float, float, float, dict[str, float]]:
    """Return mIoU of float32 and int8, the share of the commonest class, and IoU by class."""
    before, after = (report["variants"][name]["quality"] for name in ("float32", "int8"))
    classes = {row["label"]: row["figures"]["iou"] for row in after["per_class"]}
    return before["value"], after["value"], after["figures"]["common_share"], classes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("names", nargs="*", default=[*NAMES])
    parser.add_argument("--weights")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=600.0)
    options = parser.parse_args()
    missed = False
    for name in options.names:
        own, least = NAMES[name]
        weights = options.weights or str(options.data / own)
        reached, drops = [], []
        for seed in range(options.seeds):
            report, seconds, cpu = convert(
                options.data / "datasets" / name, weights, options.budget, seed
            )
            before, after, common, classes = figures(report)
            *_, foreground = classes.values()
            reached.append(foreground)
            drops.append(100 * (before - after))
            ious = ", ".join(f"{label} {iou:.3f}" for label, iou in classes.items())
            print(
                f"{name} seed {seed}: IoU {ious}; mIoU {before:.3f} float32, {after:.3f} int8; "
                f"commonest class {common:.3f} of the pixels; {seconds:.0f} s, {cpu:.0f} s CPU",
                flush=True,
            )
        mean, drop = sum(reached) / len(reached), max(drops)
        missed |= mean < least or drop > MAX_DROP
        print(f"{name}: mean IoU {mean:.3f}, int8 at most {drop:.2f} points of mIoU lower")
    sys.exit(missed)


if __name__ == "__main__":
    main()
