"""Benchmark: from new images of a class to a complete int8 model on disk, as `edge teach` does it.

    python tests/benchmarks/teach.py [--data DIR] [--cached 480] [--new 30] [--runs 5] [--json]

A teacher with the built-in backbone has the embeddings of `--cached` images of grocery6; images of
one more class come as files, are embedded, learned and saved. Seconds of the parts, the best of
all runs: a busy machine only adds. At the end the cross-validation, which the page runs afterwards.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from edge.image_format import SUFFIXES
from edge.teaching.teacher import Teacher

NEW = "the new class"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("EDGE_TEST_DATA"))
    parser.add_argument("--cached", type=int, default=480)
    parser.add_argument("--new", type=int, default=30)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    images = sorted(
        path for path in (options.data / "datasets" / "grocery6").rglob("*")
        if path.suffix.lower() in SUFFIXES
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as work:
        teacher = taught(Path(work) / "photos", images[: options.cached])
        new = images[options.cached :][: options.new] or images[:: len(images) // options.new]
        runs = [run(teacher, new[: options.new]) for _ in range(options.runs)]
    best = {part: min(each[part] for each in runs) for part in runs[0]}
    best["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    if options.json:
        print(json.dumps(best, indent=2))
        return
    for part, figure in best.items():
        print(f"{part:>12}  {figure:8.3f}" if part != "peak_mb" else f"{part:>12}  {figure:8.0f}")


def taught(folder: Path, images: list[Path]) -> Teacher:
    """A teacher that knows images of classes named after their folders."""
    for path in images:
        target = folder / path.parent.name / f"{path.parent.parent.name}-{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path.absolute())
    teacher = Teacher.open(folder)
    teacher.learn()
    teacher.save()
    return teacher


def run(teacher: Teacher, images: list[Path]) -> dict[str, float]:
    """Add a class, learn and save; return the seconds of the parts. The class is removed again."""
    contents = [(path.read_bytes(), path.name) for path in images]
    seconds = {}

    def timed(part: str, work: Callable[[], object]) -> None:
        start = time.perf_counter()
        work()
        seconds[part] = time.perf_counter() - start

    timed("add", lambda: [teacher.add_file(content, name, NEW) for content, name in contents])
    timed("learn", teacher.learn)
    timed("save", teacher.save)
    timed("first answer", lambda: teacher.predict(images[0]))
    seconds["total"] = sum(seconds[part] for part in ("add", "learn", "save"))
    timed("assess", teacher.assess)
    teacher.forget(NEW)
    return seconds


if __name__ == "__main__":
    main()
