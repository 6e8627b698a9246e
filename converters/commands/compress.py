"""The command ``edge compress``."""

from pathlib import Path
from typing import Any

import click

from converters import api
from converters.commands import options as shared
from converters.terminal_progress import TerminalProgress

EXAMPLES = """
\b
Examples:
  edge compress out/ --recipe channels-50 -o small/
  edge compress out/ --recipe magnitude-75 --recipe pqat-75 -o packed/
  edge compress out/ --recipe channels-30 --max-latency 4 -o quick/
  edge compress small/ --recipe my.toml -o smaller/ --data photos/

\b
RESULT is a folder written by 'edge convert' or 'edge compress'. Its trained model
(model.keras), split, preprocessing and --precision are reused; the images are
read again from their original folder, or from --data.

\b
Exit codes: 0 done; 2 error; 3 done, but the model loses more than --max-drop, is
no better than naming the most common class, or no variant is within the limits
(the closest is taken).  With too few test images to tell, the verdict is NOT
PROVEN and the exit code 0; a script that requires proof tests report.json:
  jq -e '.verdict.status == "pass"' OUT/report.json
"""


class _RecipeHelp(click.Command):
    """A command whose help ends with the included recipes and the methods of their steps."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the epilog and the lists, which are read only when help is shown."""
        from converters.compression import methods, recipe

        super().format_epilog(ctx, formatter)
        with formatter.section("Recipes"):
            formatter.write_text(f"{', '.join(recipe.names())}, or a TOML file of steps:")
            formatter.write_dl(methods.help_table())


@click.command(cls=_RecipeHelp, epilog=EXAMPLES)
@click.argument("result", metavar="RESULT", type=click.Path(path_type=Path))
@click.option(
    "--recipe",
    "recipes",
    multiple=True,
    required=True,
    metavar="NAME|FILE",
    help="Compression recipe, by name or as a TOML file; may be repeated.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="DIR",
              help="Output folder.")  # fmt: skip
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DATASET",
    help="The dataset.  [default: the one that RESULT was made from]",
)
@shared.plan_options
@shared.FORCE
@shared.JSON
def compress(
    result: Path,
    recipes: tuple[str, ...],
    out: Path,
    data: Path | None,
    force: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Prune and quantize an existing result again.

    All variants are evaluated on the same images as in RESULT. DIR/model.keras is the network
    behind DIR/model.tflite, so that it can be compressed again.
    """
    report = api.compress(
        result,
        out,
        recipes=recipes,
        data=data,
        force=force,
        minimums=shared.take_minimums(options),
        progress=TerminalProgress(),
        command=shared.command_line(),
        **options,
    )
    return shared.print_report(report, out, as_json)
