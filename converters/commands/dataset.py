"""``edge dataset``: look at the labels of a data set."""

import json
from pathlib import Path

import click

from converters import api
from converters.commands.options import SEED
from converters.terminal_progress import TerminalProgress
from edge.cli import CommandEntry, LazyGroup
from edge.commands.options import JSON, counted

EXAMPLES = """
\b
Examples:
  edge dataset suspects photos/
  edge dataset suspects photos/ --worst 20 --move aside/
  edge dataset restore aside/
"""


class DatasetCommands(LazyGroup):
    """The commands of ``edge dataset``."""

    entries = {  # noqa: RUF012 (not changed)
        "suspects": CommandEntry(
            "converters.commands.dataset:suspects", "Dataset", "Find labels that may be wrong."
        ),
        "restore": CommandEntry(
            "converters.commands.dataset:restore", "Dataset", "Bring back what --move set aside."
        ),
    }


@click.command(cls=DatasetCommands, epilog=EXAMPLES)
def dataset() -> None:
    """Look at the labels of a data set before training on it."""


SUSPECTS_EXAMPLES = """
\b
Examples:
  edge dataset suspects photos/
  edge dataset suspects photos/ --weights builtin --json | jq -r '.[].file'
  edge dataset suspects photos/ --worst 20 --move aside/

\b
Every image is predicted by a head that was trained without it and without its
near-duplicates.  Where another class is likelier than the given one, the label
is suspect; the worst come first (after confident learning).  Look before you move
them: the later ones are often just unusual, or alike.  'edge dataset restore
aside/' brings moved images back.
"""


@click.command(epilog=SUSPECTS_EXAMPLES)
@click.argument("dataset", metavar="DATASET", type=click.Path(path_type=Path))
@click.option(
    "--weights",
    metavar="NAME|FILE",
    help="Pretrained weights of the backbone: imagenet, builtin, or a .h5, .keras or MobileNetV2 "
    ".tflite file.  [default: imagenet, or builtin (with a note) if imagenet is unavailable]",
)
@click.option(
    "--worst",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only the N worst suspects.  [default: all]",
)
@click.option(
    "--move",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Move the suspects, or the --worst of them, to this new or empty folder outside DATASET, "
    "with a record that 'edge dataset restore' undoes it by.",
)
@SEED
@JSON
def suspects(
    dataset: Path,
    weights: str | None,
    worst: int | None,
    move: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """List the images of class folders whose label is probably wrong, the worst first."""
    rows = api.find_suspects(
        dataset, weights=weights, worst=worst, move=move, seed=seed, progress=TerminalProgress()
    )
    if as_json:
        plain = [
            {"file": row.file, "given": row.given, "likely": row.likely, "score": row.score}
            for row in rows
        ]
        click.echo(json.dumps(plain, indent=2))
        return
    if not rows:
        click.echo("No label looks wrong.")
    for row in rows:
        click.echo(f"{row.score:.3f}  {row.file}: {row.given}, likely {row.likely}")
    if move is not None and rows:
        click.echo(f"\nMoved {counted(len(rows), 'image')} to {move}.")
        click.echo(f"Bring them back: edge dataset restore {move}")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def restore(folder: Path) -> None:
    """Bring back the images that 'edge dataset suspects --move DIR' set aside."""
    click.echo(f"Brought back {counted(api.bring_back(folder), 'image')}.")
