"""``edge check``: what the Edge TPU would take of a model, and what to change."""

import json
from pathlib import Path

import click

from converters.edgetpu.check import check as foresee
from edge.commands.options import JSON, MODEL, model_file
from edge.modelfile import tflite

EXIT_CODES = {"full": 0, "partly": 1, "none": 3}

EXAMPLES = """
\b
Examples:
  edge check model.tflite
  edge check photos-model/variants/int8.tflite
  edge check model.tflite --json

\b
Neither the Edge TPU's compiler nor TensorFlow is needed: the forecast is made from the
file, by rules for the last compiler (16.0). 'edge compile' compiles in earnest.

\b
Exit codes: 0 all operations run on the Edge TPU; 1 a part of them; 2 error; 3 none.
"""


@click.command(epilog=EXAMPLES)
@MODEL
@JSON
def check(model: Path, as_json: bool) -> int:
    """Foresee what the Edge TPU will take of a model, and why it leaves the rest to the CPU."""
    model = model_file(model)
    prediction = foresee(tflite.read_file(model), str(model))
    if as_json:
        click.echo(json.dumps({"model": str(model), **prediction.to_dict()}, indent=2))
    else:
        from converters.edgetpu.show import show

        show(prediction, str(model))
    return EXIT_CODES[prediction.status]
