"""Mutated model files through inspect, check, classify and bench: no crash, no traceback.

    python tests/benchmarks/fuzz_models.py [--cases 5000] [--commands 40] [--seed 0] [--jobs 2]

Five small models are changed in bytes and in fields, the same way for the same seed. What the
commands do with a file is done in a forked process for each case, and by the commands themselves
for the first ``--commands`` cases. A case fails if a process ends by a signal or with an exception
that is no ``EdgeError``, computes for more than 2 s, takes more than 500 MB, or writes what is no
JSON; its file is kept in ``--keep``.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import cv2
import mutations
import tiny_models
from mutations import MEGABYTES, SECONDS, Outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--commands", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-failures")
    options = parser.parse_args()

    for name, content in mutations.models().items():
        outcome = mutations.outcome(content)
        assert (outcome.kind, outcome.failure) == ("ran", None), (name, outcome)
    kinds: Counter[str] = Counter()
    worst = Outcome("", 0.0, 0.0)
    failures = 0
    cases = mutations.cases(options.cases, options.seed)
    with ProcessPoolExecutor(options.jobs) as pool:
        for name, content, outcome in pool.map(_outcome, cases, chunksize=20):
            kinds[outcome.kind.partition(" ")[0]] += 1
            worst = Outcome(
                "", max(worst.seconds, outcome.seconds), max(worst.megabytes, outcome.megabytes)
            )
            failures += _report(name, content, outcome.failure, options.keep)
    print(f"{sum(kinds.values())} cases: " + ", ".join(f"{n} {k}" for k, n in kinds.most_common()))
    print(f"at most {worst.seconds:.2f} s and {worst.megabytes:.0f} MB in a case")
    sample = list(islice(mutations.cases(options.cases, options.seed), options.commands))
    for name, content, failure in _commands(sample):
        failures += _report(name, content, failure, options.keep)
    print(f"{len(COMMANDS) * len(sample)} commands; {failures} failures")
    return 1 if failures else 0


def _outcome(case: tuple[str, bytes]) -> tuple[str, bytes, Outcome]:
    return (*case, mutations.outcome(case[1]))


def _report(name: str, content: bytes, failure: str | None, keep: Path) -> int:
    """Print a failure and keep its file; return how many it is."""
    if failure is None:
        return 0
    keep.mkdir(parents=True, exist_ok=True)
    (keep / f"{name}.tflite").write_bytes(content)
    print(f"{keep / name}.tflite: {failure}", file=sys.stderr)
    return 1


def _commands(sample: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes, str | None]]:
    """Run the four commands on each file; yield what failed, None where nothing did."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cv2.imwrite(str(folder / "red.png"), tiny_models.red_image()[..., ::-1])
        whole = next(iter(mutations.models().values()))
        usual = {words: _run(words, whole, folder).seconds for words in COMMANDS}
        for name, content in sample:
            for words in COMMANDS:
                end = _run(words, content, folder)
                over = end.seconds - usual[words] > SECONDS or end.megabytes > MEGABYTES
                spent = f"{end.seconds:.1f} s, {end.megabytes:.0f} MB" if over else ""
                failure = end.kind or spent
                yield name, content, f"edge {' '.join(words)}: {failure}" if failure else None


COMMANDS = (
    ("inspect", "--json"), ("inspect",), ("check",), ("classify", "red.png"), ("bench",),
)  # fmt: skip


def _run(words: tuple[str, ...], content: bytes, folder: Path) -> Outcome:
    """Run a command on a file; ``kind`` is what must not be, empty where all is well."""
    (folder / "case.tflite").write_bytes(content)
    command = [sys.executable, "-m", "edge", words[0], "case.tflite", *words[1:]]
    with tempfile.TemporaryFile() as output:
        environment = os.environ | {"EDGE_CACHE": str(folder / "cache")}
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    odd = process.returncode not in (0, 1, 2, 3)
    if odd or "Traceback" in text or "internal-error" in text:
        kind = f"exit code {process.returncode}, {text[-500:]}"
    else:
        kind = ""
    return Outcome(kind, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    sys.exit(main())
