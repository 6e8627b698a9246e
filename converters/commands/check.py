"""The command ``edge check``: predict what the Edge TPU runs, and suggest changes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from converters import api
from converters.artifacts import REPORT_FILE
from edge.commands.options import JSON, MODEL, model_file
from edge.next_steps import NextStep, command_line, lines

if TYPE_CHECKING:
    from converters.edgetpu.prediction import EdgeTpuPrediction

EXIT_CODES = {"full": 0, "partly": 1, "none": 3}

EXAMPLES = """
\b
Examples:
  edge check model.tflite
  edge check photos-model/variants/int8.tflite
  edge check model.tflite --json

\b
Needs neither the Edge TPU compiler nor TensorFlow: the prediction is made from the file
alone, by rules for the last compiler (16.0). Use 'edge compile' to actually compile.

\b
Exit codes: 0 all operations run on the Edge TPU; 1 some of them; 2 error; 3 none.
"""


@click.command(epilog=EXAMPLES)
@MODEL
@JSON
def check(model: Path, as_json: bool) -> int:
    """Predict which operations run on the Edge TPU, and why the others stay on the CPU."""
    model = model_file(model)
    result = api.check_edgetpu(model)
    steps = tuple(next_steps(model, result))
    if as_json:
        facts = {"model": str(model), **result.to_dict()}
        facts["next_steps"] = [step.to_dict() for step in steps]
        click.echo(json.dumps(facts, indent=2))
    else:
        from converters.edgetpu.render import show

        show(result, str(model))
        click.echo("\n" + "\n".join(lines(steps)))
    return EXIT_CODES[result.status]


def next_steps(model: Path, prediction: "EdgeTpuPrediction") -> Iterator[NextStep]:
    """Yield what to do with a checked model."""
    if prediction.compiled:
        bench = command_line("edge", "bench", model, "--delegate", "edgetpu")
        yield NextStep("Measure it on a computer with an Edge TPU", bench)
        return
    if prediction.status != "none":
        share = "" if prediction.status == "full" else "; the rest will run on the CPU"
        yield NextStep(f"Compile it{share}", command_line("edge", "compile", model))
        return
    int8 = _int8_beside(model)
    if int8 is not None:
        again = command_line("edge", "check", int8)
        yield NextStep("Check the int8 file of the same result", again)
    else:
        yield NextStep("Quantize it to int8, as 'edge convert' does: nothing else runs there")


def _int8_beside(model: Path) -> Path | None:
    """Return the int8 file of the result that another of its files belongs to."""
    for folder in (model.parent, model.parent.parent):
        int8 = folder / "variants" / "int8.tflite"
        if (folder / REPORT_FILE).is_file() and int8.is_file():
            return None if int8.resolve() == model.resolve() else int8
    return None
