"""``edge compare``: results side by side on the terminal."""

import json
from pathlib import Path

import click

from converters import api
from converters.report.compare import SORTS, Comparison
from edge.commands.options import JSON, say
from edge.errors import UsageError
from edge.files import write_atomic

EXAMPLES = """
\b
Examples:
  edge compare photos-model/
  edge compare photos-model/ photos-small/ --sort time
  edge compare */report.json --plot compare.svg
  edge compare photos-model/ photos-small/ --json

\b
RESULT is a folder written by 'edge convert' or 'edge compress', or its report.json; older
results lack some figures.
Ratios and differences are relative to the int8 variant of the first RESULT.
Warnings below the table name figures that are not comparable.
"""

_PLOT_SIZE = (648.0, 396.0)
"""Width and height in points."""

_PLOTS = (".svg", ".png")


@click.command(epilog=EXAMPLES)
@click.argument(
    "outs", nargs=-1, required=True, metavar="RESULT...", type=click.Path(path_type=Path)
)
@click.option(
    "--sort",
    type=click.Choice(list(SORTS)),
    help="Sort by this figure, best first.  [default: in the order of the results]",
)
@click.option(
    "--plot",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Plot accuracy against latency to FILE.svg or FILE.png.",
)
@JSON
def compare(outs: tuple[Path, ...], sort: str | None, plot: Path | None, as_json: bool) -> int:
    """Compare the variants of one or more results."""
    if plot is not None and plot.suffix not in _PLOTS:
        raise UsageError(
            "--plot FILE.svg or FILE.png",
            f"'{plot}'",
            f"name it {plot.stem}.svg",
            code="unsupported-plot-format",
        )
    compared = api.compare(*outs, sort=sort)
    if plot is not None:
        write_atomic(plot, drawing(compared, plot.suffix[1:]))
        say(_unreadable(compared, plot))
    if as_json:
        click.echo(json.dumps(compared.to_dict(), indent=2))
        return 0
    from converters.report.compare import show_table

    show_table(compared)
    if plot is not None:
        click.echo(f"Plot: {plot}")
    return 0


def _unreadable(compared: Comparison, plot: Path) -> tuple[str, ...]:
    """Return a note on names that the plot cannot show."""
    if plot.suffix == ".svg":
        return ()
    from converters.report.png import missing_glyphs

    names = "".join(entry.result.name + entry.row.name for entry in compared.entries)
    if not (letters := missing_glyphs(names)):
        return ()
    return (f"{plot} shows {letters} as boxes; an SVG shows them: --plot {plot.stem}.svg",)


def drawing(compared: Comparison, kind: str) -> bytes:
    """Accuracy over time of all variants, as a file of the ``kind`` svg or png."""
    from converters.report import pareto_plot

    points = [
        pareto_plot.ParetoPoint(
            name=entry.row.name,
            group=entry.result.name,
            p50_ms=entry.row.timing.p50_ms,
            quality=entry.row.quality.value,
            interval=entry.row.quality.interval,
            front=entry.front,
            chosen=entry.chosen,
        )
        for entry in compared.entries
    ]
    drawn = pareto_plot.draw(points, compared.metric.name, _PLOT_SIZE)
    if kind == "svg":
        from converters.report.drawing import to_svg_file

        return to_svg_file(drawn).encode()
    from converters.report.png import to_png

    return to_png(drawn)
