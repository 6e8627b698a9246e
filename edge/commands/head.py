"""``edge head``: put a taught head on another copy of its backbone."""

from pathlib import Path

import click

from edge.commands.options import MODEL, model_file

EXAMPLES = """
\b
Examples:
  edge teach cups/ --once -o out/ --backbone extractor.tflite
  edge head extractor_edgetpu.tflite --from out/ -o cups_edgetpu.tflite

\b
The embeddings in out/ were made by the extractor before it was compiled for the Edge TPU. Its
compiled copy gets a head that was fitted on them: it computes in float32 on the CPU, behind the
operation of the Edge TPU, which stays as it is. No compiler is needed. Untested on hardware.
"""


@click.command(epilog=EXAMPLES)
@MODEL
@click.option(
    "--from", "source", type=click.Path(path_type=Path), required=True, metavar="DIR",
    help="Result of 'edge teach' with the same extractor.",
)  # fmt: skip
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FILE",
    help="The model to write.",
)  # fmt: skip
def head(model: Path, source: Path, out: Path) -> None:
    """Put a taught head on a backbone, such as one compiled for the Edge TPU."""
    from edge.teaching.transplant import put_head

    labels = put_head(model_file(model), source, out)
    click.echo(f"{out}: {', '.join(labels)}.")
