"""What to do after a conversion, as commands to paste: remedies first, then ways to use the model.

A function of the report, which keeps the steps for its page and its JSON.
"""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.report.formatting import percent
from converters.report.model import Report
from converters.report.sections import NextStepReport
from converters.report.tables import worst_pairs
from converters.report.variant import ClassReport
from edge.next_steps import NextStep, command_line
from edge.quantities import counted, size

_WEAK_RECALL, _WEAK_MISSED, _WEAK_NAMED = 0.9, 2, 3
"""Recall below which a class is weak, if so many of its test images were missed; and how many
classes are named."""

BOARD = "pi@raspberrypi.local"
"""Address of a Raspberry Pi as its system proposes it."""


def with_next_steps(report: Report, out: Path, photo: Path | None) -> Report:
    """Return the report with its next steps; see :func:`after_conversion`."""
    steps = after_conversion(report, out, photo)
    return replace(
        report, next_steps=tuple(NextStepReport(step.why, step.command) for step in steps)
    )


def after_conversion(report: Report, out: Path, photo: Path | None) -> tuple[NextStep, ...]:
    """Return the next steps.

    Args:
        report: of the conversion or compression.
        out: folder of the result.
        photo: an image that the model was not trained on.
    """
    remedies = (*_accuracy(report, out), *_limits(report, out), *_photos(report))
    if any(step.command.startswith("edge capture") for step in remedies):
        remedies = (*remedies, *_again(report))
    return (*remedies, *_use(report, out, photo))


def held_out_photo(dataset: Dataset, split: Split, path: Path) -> Path | None:
    """Return the file of a test image where it can still be found, below ``path`` or beside it."""
    folder = path if path.is_dir() else path.parent
    files = (folder / dataset.images[index].name for index in split.test)
    return next((file for file in files if file.is_file()), None)


def weak_classes(report: Report) -> list[ClassReport]:
    """Return the classes that the chosen variant misses most often, worst first.

    A class that float32 knows well suffers from quantization, and not from its photos.
    """
    rows = zip(report.chosen_variant.per_class, report.variants["float32"].per_class, strict=True)
    weak = [row for row, before in rows if _is_weak(row) and _is_weak(before)]
    return sorted(weak, key=lambda row: row.recall)[:_WEAK_NAMED]


def _is_weak(row: ClassReport) -> bool:
    missed = round(row.support * (1 - row.recall))
    return row.recall < _WEAK_RECALL and missed >= _WEAK_MISSED


def _accuracy(report: Report, out: Path) -> Iterator[NextStep]:
    """Yield what helps where quantization loses accuracy."""
    if report.verdict.status != "fail" or report.chosen == "float32":
        return
    if "qat" not in report.variants:
        yield _compress(report, out, "qat", "Recover the accuracy by quantization-aware training")
    half = report.variants.get("float16")
    better = half is not None and half.accuracy > report.chosen_variant.accuracy
    if report.choice.target == "cpu" and half is not None and better:
        accuracy = f"{percent(half.accuracy)} accuracy in {size(half.bytes)}"
        yield _compress(report, out, "float16", f"Or take 16-bit floats: {accuracy}")


def _limits(report: Report, out: Path) -> Iterator[NextStep]:
    """Yield what helps where the chosen variant is beyond a limit."""
    beyond = {f.limit: f for f in report.choice.failures if f.variant == report.chosen}
    smaller = next((r for r in ("channels-50", "channels-30") if r not in report.variants), None)
    if smaller and ("max_latency_ms" in beyond or "max_size_kb" in beyond):
        yield _compress(report, out, smaller, "Make it smaller and faster")
    if "edgetpu" in beyond:
        yield NextStep("See what keeps it from the Edge TPU", command_line("edge", "check", out))
    if "min_accuracy" in beyond and report.training.method == "frozen":
        words = _command(report)
        if words[:2] == ["edge", "convert"] and "--fine-tune" not in words:
            again = command_line(*_forced(words), "--fine-tune", "always")
            yield NextStep("Train the backbone, too, which takes longer", again)


def _photos(report: Report) -> Iterator[NextStep]:
    """Yield which photos are missing: of weak classes, else of those tested on the fewest."""
    pairs = worst_pairs(report.chosen_variant.confusion, report.dataset.classes)
    weak = weak_classes(report)
    for row in weak:
        other = next(pair.predicted for pair in pairs if pair.true == row.label)
        missed = round(row.support * (1 - row.recall))
        yield NextStep(
            f"{row.label} is weak: {missed} of {counted(row.support, 'test image')} missed, most "
            f"taken for {other}. Check the labels of both, and add photos of both from other days, "
            "places and angles",
            _capture(report, row.label),
        )
    if not weak and report.verdict.status not in ("pass", "fail"):
        fewest = min(report.chosen_variant.per_class, key=lambda row: row.support)
        yield NextStep(
            f"Prove it on more photos: {fewest.label} was tested on {fewest.support} only",
            _capture(report, fewest.label),
        )


def _again(report: Report) -> Iterator[NextStep]:
    """Yield the command of this run once more."""
    words = _command(report)
    if words[:1] == ["edge"]:
        yield NextStep("With the new photos, run the same again", command_line(*_forced(words)))


def _use(report: Report, out: Path, photo: Path | None) -> Iterator[NextStep]:
    """Yield what can be done with the model."""
    if photo is not None:
        classified = command_line("edge", "classify", out, photo)
        yield NextStep("Classify a photo that it has not been trained on", classified)
    demo = command_line("edge", "demo", "classify", "--model", out, "--source", "0")
    yield NextStep("Watch it on this computer's camera", demo)
    compiled = report.compiled
    if compiled is not None and not compiled.compiler:
        docker = command_line("edge", "compile", out, "--docker")
        yield NextStep("Compile it for the Edge TPU, with Docker instead of the compiler", docker)
    if report.success:
        run = "demo classify --source 0 --sink web"
        board = "your board" if report.board is None else f"your {report.board.title}"
        deploy = command_line("edge", "deploy", out, BOARD, "--run", run)
        yield NextStep(f"Send it to {board}, by its address, and watch it in a browser", deploy)


def _compress(report: Report, out: Path, recipe: str, why: str) -> NextStep:
    """Return the compression by another recipe, with the limits of this run."""
    limits = report.choice.limits
    options: list[object] = []
    for name, value in (
        ("--max-latency", limits.max_latency_ms),
        ("--max-size", limits.max_size_kb),
        ("--min-accuracy", limits.min_accuracy),
    ):
        options += [] if value is None else [name, f"{value:g}"]
    if report.choice.target != "cpu":
        options += ["--target", report.choice.target]
    new = out.with_name(f"{out.name}-{recipe}")
    words = ("edge", "compress", out, "--recipe", recipe, "-o", new, *options)
    return NextStep(why, command_line(*words))


def _capture(report: Report, label: str) -> str:
    """Return the command that takes photos of a class, "" where its folder is not known."""
    if report.dataset.path is None:
        return ""
    folder = Path(report.dataset.path)
    if not (folder / label).is_dir():
        return ""
    return command_line("edge", "capture", "--label", label, "-o", folder)


def _command(report: Report) -> list[str]:
    """Return the words of the command as it was typed; none for a call from Python."""
    try:
        return shlex.split(report.command)
    except ValueError:
        return []


def _forced(words: list[str]) -> list[str]:
    return words if "--force" in words else [*words, "--force"]
