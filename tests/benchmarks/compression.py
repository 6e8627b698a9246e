"""Benchmark: what each recipe keeps and saves, beside plain int8.

    python tests/benchmarks/compression.py DATASET WEIGHTS.h5 [--seeds 0 1 2] [--recipes NAME ...]
        [--results FILE]

For each seed a network is trained, its scores are calibrated, and each recipe makes its file of
it. Accuracy and agreement are over the test and the validation side, which no weight has learned
from (recipes that train choose their best epoch on the latter). Invoke times are medians on one
thread, the files of a seed taking turns in one process. Each result is added to FILE at once, and
what FILE holds already is not made again: an interrupted run goes on where it stopped.
"""

import argparse
import gzip
import json
import tempfile
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone import weights
from converters.compression import recipe
from converters.compression.context import RecipeContext, calibration_set
from converters.dataset import class_audit, intake
from converters.dataset.audit import Dataset
from converters.dataset.split import Split, split
from converters.progress import Progress
from converters.tasks.classify.train import TrainingOptions, train
from converters.terminal_progress import TerminalProgress
from converters.verification.calibration import fit_temperature
from converters.writer import ranges
from converters.writer.float_files import to_float32
from converters.writer.variants import write_variants
from edge import benchmark
from edge.files import cache_folder
from edge.interpreter import load
from edge.modelfile import tflite
from edge.modelfile.operations import model_cost
from edge.preprocessing import Preprocessing
from edge.tasks.classify.classifier import Classifier
from edge.terminal import suppress_native_stderr

RECIPES = ("qat", "channels-50", "channels-30", "magnitude-75", "pqat-75", "sparse-xnnpack")
DENSE = "int8"

