"""``edge models``: list, download and verify models by name."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli import CommandEntry, LazyGroup
from edge.commands.options import JSON
from edge.errors import DownloadError, ModelError, OutputError, UsageError, did_you_mean
from edge.next_steps import NextStep, command_line, lines
from edge.quantities import counted
from edge.task_kinds import TASKS, model_tasks

if TYPE_CHECKING:
    from edge.registry.catalog import CatalogEntry

_SHOWN = 3
"""Number of downloaded models up to which each has a command to try it."""

_EDGETPU = click.option("--edgetpu", is_flag=True, help="Include the version for the Edge TPU.")
_NAME = click.argument("name", metavar="NAME")


class Models(LazyGroup):
    """Subcommands of ``edge models``; a new one is a function and an entry here."""

    entries = {  # noqa: RUF012 (not changed)
        "list": CommandEntry("edge.commands.models:list_", "Models", "List the models."),
        "pull": CommandEntry("edge.commands.models:pull", "Models", "Download some or all models."),
        "path": CommandEntry("edge.commands.models:path", "Models", "Print the path of a model."),
        "verify": CommandEntry(
            "edge.commands.models:verify", "Models", "Verify downloaded models."
        ),
        "export": CommandEntry(
            "edge.commands.models:export", "Models", "Copy a model for a board."
        ),
    }


@click.command(
    cls=Models,
    epilog="""
\b
Examples:
  edge models list --task detect
  edge models pull movenet_lightning
  edge demo pose --model movenet_lightning
  edge models export pose -o pose.task

\b
Models are cached in ~/.cache/edge-toolkit/models (or $EDGE_CACHE/models). Demos and
commands accept a name wherever they accept a model file, and download it on first use.

\b
Without internet access, as in a classroom: pull on one machine, copy its cache or share it:
  python3 -m http.server --directory ~/.cache/edge-toolkit/models
and set EDGE_MODELS_MIRROR to the folder or URL, such as http://10.0.0.5:8000, on the
others. Checksums in the registry are still verified.
""",
)
def models() -> None:
    """List, download and verify models by name."""


@click.command(
    "list",
    epilog="""
\b
The column "checked by":
  sha256      the checksum in the registry
  git         the blob id in a pinned commit
  first pull  unverified at first, then by its recorded SHA-256
