"""``edge teach``: learn classes from images, on the board."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.commands.options import JSON, counted, say
from edge.next_steps import NextStep, command_line, lines
from edge.terminal import suppress_native_stderr

if TYPE_CHECKING:
    from edge.teaching.once import TeachResult

EXAMPLES = """
\b
Examples:
  edge teach cups/ --once                    learn from the images in cups/NAME/
  edge teach cups/ --once -o out/ --json
  edge teach cups/ --once --forget spoon     leave out a class; its images go to cups/.trash
  edge teach cups/ --once --backbone efficientnet_lite0
  edge convert cups/                         later, on a workstation: the verified model

\b
The folder is an ordinary data set, with a folder of images per class. The result is an int8
model with a new head on a backbone that stays as it is; the accuracy printed is that of a
cross-validation of the head, not of the file.
"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="Folder of the model.  [default: DIR-model]",
)  # fmt: skip
@click.option("--once", is_flag=True, required=True, help="Learn from the images there, and end.")
@click.option(
    "--backbone", default="builtin", show_default=True, metavar="MODEL",
    help="Classifier whose features are used: builtin, a .tflite file, an earlier result, or a "
    "name from 'edge models list'.",
)  # fmt: skip
@click.option("--forget", multiple=True, metavar="NAME", help="Remove a class first; repeatable.")
@click.option(
    "--delegate", default="auto", show_default=True, metavar="auto|cpu|edgetpu",
    help="What runs the backbone; auto uses the Edge TPU for one compiled for it.",
)  # fmt: skip
@click.option(
    "--threads", type=click.IntRange(min=1), metavar="N",
    help="CPU threads.  [default: one per core, at most 4]",
)  # fmt: skip
@JSON
def teach(
    folder: Path,
    out: Path | None,
    once: bool,
    backbone: str,
    forget: tuple[str, ...],
    delegate: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Learn to classify the images in a folder, in seconds and without TensorFlow."""
    from edge.teaching import once as teaching

    with suppress_native_stderr():
        result = teaching.teach(
            folder, out, backbone=backbone, forget=forget, delegate=delegate, threads=threads,
            say=lambda note: say((note,)),
        )  # fmt: skip
    steps = _next_steps(result, folder)
    if as_json:
        click.echo(json.dumps({**result.to_dict(), "next_steps": [s.to_dict() for s in steps]}))
        return
    _show(result)
    for line in lines(steps):
        click.echo(line)


def _show(result: "TeachResult") -> None:
    classes = result.assessment.classes
    click.echo(
        f"{result.model}: {counted(len(classes), 'class')}, learned from "
        f"{counted(sum(result.counts.values()), 'image')}."
    )
    width = max(len(each.label) for each in classes)
    for each in classes:
        right = f"{each.correct} of {each.tested} right" if each.tested else "not tested"
        click.echo(f"  {each.label:{width}}  {counted(each.count, 'image'):>12}  {right}")
    if result.assessment.accuracy is not None:
        click.echo(f"Cross-validated accuracy of the head: {result.assessment.accuracy:.1%}.")
    for hint in (each.hint for each in classes):
        if hint:
            click.echo(hint)


def _next_steps(result: "TeachResult", folder: Path) -> list[NextStep]:
    model = result.model
    return [
        NextStep(
            "see it on a camera",
            command_line("edge", "demo", "classify", "--model", model, "--source", "0"),
        ),
        NextStep(
            "convert and verify it on held-out images, on a workstation",
            command_line("edge", "convert", folder),
        ),
    ]