LIMITS: dict[str, dict[str, tuple[str, float]]] = {
    DENSE: {"agreement": ("at least", 0.97)},
    "channels-50": {"invoke": ("at most", 0.60), "lost": ("at most", 1.0)},
    "magnitude-75": {"gzip": ("at most", 0.45), "lost": ("at most", 2.0)},
    "qat": {"runs": ("at least", 1.0)},
    "pqat-75": {"runs": ("at least", 1.0)},
}
"""What must hold of the means: recipe → figure → bound."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """A trained network with calibrated scores, its images, and its plain int8 file."""

    material: RecipeContext
    float32: bytes
    int8: bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--results", type=Path, help="JSON lines; default: a file that is dropped")
    options = parser.parse_args()
    selected = [recipe.load(name) for name in options.recipes if name != DENSE]
    with tempfile.TemporaryDirectory() as work:
        results = options.results or Path(work) / "results.jsonl"
        for seed in options.seeds:
            missing = [entry for entry in selected if (seed, entry.name) not in done(results)]
            if missing or (seed, DENSE) not in done(results):
                run_seed(options, seed, missing, results, TerminalProgress())
        names = [DENSE, *(entry.name for entry in selected)]
        rows = [row for row in read(results) if row["seed"] in options.seeds]
        report([[row for row in rows if row["recipe"] == name] for name in names])


def run_seed(
    options: argparse.Namespace,
    seed: int,
    recipes: list[recipe.Recipe],
    results: Path,
    progress: Progress,
) -> None:
    """Train with ``seed``, and add the results of plain int8 and of each recipe."""
    start = learned(options.dataset, options.weights, seed, progress)
    if (seed, DENSE) not in done(results):
        add(results, measure(start, DENSE, start.int8, 0.0))
    for entry in recipes:
        began = time.process_time()
        content = recipe.run(entry, start.material).content
        add(results, measure(start, entry.name, content, time.process_time() - began))
        progress.say(f"seed {seed}: {entry.name} in {read(results)[-1]['seconds']:.0f} CPU-s")


def learned(photos: Path, file: Path, seed: int, progress: Progress) -> Start:
    """What ``edge convert --fine-tune never`` has before its recipes."""
    backbone = weights.load(str(file), None, None, seed)
    with tempfile.TemporaryDirectory() as work:
        dataset = class_audit.audit_classes(
            intake.list_images(photos, Path(work)),
            Preprocessing(backbone.size, backbone.size),
            Path(work),
            progress,
        )
    sides = split(dataset, seed)
    training = TrainingOptions(fine_tune="never", seed=seed)
    trained = train(backbone, dataset, sides, training, cache_folder(), progress)
    network = trained.network
    assert network is not None
    validation = scores(to_float32(network.folded()), dataset, sides.validation)
    network = network.scaled(fit_temperature(validation, dataset.labels[sides.validation]))
    samples = calibration_set(dataset, sides, seed)
    folded = network.folded()
    measured = ranges.measure(folded, samples, dataset.preprocessing)
    float32, _, int8 = write_variants(folded, measured)
    return Start(
        material=RecipeContext(dataset, sides, samples, network.to_keras(), seed, progress),
        float32=float32.content,
        int8=int8.content,
    )


def measure(start: Start, name: str, content: bytes, seconds: float) -> Row:
    """All figures of one file beside plain int8 and float32."""
    dataset, sides = start.material.dataset, start.material.split
    judged = judged_images(sides)
    truth = dataset.labels[judged]
    predicted, dense, reference = (
        scores(file, dataset, judged).argmax(1) for file in (content, start.int8, start.float32)
    )
    accuracy, before = float((predicted == truth).mean()), float((dense == truth).mean())
    own, beside = invoke_ms(content, start.int8)
    return {
        "seed": start.material.seed,
        "recipe": name,
        "accuracy": accuracy,
        "lost": 100 * (before - accuracy),
        "agreement": float((predicted == reference).mean()),
        "invoke": own / beside,
        "invoke_ms": own,
        "gzip": len(gzip.compress(content)) / len(gzip.compress(start.int8)),
        "kB": len(content) / 1000,
        "sparsity": model_cost(tflite.parse(content, name)).sparsity,
        "runs": float(runs_everywhere(content)),
        "seconds": seconds,
    }


def judged_images(sides: Split) -> NDArray[np.int64]:
    return np.concatenate([sides.validation, sides.test])


def scores(content: bytes, dataset: Dataset, indices: NDArray[np.int64]) -> NDArray[np.float32]:
    with suppress_native_stderr():
        model = Classifier.from_bytes(content, name="benchmark.tflite")
    return np.stack([model.scores(np.asarray(dataset.pixels[index])) for index in indices])


def invoke_ms(content: bytes, beside: bytes) -> tuple[float, float]:
    """Medians of both files, on one thread, in turns."""
    with suppress_native_stderr():
        runtimes = [load(c, name="file", delegate="cpu", threads=1) for c in (content, beside)]
        timings = benchmark.measure_in_turns(
            [[runtime] for runtime in runtimes], rounds=20, seconds=0.03
        )
    (own,), (other,) = timings
    return own.p50_ms, other.p50_ms


def runs_everywhere(content: bytes) -> bool:
    """Whether both tflite-runtime 2.14 and LiteRT load the file and run it."""
    for package in ("tflite_runtime.interpreter", "ai_edge_litert.interpreter"):
        try:
            with suppress_native_stderr():
                interpreter = import_module(package).Interpreter(model_content=content)
                interpreter.allocate_tensors()
                interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            print(f"{package}: {error}")
            return False
    return True


def add(results: Path, row: Row) -> None:
    with results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def read(results: Path) -> list[Row]:
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def done(results: Path) -> set[tuple[int, str]]:
    return {(row["seed"], row["recipe"]) for row in read(results)}


def report(by_recipe: list[list[Row]]) -> None:
    """Print the means, and for each bound whether it is kept."""
    print(
        f"{'recipe':<16}{'seeds':>6}{'accuracy':>10}{'lost':>7}{'agree':>8}{'invoke':>8}"
        f"{'gzip':>7}{'kB':>7}{'zeros':>8}{'runs':>6}{'CPU-s':>7}"
    )
    verdicts = []
    for rows in filter(None, by_recipe):
        name = rows[0]["recipe"]
        mean = {key: fmean(row[key] for row in rows) for key in rows[0] if key != "recipe"}
        print(
            f"{name:<16}{len(rows):>6}{mean['accuracy']:>10.1%}{mean['lost']:>7.1f}"
            f"{mean['agreement']:>8.3f}{mean['invoke']:>7.2f}x{mean['gzip']:>6.2f}x"
            f"{mean['kB']:>7.0f}{mean['sparsity']:>8.1%}{'yes' if mean['runs'] == 1 else 'NO':>6}"
            f"{mean['seconds']:>7.0f}"
        )
        for figure, (words, bound) in LIMITS.get(name, {}).items():
            value = mean[figure]
            kept = value <= bound if words == "at most" else value >= bound
            verdicts.append(
                f"{'holds' if kept else 'MISSES'}: {name} {figure} {value:.3f}, {words} {bound:g}"
            )
    print(
        "lost: points of accuracy against int8; agree: with float32; invoke and gzip: against int8."
    )
    print(*verdicts, sep="\n")


if __name__ == "__main__":
    main()
