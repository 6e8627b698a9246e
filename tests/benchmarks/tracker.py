"""Benchmark: our tracker beside the libraries, on real and on generated detections; its speed.

    python tests/benchmarks/tracker.py [--data FOLDER] [--json]

Three sequences of MOT15 are judged by motmetrics (MOTA, IDF1) and trackeval (HOTA), with their
frame rate given and with an estimated one; TUD-Campus also with fewer frames a second, and with a
tenth of its detections left out. The libraries' figures were measured once, with the package
`trackers` 2.6.1, which cannot be installed beside this project's OpenCV; each is that of the best
of three thresholds, and their times are of another machine. Our times are processor time
of this run.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from sequences import Detector, Scene, generate
from track_judges import Verdict, follow, judge

from edge.tracking.tracker import MultiObjectTracker

Array = NDArray[np.float64]

RATES = {"TUD-Campus": 25.0, "KITTI-17": 10.0, "PETS09-S2L1": 7.0}
LIBRARIES = {  # MOTA, IDF1, HOTA on each of them
    "BoT-SORT, no camera motion": ((63.2, 74.5, 53.4), (59.2, 72.2, 47.0), (58.7, 48.2, 37.8)),
    "C-BIoU": ((62.4, 74.4, 53.3), (58.4, 72.7, 47.3), (59.5, 50.0, 38.4)),
    "ByteTrack": ((57.9, 60.5, 46.8), (57.1, 70.4, 46.0), (58.7, 50.4, 36.3)),
    "OC-SORT": ((57.1, 68.0, 48.8), (57.5, 74.4, 45.9), (57.0, 46.7, 35.1)),
    "SORT": ((56.3, 55.3, 44.1), (57.1, 69.4, 44.8), (57.2, 42.1, 34.0)),
}
TIMES = {  # ms a frame at 10, 50 and 100 objects
    "SORT": (0.3, 1.5, 3.0),
    "ByteTrack": (0.4, 1.7, 3.2),
    "OC-SORT": (0.7, 3.2, 6.1),
    "BoT-SORT, no camera motion": (0.7, 3.0, 5.0),
    "C-BIoU": (0.6, 2.6, 5.0),
}
OBJECTS = (10, 50, 100)
SEEDS = 5

GENERATED: dict[str, dict[str, Any]] = {
    "street, 25 frames a second": {},
    "street, 7 frames a second": {"fps": 7.0},
    "walking camera": {"fps": 14.0, "moving": True, "depth": (4.0, 20.0)},
    "shaking camera": {"fps": 14.0, "moving": True, "sway": 3.0, "depth": (4.0, 20.0)},
    "camera on a bicycle": {
        "fps": 14.0,
        "moving": True,
        "forward": 2.5,
        "depth": (4.0, 40.0),
        "people": 16,
    },
    "crowd": {"people": 25, "depth": (6.0, 25.0), "size": (1920, 1080)},
    "from above": {"above": True, "depth": (4.0, 12.0)},
    "bad detector": {"detector": Detector(missed=0.2, ghosts=0.6, doubles=0.06, trembling=1.3)},
    "doubtful detector": {"detector": Detector(confidence=0.65)},
    "boxes of what is visible": {"detector": Detector(visible_only=True)},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    named = os.environ.get("EDGE_TEST_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(named))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scores = real(options.data / "mot") if (options.data / "mot").is_dir() else {}
    scores |= {name: mean(name) for name in GENERATED}
    speeds = {count: milliseconds(count) for count in OBJECTS}
    if options.json:
        rows = {name: [v.mota, v.idf1, v.hota] for name, v in scores.items()}
        print(json.dumps({"scores": rows, "ms_per_frame": speeds}, indent=2))
        return
    print(f"{'ms a frame at 10 / 50 / 100 objects':>64}")
    for name, times in [*TIMES.items(), ("ours", list(speeds.values()))]:
        print(f"{name:44}{joined(times):>20}")
    print(f"{'MOTA / IDF1 / HOTA':>64}")
    for name, verdicts in LIBRARIES.items():
        for sequence, verdict in zip(RATES, verdicts, strict=True):
            print(f"{f'{sequence}, {name}':44}{Verdict(*verdict, 0)}")
    for name, verdict in scores.items():
        print(f"{name:44}{verdict}")


def joined(times: Iterable[float]) -> str:
    return " / ".join(f"{ms:.1f}" if ms >= 1 else f"{ms:.2g}" for ms in times)


def real(folder: Path) -> dict[str, Verdict]:
    scores = {}
    for name, fps in RATES.items():
        truth, detections = read(folder / name)
        scores[f"{name}, ours"] = judge(truth, follow(detections, fps))
        scores[f"{name}, ours, rate estimated"] = judge(truth, follow(detections))
    truth, detections = read(folder / "TUD-Campus")
    for every in (2, 3):
        some, seen = (thinned(rows, every) for rows in (truth, detections))
        scores[f"TUD-Campus, ours, every {every}. frame"] = judge(some, follow(seen, 25 / every))
    random = np.random.default_rng(0)
    verdicts = [
        judge(truth, follow(detections[random.random(len(detections)) > 0.1], 25.0))
        for _ in range(SEEDS)
    ]
    scores["TUD-Campus, ours, 10 % left out, mean of 5"] = average(verdicts)
    return scores


def read(folder: Path) -> tuple[Array, Array]:
    truth, detections = (np.loadtxt(folder / f, delimiter=",") for f in ("gt.txt", "det.txt"))
    return truth, detections


def thinned(rows: Array, every: int) -> Array:
    kept = rows[rows[:, 0] % every == 1]
    kept[:, 0] = (kept[:, 0] - 1) // every + 1
    return kept


def mean(name: str) -> Verdict:
    scenes = [Scene(seed, **GENERATED[name]) for seed in range(SEEDS)]
    sequences = [(generate(scene), scene.fps) for scene in scenes]
    return average(
        [judge(sequence.truth, follow(sequence.detections, fps)) for sequence, fps in sequences]
    )


def average(verdicts: list[Verdict]) -> Verdict:
    table = np.array([(v.mota, v.idf1, v.hota, v.switches) for v in verdicts])
    mota, idf1, hota, switches = table.mean(axis=0).tolist()
    return Verdict(mota, idf1, hota, round(switches))


def milliseconds(people: int, frames: int = 300) -> float:
    """Median processor time of a frame with so many people, all followed."""
    random = np.random.default_rng(0)
    tracker = MultiObjectTracker()
    places = random.uniform(0, 400 * np.sqrt(people), (people, 2))
    times = []
    for _ in range(frames):
        places = places + random.normal(0, 2, places.shape)
        boxes = np.concatenate([places, places + np.array([40, 90])], axis=1)
        scores = random.uniform(0.5, 1, people)
        start = time.thread_time()
        tracker.update(boxes, scores)
        times.append(time.thread_time() - start)
    return 1e3 * float(np.median(times))


if __name__ == "__main__":
    main()
