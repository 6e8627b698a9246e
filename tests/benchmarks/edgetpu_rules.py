"""Benchmark: Edge TPU predictions against the compiler, by rules derived from other models.

    python tests/benchmarks/edgetpu_rules.py [--data FOLDER] [--json]

Each model is predicted by all rules, and then without what only models of its own source taught:
by repository, and by owner of repositories, which is stricter. Left out are rules derived from
them; documented limits that they disprove are applied. A model that was compiled with several
parts (``-a``) is right if the kinds of refused operations are.
"""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from sys import path

path.append(str(Path(__file__).parents[1] / "support"))

from edgetpu_truth import Score, Truth, derived_from, score, truths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    named = os.environ.get("EDGE_TEST_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(named))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    table = measure(truths(options.data))
    if options.json:
        print(json.dumps({name: asdict(row) for name, row in table.items()}, indent=2))
        return
    for name, row in table.items():
        print(
            f"{name:<28} exact {row.exact}/{row.models}, of the partly mapped "
            f"{row.partly_exact}/{row.partly}, operations {row.right / row.operations:.2%}"
        )
        for model in row.wrong:
            print(f"{'':<28} wrong: {model}{' (too good)' if model in row.too_good else ''}")


def measure(models: list[Truth]) -> dict[str, Score]:
    """Scores by the rules used: all, without the repository's own, without the owner's."""

    def without(key: Callable[[Truth], str]) -> Score:
        return score((model, model.predict(derived_from(key(model)))) for model in models)

    return {
        "all rules": score((model, model.predict()) for model in models),
        "leave one repository out": without(lambda model: model.source),
        "leave one owner out": without(lambda model: model.source.partition("/")[0]),
    }


if __name__ == "__main__":
    main()
