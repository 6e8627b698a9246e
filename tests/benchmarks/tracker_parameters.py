"""Choose the tracker's parameters, always with one sequence left out of the choice.

    python tests/benchmarks/tracker_parameters.py [--data FOLDER] [--candidates N]

Candidates are drawn about the present parameters, and each follows all sequences: the real ones,
also backwards with some detections left out, since the people of one sequence are too few to choose
by; and generated ones. For each group of sequences the
candidate is chosen that does best on all the others, and judged on this one: by what the method
does on a sequence that nobody has tuned it to.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from sequences import Detector, Scene, Sequence, generate
from track_judges import follow, judge

from edge.tracking.parameters import TrackerParameters

Array = NDArray[np.float64]
Groups = dict[str, list[tuple[Sequence, float]]]

REAL = {"TUD-Campus": 25.0, "PETS09-S2L1": 7.0, "KITTI-17": 10.0}
LIBRARY = {"TUD-Campus": (63.2, 74.5, 53.4), "PETS09-S2L1": (59.5, 50.4, 38.4),
           "KITTI-17": (59.2, 74.4, 47.3)}  # fmt: skip

FRAMES, SEEDS = 120, (20, 21, 22)
GENERATED: dict[str, list[dict[str, Any]]] = {
    "static": [{"fps": 30.0, "size": (1920, 1080), "people": 14, "depth": (5.0, 18.0)}],
    "few frames": [{"fps": 7.0}],
    "moving": [
        {"fps": 14.0, "moving": True, "sway": 3.0, "depth": (4.0, 20.0)},
        {
            "fps": 10.0,
            "moving": True,
            "forward": 5.0,
            "depth": (6.0, 40.0),
            "people": 16,
            "frames": 80,
        },
    ],
    "crowd": [{"people": 25, "depth": (6.0, 25.0), "size": (1920, 1080), "frames": 80}],
    "noisy": [
        {"detector": Detector(missed=0.2, ghosts=0.6, doubles=0.06, trembling=1.3)},
        {"detector": Detector(confidence=0.65, visible_only=True)},
    ],
}

CHOICES: dict[str, tuple[float, ...]] = {
    "new_track_score": (0.4, 0.5),
    "high_score": (0.6, 0.7),
    "max_cost": (8.0, 9.0, 10.0),
    "max_cost_strict": (6.0, 7.0),
    "degrees_of_freedom": (2.0, 3.0, 5.0),
    "direction_weight": (1.0, 1.5, 2.0),
    "overlap_iou": (0.15, 0.2, 0.3),
    "overlap_age": (0.1, 0.2, 0.3),
    "max_age_tentative": (0.15, 0.25),
    "max_age_confirmed": (2.0, 3.0),
    "max_coast_spread": (0.32, 0.35, 0.4),
    "filter_weight": (0.7, 0.8, 0.9),
    "inside_fraction": (0.3, 0.4, 0.5),
    "motion_tolerance": (0.7, 0.8, 1.0),
    "camera_excess": (0.5, 1.0),
}
CHANGED = 0.25
NOISE: dict[str, tuple[float, ...]] = {
    "position": (0.9, 1.0, 1.1),
    "process": (0.5, 1.0),
    "acceleration": (0.75, 1.0, 1.25),
    "initial_velocity": (0.7, 1.0, 1.4),
}
"""Factors on the noise of the filter."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    named = os.environ.get("EDGE_TEST_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(named))
    parser.add_argument("--candidates", type=int, default=40)
    options = parser.parse_args()
    groups = real(options.data / "mot") | generated()
    candidates = list(draw(options.candidates))
    scores = np.array(
        [evaluate(candidate, groups) for candidate in candidates]
    )  # [candidates, groups, 3]
    as_is = np.array([verdict(TrackerParameters(), *groups[name][0]) for name in REAL])
    print(f"{'group left out':16}{'as now':>22}{'chosen without it':>22}{'best library':>22}")
    for at, name in enumerate(groups):
        rest = np.delete(scores, at, axis=1).mean(axis=2)
        chosen = candidates[best(rest)]
        if name in REAL:
            first, fps = groups[name][0]
            now, without = as_is[list(REAL).index(name)], verdict(chosen, first, fps)
        else:
            now, without = scores[0, at], scores[best(rest), at]
        print(f"{name:16}{joined(now)}{joined(without)}{joined(LIBRARY.get(name, ()))}")
    print("chosen with all groups:", changes(candidates[best(scores.mean(axis=2))]))


def real(folder: Path) -> Groups:
    """Return each real sequence first as it is, then its variations."""
    groups: Groups = {}
    for name, fps in REAL.items():
        detections, truth = (
            np.loadtxt(folder / name / f, delimiter=",") for f in ("det.txt", "gt.txt")
        )
        random = np.random.default_rng(1)
        last = max(detections[:, 0].max(), truth[:, 0].max())
        some = backwards(detections[random.random(len(detections)) > 0.05], last)
        groups[name] = [
            (Sequence(truth, detections), fps),
            (Sequence(backwards(truth, last), some), fps),
        ]
    return groups


def backwards(rows: Array, last: float) -> Array:
    return np.column_stack([last + 1 - rows[:, 0], rows[:, 1:]])


def generated() -> Groups:
    return {
        name: [(generate(Scene(seed, **({"frames": FRAMES} | scene))), scene.get("fps", 25.0))
               for scene in scenes for seed in SEEDS]
        for name, scenes in GENERATED.items()
    }  # fmt: skip


def draw(count: int) -> Iterator[TrackerParameters]:
    """Yield the present parameters, then some with a quarter of them changed."""
    now = TrackerParameters()
    yield now
    random = np.random.default_rng(0)
    for _ in range(count - 1):
        values = {name: float(random.choice(some)) for name, some in CHOICES.items()
                  if random.random() < CHANGED}  # fmt: skip
        factors = {name: random.choice(some) for name, some in NOISE.items()
                   if random.random() < CHANGED}  # fmt: skip
        noise = {name: tuple(factor * part for part in getattr(now.noise, name))
                 for name, factor in factors.items()}  # fmt: skip
        yield replace(now, noise=replace(now.noise, **noise), **values)


def evaluate(parameters: TrackerParameters, groups: Groups) -> list[Array]:
    return [
        np.mean([verdict(parameters, *sequence) for sequence in group], axis=0)
        for group in groups.values()
    ]


def verdict(parameters: TrackerParameters, sequence: Sequence, fps: float) -> Array:
    result = judge(sequence.truth, follow(sequence.detections, fps, parameters))
    return np.array([result.mota, result.idf1, result.hota])


def best(scores: Array) -> int:
    """Return the candidate with the highest mean over groups [candidates, groups].

    It has to be ahead of the present parameters, the first candidate, by more than its standard
    error over the groups: with few groups the best of many is the best by luck (the one-standard-
    error rule of Breiman et al., Classification and Regression Trees, 1984).
    """
    leader = int(scores.mean(axis=1).argmax())
    ahead = scores[leader] - scores[0]
    error = ahead.std(ddof=1) / np.sqrt(len(ahead))
    return leader if ahead.mean() > error else 0


def joined(scores: Any) -> str:
    return f"{' / '.join(f'{score:.1f}' for score in scores):>22}"


def changes(parameters: TrackerParameters) -> dict[str, Any]:
    now = TrackerParameters()
    names = ["noise", *CHOICES]
    return {name: getattr(parameters, name) for name in names
            if getattr(parameters, name) != getattr(now, name)}  # fmt: skip


if __name__ == "__main__":
    main()
