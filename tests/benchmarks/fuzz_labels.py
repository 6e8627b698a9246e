"""Mutated files of labels through their readers and audits: no crash, no second, no gigabyte.

    python tests/benchmarks/fuzz_labels.py [--cases 3000] [--seed 0]

COCO, Label Studio, Pascal VOC, YOLO, CSV and masks are changed in values and bytes, the same way
for the same seed, and read for every task that they allow. A case fails if it ends with an
exception that is no ``EdgeError``, computes for more than a second, or takes more than 1 GB; its
files are kept in ``--keep``.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from label_mutations import label_cases, label_outcome
from labeled_images import write_tree


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-failures")
    options = parser.parse_args()
    kinds: Counter[str] = Counter()
    slowest, failures = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        for number, files in enumerate(label_cases(options.cases, options.seed)):
            outcome = label_outcome(files, Path(folder) / "set")
            kinds.update(outcome.kinds)
            slowest = max(slowest, outcome.seconds)
            if outcome.failure is not None:
                failures += 1
                kept = options.keep / f"labels-{options.seed}-{number}"
                print(f"{kept}: {outcome.failure}")
                write_tree(kept, files)
    print(f"{options.cases} data sets: " + ", ".join(f"{n} {k}" for k, n in kinds.most_common()))
    print(f"at most {slowest:.2f} s; {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
