"""Benchmark: `edge convert` of this checkout beside that of an earlier one.

    git worktree add ../before COMMIT
    python tests/benchmarks/convert.py DATASET --baseline ../before [--weights W.h5]
        [--seeds 3] [--per-class N] [--cold] [--results FILE]

For each seed both convert the data set with an empty cache, and again with one image added, another
one for each seed, in alternated whole processes. Printed are the medians of the seconds, of the
processor time and of the peak memory with their ratios, and the accuracy of both. On a busy
computer the ratios hold, the seconds do not. The baseline runs in its own `.venv` if it has one.
Both are compiled to bytecode before, as an installed package is. Each result is added to FILE at
once, and what FILE holds already is not run again.
"""

import argparse
import compileall
import itertools
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median

HERE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """A whole process: seconds, processor time, peak memory in MB, and what came of it."""

    checkout: str
    seed: int
    cache: str
    wall_s: float
    cpu_s: float
    peak_mb: float
    float32: float
    int8: float
    agreement: float
    log_loss: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--baseline", type=Path, required=True)
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--per-class", type=int, help="Images of each class; all by default.")
    parser.add_argument("--cold", action="store_true", help="Leave the image added out.")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    weights = options.weights
    if Path(weights).exists():
        weights = str(Path(weights).resolve())
    runs: list[Run] = []
    if options.results is not None and options.results.exists():
        lines = options.results.read_text().splitlines()
        runs = [Run(**json.loads(line)) for line in lines]
    for checkout in (options.baseline, HERE):
        for package in ("edge", "converters", "boards"):
            compileall.compile_dir(checkout / package, quiet=1)
    with tempfile.TemporaryDirectory() as work:
        for seed in range(options.seeds):
            for name, checkout in {"before": options.baseline, "now": HERE}.items():
                if any((run.checkout, run.seed) == (name, seed) for run in runs):
                    continue
                photos, added = copy(options.dataset, options.per_class, seed, Path(work))
                once = cold_and_warm(name, checkout.resolve(), photos, added, weights, seed)
                for run in itertools.islice(once, 1 if options.cold else None):
                    runs.append(run)
                    if options.results is not None:
                        with options.results.open("a") as file:
                            print(json.dumps(asdict(run)), file=file)
    for cache in dict.fromkeys(run.cache for run in runs):
        show(cache, [run for run in runs if run.cache == cache])


def copy(dataset: Path, per_class: int | None, seed: int, work: Path) -> tuple[Path, Path]:
    """Copy the first images of each class, one held back by the seed; return both places."""
    photos, added = work / "photos", work / "added"
    for place in (photos, added):
        shutil.rmtree(place, ignore_errors=True)
    for folder in sorted(path for path in dataset.iterdir() if path.is_dir()):
        files = sorted(path for path in folder.iterdir() if path.is_file())[:per_class]
        for file in files:
            (photos / folder.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(file, photos / folder.name)
    files = [path for path in sorted(photos.rglob("*")) if path.is_file()]
    chosen = random.Random(seed).choice(files)
    added.mkdir()
    return photos, chosen.rename(added / f"{chosen.parent.name}%{chosen.name}")


def cold_and_warm(
    name: str, checkout: Path, photos: Path, added: Path, weights: str, seed: int
) -> Iterator[Run]:
    """Convert with an empty cache, and again with one image added."""
    with tempfile.TemporaryDirectory() as work:
        yield convert(name, checkout, photos, weights, seed, Path(work), "cold")
        added.rename(photos.joinpath(*added.name.split("%", 1)))
        yield convert(name, checkout, photos, weights, seed, Path(work), "warm")


def convert(
    name: str, checkout: Path, photos: Path, weights: str, seed: int, work: Path, cache: str
) -> Run:
    """Run one whole `edge convert` process."""
    own = checkout / ".venv/bin/python"
    python = str(own) if own.exists() else sys.executable
    out = work / "out"
    command = [python, "-m", "edge", "convert", str(photos), "-o", str(out), "--force",
               "--weights", weights, "--fine-tune", "never", "--seed", str(seed)]  # fmt: skip
    environment = {**os.environ, "EDGE_CACHE": str(work / "cache")}
    log = work / "log"
    started = time.perf_counter()
    child = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", 'cd "$0" && log="$1" && shift && exec "$@" >"$log" 2>&1',
         str(checkout), str(log), *command],
        environment,
    )  # fmt: skip
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        sys.exit(log.read_text())
    report = json.loads((out / "report.json").read_text())
    int8 = report["variants"]["int8"]
    return Run(
        name, seed, cache, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3,
        report["variants"]["float32"]["accuracy"], int8["accuracy"], int8["agreement"],
        int8["log_loss"],
    )  # fmt: skip


def show(cache: str, runs: Sequence[Run]) -> None:
    """Print the figures of both checkouts, and their ratios."""
    before, now = ([run for run in runs if run.checkout == name] for name in ("before", "now"))
    for unit, of in (("s", "wall_s"), ("CPU-s", "cpu_s"), ("MB", "peak_mb")):
        old, new = (median(getattr(run, of) for run in each) for each in (before, now))
        print(f"{cache}: {old:.1f} -> {new:.1f} {unit}: {old / new:.2f} times less")
    for of in ("float32", "int8", "agreement", "log_loss"):
        old, new = (fmean(getattr(run, of) for run in each) for each in (before, now))
        print(f"{cache}: {of} {old:.4f} -> {new:.4f} (mean of {len(now)})")


if __name__ == "__main__":
    main()
