"""What recipes cost and gain on real photos, held against dense int8.

    python tests/benchmarks/compression.py PHOTOS WEIGHTS --seeds 0 1 2 --keep out/

For each seed `edge convert` makes all variants, as a user would. The files are then judged apart
from its report: on the pictures of the recorded test and validation sides, which nothing was
trained on, and timed in turns in one process on one thread. A seed whose folder is there already is
judged again without converting.
"""

import argparse
import gzip
import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np

from edge import interpreter, stats
from edge.commands.options import quiet_interpreter
from edge.image import read_picture
from edge.model import load_model

RECIPES = ("channels-50", "magnitude-75", "qat", "pqat-75")
OTHER = "tflite-runtime"


@dataclass(frozen=True)
class Figures:
    """Of one file: accuracy and agreement with float32 (0–1), invoke and gzip against int8."""

    accuracy: float
    agreement: float
    time: float
    gzip: float
    runs_on_other: bool


def convert(photos: Path, weights: Path, seed: int, recipes: list[str], out: Path) -> None:
    chosen = [word for name in recipes for word in ("--recipe", name)]
    subprocess.run(
        [sys.executable, "-m", "edge", "convert", str(photos), "-o", str(out), "--weights",
         str(weights), "--fine-tune", "never", "--seed", str(seed), *chosen, "--json"],
        check=False, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def judge(photos: Path, out: Path, recipes: list[str]) -> dict[str, Figures]:
    record = json.loads((out / "report.json").read_text())
    held_out = set(record["split"]["test"]) | set(record["split"]["validation"])
    classes = record["dataset"]["classes"]
    pictures = [
        (read_picture(path), classes.index(path.parent.name))
        for path in sorted(photos.glob("*/*"))
        if hashlib.sha256(path.read_bytes()).hexdigest() in held_out
    ]
    names = ["float32", "int8", *recipes]
    contents = {name: (out / f"variants/{name}.tflite").read_bytes() for name in names}
    models = {name: load_model(data, name=name, threads=1) for name, data in contents.items()}
    said = {
        name: np.array([model.classify(picture).best.index for picture, _ in pictures])
        for name, model in models.items()
    }
    truth = np.array([label for _, label in pictures])
    times = stats.measure_in_turns([m.runtime for m in models.values()], rounds=10, seconds=0.3)
    p50 = dict(zip(names, (timing.p50_ms for timing in times), strict=True))
    packed = {name: len(gzip.compress(data, mtime=0)) for name, data in contents.items()}
    return {
        name: Figures(
            float((said[name] == truth).mean()),
            float((said[name] == said["float32"]).mean()),
            p50[name] / p50["int8"],
            packed[name] / packed["int8"],
            runs_on_other(contents[name], models[name].runtime, name),
        )
        for name in names
    }


def runs_on_other(content: bytes, here: interpreter.Runtime, name: str) -> bool:
    """Whether tflite-runtime runs the file and its output is the same within rounding."""
    if not interpreter.installed(OTHER):
        return False
    there = interpreter.load(content, name=name, threads=1, interpreter=OTHER)
    arrays = stats.noise(here)
    (ours,), (theirs,) = here.invoke(*arrays), there.invoke(*arrays)
    least = 8 if ours.dtype.kind in "iu" else 0.02
    return bool(np.abs(ours.astype(float) - theirs.astype(float)).max() <= least)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--keep", type=Path, required=True, help="folder for the results")
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[Figures]] = {}
    for seed in given.seeds:
        out = given.keep / f"seed{seed}"
        if not (out / "report.json").is_file():
            convert(given.photos, given.weights, seed, given.recipes, out)
        with quiet_interpreter():
            judged = judge(given.photos, out, given.recipes)
        for name, figures in judged.items():
            found.setdefault(name, []).append(figures)
            print(f"seed {seed}  {row(name, [figures], judged['int8'].accuracy)}", flush=True)
    print(f"\nmeans of {len(given.seeds)} seeds, test and validation pictures")
    base = mean(figures.accuracy for figures in found["int8"])
    for name, figures in found.items():
        print(row(name, figures, base))


def row(name: str, figures: list[Figures], base: float) -> str:
    accuracy = mean(one.accuracy for one in figures)
    other = "yes" if all(one.runs_on_other for one in figures) else "NO"
    return (
        f"{name:14s} accuracy {accuracy:.4f}, {100 * (base - accuracy):+.1f} points lost to int8; "
        f"agreement with float32 {mean(one.agreement for one in figures):.4f}; "
        f"invoke {mean(one.time for one in figures):.2f}x, "
        f"gzip {mean(one.gzip for one in figures):.2f}x of int8; on {OTHER}: {other}"
    )


if __name__ == "__main__":
    main()
