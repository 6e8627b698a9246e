"""``edge compress``: parse, call, print."""

from pathlib import Path
from typing import Any

import click

from converters import making
from converters.progress import Terminal

EXAMPLES = """
\b
Examples:
  edge compress out/ --recipe channels-50 -o small/
  edge compress out/ --recipe magnitude-75 --recipe pqat-75 -o packed/
  edge compress out/ --recipe channels-30 --max-latency 4 -o quick/
  edge compress small/ --recipe my.toml -o smaller/ --data photos/

\b
RESULT is a folder that 'edge convert' or 'edge compress' wrote. Its network
(model.keras), its split, its preprocessing and its --precision are taken; the
pictures are read again from where they lay, or from --data.

\b
Exit codes: 0 done; 2 error; 3 done, but the model loses more than --max-drop,
or no variant is within the limits (the nearest is taken).
"""


@click.command(epilog=EXAMPLES)
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--recipe",
    "recipes",
    multiple=True,
    required=True,
    metavar="NAME|FILE",
    help="How to compress, by name or as a TOML file; may be given several times.",
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder for the result."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="The data set.  [default: where it lay when RESULT was made]",
)
@making.planned
@making.FORCE
@making.JSON
def compress(
    result: Path,
    recipes: tuple[str, ...],
    out: Path,
    data: Path | None,
    force: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Prune and quantise an earlier result anew.

    What is measured is of the same pictures as in RESULT. OUT/model.keras is the network behind
    OUT/model.tflite, so that it can be compressed again.
    """
    from converters import pipeline

    settings = pipeline.CompressSettings(
        source=result,
        out=out.resolve(),
        data=data,
        force=force,
        plan=making.plan(recipes, options),
        command=making.typed(),
    )
    return making.end(pipeline.compress(settings, Terminal()), out, as_json)
