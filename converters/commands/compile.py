"""The command ``edge compile``: compile for the Edge TPU, and compare with the prediction."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from converters import api
from converters.edgetpu import compiler, runner
from converters.edgetpu.compiler import CompiledModel
from converters.edgetpu.runner import MissingCompilerError
from converters.terminal_progress import TerminalProgress
from edge.commands.options import JSON, MODEL
from edge.quantities import counted, size
from edge.registry import local_model

EXIT_CODES = {"full": 0, "partly": 1, "none": 3}

_INSTALL = runner.install_instructions().replace(
    "\n\n", "\n\n\b\n"
)  # \b: click leaves the lines as they are

EXAMPLES = f"""
\b
Examples:
  edge compile model.tflite
  edge compile photos-model/
  edge compile model.tflite -o bird_edgetpu.tflite --docker
  edge compile model.tflite --json

\b
The result, named after MODEL with '_edgetpu.tflite', keeps MODEL's labels and metadata. It is
written if at least one operation runs on the Edge TPU; otherwise, use MODEL itself.

\b
Exit codes: 0 all operations run on the Edge TPU; 1 some of them; 2 error; 3 none.

\b
{_INSTALL}"""


def _print_recipe(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        click.echo(runner.DOCKERFILE, nl=False)
        context.exit()


@click.command("compile", epilog=EXAMPLES)
@MODEL
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help="Output file, or an existing folder for it.  [default: next to MODEL]",
)
@click.option(
    "--docker", is_flag=True, help=f"Run the compiler in the Docker image '{runner.IMAGE}'."
)
@click.option(
    "--docker-recipe",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_recipe,
    help="Print the Dockerfile of that image.",
)
@click.option(
    "--search-delegate",
    is_flag=True,
    help="If compiling fails, leave more operations to the CPU until it succeeds.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=compiler.TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="Time limit for the compiler.",
)
@JSON
def compile_(
    model: Path,
    out: Path | None,
    docker: bool,
    search_delegate: bool,
    timeout: float,
    as_json: bool,
) -> int:
    """Compile a model for the Edge TPU, and show which operations run there.

    This uses Google's compiler, from the PATH or in Docker.
    """
    model = local_model(model)
    try:
        compiled = api.compile_edgetpu(
            model,
            out,
            docker=docker,
            search_delegate=search_delegate,
            timeout=timeout,
            progress=TerminalProgress(),
        )
    except MissingCompilerError as missing:
        click.echo(f"{missing.instructions}\n", err=True, nl=False)
        raise
    written = None if compiled.status == "none" else api.compiled_path(model, out)
    if as_json:
        facts = {"model": str(model), "output": str(written) if written else None}
        click.echo(json.dumps(facts | compiled.to_dict(), indent=2))
    else:
        click.echo("\n".join(_lines(compiled, model, written)))
    return EXIT_CODES[compiled.status]


def _lines(compiled: CompiledModel, model: Path, written: Path | None) -> Iterator[str]:
    yield click.style(str(written or model), bold=True)
    yield f"  Edge TPU    {_share(compiled)}"
    yield from _left_to_cpu(compiled)
    log = compiled.model_log
    if log and log.on_chip is not None and log.off_chip is not None:
        yield (
            f"  parameters  {size(log.on_chip)} on the chip, {size(log.off_chip)} streamed "
            "for every inference"
        )
    yield f"  size        {size(compiled.input_size)} → {size(len(compiled.content))}"
    yield from _compared_with_prediction(compiled)
    took = f", {compiled.log.milliseconds} ms" if compiled.log.milliseconds is not None else ""
    yield f"  compiler    {compiled.log.version or 'version unknown'}{took}"
    if written is None:
        yield "  output      not written: no operation would run on the Edge TPU"


def _share(compiled: CompiledModel) -> str:
    if compiled.status == "full":
        single = compiled.operations == 1
        total = counted(compiled.operations, "operation")
        return "runs the only operation" if single else f"runs all {total}"
    parts = f" in {compiled.subgraphs} parts" if compiled.subgraphs > 1 else ""
    return f"runs {compiled.mapped} of {counted(compiled.operations, 'operation')}{parts}"


def _left_to_cpu(compiled: CompiledModel) -> Iterator[str]:
    """List operations on the CPU, with the compiler's reasons where it gives them."""
    log = compiled.model_log
    refused = [row for row in log.rows if not row.mapped] if log else []
    for op, count in compiled.cpu.items():
        kind = op.partition(":")[0]  # the compiler's table says CUSTOM alone
        reasons = "; ".join(row.status for row in refused if row.op == kind)
        yield f"  on the CPU  {count} × {op}{f' ({reasons})' if reasons else ''}"


def _compared_with_prediction(compiled: CompiledModel) -> Iterator[str]:
    differences = compiled.differences()
    if not differences:
        yield "  prediction  matched"
    for difference in differences:
        yield f"  prediction  mismatch: {difference}"
