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
from converters.report.verdict_text import weak_class_evidence
from edge.next_steps import NextStep, command_line
from edge.quantities import size
from edge.task_kinds import TASKS

_WEAK_NAMED = 3
"""Number of weak classes that get a command."""

_LONG_BUDGET = 900
"""Seconds, three times as many as detectors and segmenters are trained for by default."""

BOARD = "pi@raspberrypi.local"
"""Address of a Raspberry Pi as its system proposes it."""


def with_next_steps(report: Report, out: Path, photo: Path | None, demo: str) -> Report:
    """Return the report with its next steps; see :func:`after_conversion`."""
    steps = after_conversion(report, out, photo, demo)
    return replace(
        report, next_steps=tuple(NextStepReport(step.why, step.command) for step in steps)
    )


def after_conversion(
    report: Report, out: Path, photo: Path | None, demo: str
) -> tuple[NextStep, ...]:
    """Return the next steps.

    Args:
        report: of the conversion or compression.
        out: folder of the result.
        photo: an image that the model was not trained on.
        demo: name of the demo that runs it.
    """
    remedies = (*_accuracy(report, out), *_limits(report, out), *_photos(report))
    if any(step.command.startswith("edge capture") for step in remedies):
        remedies = (*remedies, *_again(report))
    return (*remedies, *_use(report, out, photo, demo))


def held_out_photo(dataset: Dataset, split: Split, path: Path) -> Path | None:
    """Return the file of a test image where it can still be found, below ``path`` or beside it."""
    folder = path if path.is_dir() else path.parent
    files = (folder / dataset.images[index].name for index in split.test)
    return next((file for file in files if file.is_file()), None)


def _accuracy(report: Report, out: Path) -> Iterator[NextStep]:
    """Yield what helps where quantization loses accuracy."""
    lost = any(j.requirement == "loss" and j.status == "fail" for j in report.verdict.judgments)
    if not lost or report.chosen == "float32" or _is_phased(report):
        return
    if "qat" not in report.variants:
        yield _compress(report, out, "qat", "Recover the accuracy by quantization-aware training")
    half = report.variants.get("float16")
    better = half is not None and half.quality.value > report.chosen_variant.quality.value
    if report.choice.target == "cpu" and half is not None and better:
        quality = f"{percent(half.quality.value)} {report.metric.name} in {size(half.bytes)}"
        yield _compress(report, out, "float16", f"Or take 16-bit floats: {quality}")


def _limits(report: Report, out: Path) -> Iterator[NextStep]:
    """Yield what helps where the chosen variant is beyond a limit."""
    beyond = {f.limit: f for f in report.choice.failures if f.variant == report.chosen}
    smaller = next((r for r in ("channels-50", "channels-30") if r not in report.variants), None)
    too_big = "max_latency_ms" in beyond or "max_size_kb" in beyond
    if smaller and too_big and not _is_phased(report):
        yield _compress(report, out, smaller, "Make it smaller and faster")
    if "edgetpu" in beyond:
        yield NextStep("See what keeps it from the Edge TPU", command_line("edge", "check", out))
    if f"min_{report.metric.key}" in beyond:
        yield from _longer(report)


def _is_phased(report: Report) -> bool:
    """Return whether a budget in seconds was shared out among phases.

    So are detectors and segmenters trained, whose networks cannot be read again to be compressed.
    """
    return "phases" in report.training.details


def _longer(report: Report) -> Iterator[NextStep]:
    """Yield the command that trains more than this run."""
    words = _command(report)
    if words[:2] != ["edge", "convert"]:
        return
    if _is_phased(report):
        if "--budget" not in words:
            again = command_line(*_forced(words), "--budget", _LONG_BUDGET)
            yield NextStep("Give training more time, in seconds", again)
    elif report.training.method == "frozen" and "--fine-tune" not in words:
        again = command_line(*_forced(words), "--fine-tune", "always")
        yield NextStep("Train the backbone, too, which takes longer", again)


def _photos(report: Report) -> Iterator[NextStep]:
    """Yield which photos are missing: of weak classes, else of those tested on the fewest."""
    for weak in report.weak_classes[:_WEAK_NAMED]:
        yield NextStep(
            f"Add photos of {weak.label} from other days, places and angles: {weak.count} of "
            f"{weak.images} are taken for {weak.taken_for} ({weak_class_evidence(report)})",
            _capture(report, weak.label),
        )
    per_class = report.chosen_variant.quality.per_class
    if per_class and not report.weak_classes and report.verdict.status == "not-proven":
        fewest = min(per_class, key=lambda row: row.support)
        yield NextStep(
            f"Prove it on more photos: {fewest.label} was tested on {fewest.support} only",
            _capture(report, fewest.label),
        )


def _again(report: Report) -> Iterator[NextStep]:
    """Yield the command of this run once more."""
    words = _command(report)
    if words[:1] == ["edge"]:
        yield NextStep("With the new photos, run the same again", command_line(*_forced(words)))


def _use(report: Report, out: Path, photo: Path | None, name: str) -> Iterator[NextStep]:
    """Yield what can be done with the model."""
    demo = ("edge", "demo", name, "--model", out, "--source")
    if photo is not None:
        own = TASKS[name].command
        words = (*demo, photo) if own is None else ("edge", own, out, photo)
        verb = "Try it on" if own is None else own.capitalize()
        why = f"{verb} a photo that it has not been trained on"
        yield NextStep(why, command_line(*words))
    yield NextStep("Watch it on this computer's camera", command_line(*demo, "0"))
    compiled = report.compiled
    if compiled is not None and not compiled.compiler:
        docker = command_line("edge", "compile", out, "--docker")
        yield NextStep("Compile it for the Edge TPU, with Docker instead of the compiler", docker)
    if report.success:
        run = f"demo {name} --source 0 --sink web"
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
        (report.metric.option, limits.minimum),
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
