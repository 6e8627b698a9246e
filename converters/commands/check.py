"""The command ``edge check``: predict what the Edge TPU runs, and suggest changes."""

import json
from pathlib import Path

import click

from converters import api
from edge.commands.options import JSON, MODEL, model_file

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
    if as_json:
        click.echo(json.dumps({"model": str(model), **result.to_dict()}, indent=2))
    else:
        from converters.edgetpu.render import show

        show(result, str(model))
    return EXIT_CODES[result.status]