""",
)
@click.option("--task", metavar="TASK", help="Only models for this task, such as detect.")
@JSON
def list_(task: str | None, as_json: bool) -> int:
    """List the models."""
    from edge.registry.catalog import entries

    tasks = model_tasks()
    if task is not None and task not in tasks:
        fix = did_you_mean(task, tasks, "choose one of them")
        raise UsageError(
            f"one of {', '.join(tasks)}",
            f"--task {task}",
            fix,
            code="unknown-option-value",
        )
    rows = [_row(entry) for entry in entries().values() if task in (None, entry.task)]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        _show(rows)
    return 0


def _row(entry: Any) -> dict[str, Any]:
    from edge.registry import store

    return {
        "name": entry.name,
        "task": entry.task,
        "input": entry.input,
        "licence": entry.license,
        "about": entry.about,
        "checked": entry.model.checked,
        "files": [
            {
                "name": file.name,
                "url": file.url,
                "bytes": file.size,
                "sha256": file.sha256,
                "git_blob": file.blob,
                "path": str(store.path(entry, file)) if store.cached(entry, (file,)) else None,
            }
            for file in entry.files
        ],
        "edgetpu": entry.edgetpu is not None,
        "here": store.cached(entry, (entry.model,)),
    }


def _show(rows: list[dict[str, Any]]) -> None:
    line = "{:<27}  {:<8}  {:>7}  {:>4}  {:<8}  {:<10}  {}"
    headings = ("name", "task", "input", "MB", "Edge TPU", "checked by", "here")
    click.echo(click.style(line.format(*headings), bold=True))
    for row in rows:
        size = row["files"][0]["bytes"]
        megabytes = f"{size / 1e6:.1f}" if size else "–"
        edgetpu, here = ("yes" if row[key] else "–" for key in ("edgetpu", "here"))
        cells = (row["name"], row["task"], row["input"], megabytes, edgetpu, row["checked"], here)
        click.echo(line.format(*cells))


@click.command(epilog="Exit codes: 0 success; 1 some downloads failed; 2 error.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Every model in the registry.")
@_EDGETPU
def pull(names: tuple[str, ...], everything: bool, edgetpu: bool) -> int:
    """Download models with their labels, unless they are already cached and valid."""
    from edge.registry import store
    from edge.registry.catalog import entries, find

    if bool(names) == everything:
        raise UsageError(
            "either model names or --all",
            "both" if names else "neither",
            "see 'edge models list'",
            code="conflicting-options" if names else "missing-argument",
        )
    chosen = list(entries().values()) if everything else [find(name) for name in names]
    pulled: list[CatalogEntry] = []
    failed = 0
    for entry in chosen:
        try:
            store.pull(entry, _files(entry, edgetpu), _report)
        except DownloadError as error:
            if not pulled:  # on the first model: there is probably no connection
                raise
            click.echo(f"edge: {error}", err=True)
            failed += 1
        else:
            pulled.append(entry)
            click.echo(f"{entry.name}: {store.path(entry, entry.model)}")
    for line in lines(next_steps(pulled, edgetpu)):
        click.echo(line, err=True)
    return 1 if failed else 0


def next_steps(pulled: "Sequence[CatalogEntry]", edgetpu: bool) -> Iterator[NextStep]:
    """Yield what to do with models that were downloaded; for many, how to find them."""
    if len(pulled) > _SHOWN:
        yield NextStep("See which models are here, and for which task", "edge models list")
        return
    for entry in pulled:
        demo = next(name for name, kind in TASKS.items() if kind.model_task == entry.task)
        words = ["edge", "demo", demo, "--model", entry.name, "--source", "0"]
        if edgetpu and entry.edgetpu is not None:
            words += ["--delegate", "edgetpu"]
        yield NextStep(f"Watch {entry.name} on a camera", command_line(*words))


@click.command()
@_NAME
@click.option("--edgetpu", is_flag=True, help="Path of the version for the Edge TPU.")
def path(name: str, edgetpu: bool) -> int:
    """Print the path of a downloaded model; never downloads."""
    from edge.registry import store
    from edge.registry.catalog import find

    entry = find(name)
    file = _edgetpu_file(entry) if edgetpu else entry.model
    if not store.cached(entry, (file,)):
        raise _not_downloaded(file, f"{name} --edgetpu" if edgetpu else name)
    click.echo(store.path(entry, file))
    return 0


@click.command(epilog="Exit codes: 0 all are valid; 1 some are not; 2 error.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@JSON
def verify(names: tuple[str, ...], as_json: bool) -> int:
    """Verify the files of these models, or of all that are downloaded."""
    from edge.registry import store
    from edge.registry.catalog import entries, find

    chosen = [find(name) for name in names] or list(entries().values())
    if absent := [entry for entry in chosen if names and not store.cached(entry, (entry.model,))]:
        raise _not_downloaded(absent[0].model, absent[0].name)
    here = [
        (entry, file) for entry in chosen for file in entry.files if store.cached(entry, (file,))
    ]
    rows = [
        {
            "model": entry.name,
            "path": str(store.path(entry, file)),
            "wrong": store.validation_error(entry, file),
        }
        for entry, file in here
    ]
    wrong = [row for row in rows if row["wrong"]]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        for row in wrong:
            click.echo(f"{row['path']}: {row['wrong']}: edge models pull {row['model']}")
        click.echo(f"{counted(len(rows), 'file')} checked, {len(wrong) or 'none'} invalid.")
    return 1 if wrong else 0


@click.command()
@_NAME
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), metavar="DIR|FILE",
    help="Folder, or a .task file for pose.",
)  # fmt: skip
@_EDGETPU
def export(name: str, out: Path, edgetpu: bool) -> int:
    """Copy a model and its labels to a folder, for a board; download it first if needed.

    The name pose means MediaPipe's pose models from this machine's mediapipe 0.10 package, packed
    into one .task file: the package for boards does not include them.
    """
    if name == "pose":
        if edgetpu:
            raise UsageError(
                "a model with an Edge TPU version",
                "pose --edgetpu",
                "leave out --edgetpu: MediaPipe runs on the CPU",
                code="no-edgetpu-version",
            )
        return _export_pose(out)
    from edge.files import write_atomic
    from edge.registry import store
    from edge.registry.catalog import LABELS, find

    entry = find(name)
    files = _files(entry, edgetpu)
    store.pull(entry, files, _report)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            "a writable folder",
            f"{out} ({error.strerror})",
            "choose another one",
            code="output-not-writable",
        ) from None
    contents = {file.name: store.path(entry, file).read_bytes() for file in files}
    labels = out / LABELS
    if LABELS in contents and labels.exists() and labels.read_bytes() != contents[LABELS]:
        raise OutputError(
            "a folder without another model's labels",
            str(labels),
            "use a separate folder for each model",
            code="labels-conflict",
        )
    for file, content in contents.items():
        write_atomic(out / file, content)
        click.echo(out / file)
    return 0


def _export_pose(out: Path) -> int:
    from edge.files import check_writable, write_atomic
    from edge.tasks.pose.bundle import wheel_bundle

    check_writable(out)
    write_atomic(out, wheel_bundle().read_bytes())
    click.echo(out)
    return 0


def _files(entry: Any, edgetpu: bool) -> tuple[Any, ...]:
    """Return the model, its labels, and on request its Edge TPU version if it has one."""
    compiled = entry.edgetpu if edgetpu else None
    return tuple(file for file in (entry.model, entry.labels, compiled) if file is not None)


def _edgetpu_file(entry: Any) -> Any:
    if entry.edgetpu is None:
        raise ModelError(
            "a model with an Edge TPU version",
            f"{entry.name}, which has none",
            "see 'edge models list'",
            code="no-edgetpu-version",
            summary=f"{entry.name} has no version for the Edge TPU",
        )
    return entry.edgetpu


def _not_downloaded(file: Any, pulled: str) -> ModelError:
    return ModelError(
        f"{file.name} on this machine",
        "nothing",
        f"edge models pull {pulled}",
        code="model-not-downloaded",
        summary=f"{file.name} is not downloaded",
    )


def _report(line: str) -> None:
    click.echo(line, err=True)
