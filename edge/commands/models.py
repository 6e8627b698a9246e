"""``edge models``: the models that the toolkit knows by name, and those of them that are here."""

import json
from pathlib import Path
from typing import Any

import click

from edge.cli import Entry, LazyGroup
from edge.commands.options import JSON
from edge.errors import DownloadError, ModelError, OutputError, UsageError, did_you_mean

_TWIN = click.option("--edgetpu", is_flag=True, help="With its twin for the Edge TPU.")
_NAME = click.argument("name")


class Models(LazyGroup):
    """What can be done with models; a new verb is a function and a line here."""

    entries = {  # noqa: RUF012 (not changed)
        "list": Entry("edge.commands.models:list_", "Models", "Which there are."),
        "pull": Entry("edge.commands.models:pull", "Models", "Download some, or all."),
        "path": Entry("edge.commands.models:path", "Models", "Where one is here."),
        "verify": Entry("edge.commands.models:verify", "Models", "Check those that are here."),
        "export": Entry("edge.commands.models:export", "Models", "Copy one, for a board."),
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
Models are kept in ~/.cache/edge-toolkit/models (or $EDGE_CACHE/models). Demos and commands
take a name wherever they take a model, and download it when it is first used.

\b
Without the internet, in a class say: pull on one machine, copy that folder or share it with
  python3 -m http.server --directory ~/.cache/edge-toolkit/models
and set EDGE_MODELS_MIRROR to the folder or to the address, such as http://10.0.0.5:8000,
on the others. What the registry has a checksum for is checked all the same.
""",
)
def models() -> None:
    """Models by name: list, download, check."""


@click.command("list")
@click.option("--task", metavar="TASK", help="Only those for a task, such as detect.")
@JSON
def list_(task: str | None, as_json: bool) -> int:
    """Show which models there are.

    \b
    checked by   sha256: of a file that was at hand when the registry was written
                 git: the id of a pinned commit
                 first pull: not at all then, but by its SHA-256 from there on
    """
    from edge.registry.entries import TASKS, entries

    if task is not None and task not in TASKS:
        fix = did_you_mean(task, TASKS, "choose one of them")
        raise UsageError(f"a task ({', '.join(TASKS)})", f"'{task}'", fix)
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
        "licence": entry.licence,
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
        twin, here = ("yes" if row[key] else "–" for key in ("edgetpu", "here"))
        cells = (row["name"], row["task"], row["input"], megabytes, twin, row["checked"], here)
        click.echo(line.format(*cells))


@click.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every model of the registry.")
@_TWIN
def pull(names: tuple[str, ...], everything: bool, edgetpu: bool) -> int:
    """Download models with their labels; what is here and right is left as it is.

    \b
    Exit codes: 0 done; 1 some could not be had; 2 error.
    """
    from edge.registry import store
    from edge.registry.entries import entries, find

    if bool(names) == everything:
        raise UsageError(
            "names of models, or --all", "both" if names else "neither", "see 'edge models list'"
        )
    wanted = list(entries().values()) if everything else [find(name) for name in names]
    done = failed = 0
    for entry in wanted:
        try:
            store.pull(entry, _files(entry, edgetpu), _tell)
        except DownloadError as error:
            if not done:  # the first one: there will be no connection, or no other name was given
                raise
            click.echo(f"edge: {error}", err=True)
            failed += 1
        else:
            done += 1
            click.echo(f"{entry.name}: {store.path(entry, entry.model)}")
    return 1 if failed else 0


@click.command()
@_NAME
@click.option("--edgetpu", is_flag=True, help="That of its twin for the Edge TPU.")
def path(name: str, edgetpu: bool) -> int:
    """Print where a model is on this machine; nothing is downloaded."""
    from edge.registry import store
    from edge.registry.entries import find

    entry = find(name)
    file = _twin(entry) if edgetpu else entry.model
    if not store.cached(entry, (file,)):
        raise _absent(file, f"{name} --edgetpu" if edgetpu else name)
    click.echo(store.path(entry, file))
    return 0


@click.command()
@click.argument("names", nargs=-1)
@JSON
def verify(names: tuple[str, ...], as_json: bool) -> int:
    """Check the files of these models, or of all that are here.

    \b
    Exit codes: 0 all are right; 1 some are not; 2 error.
    """
    from edge.registry import store
    from edge.registry.entries import entries, find

    wanted = [find(name) for name in names] or list(entries().values())
    if absent := [entry for entry in wanted if names and not store.cached(entry, (entry.model,))]:
        raise _absent(absent[0].model, absent[0].name)
    here = [
        (entry, file) for entry in wanted for file in entry.files if store.cached(entry, (file,))
    ]
    rows = [
        {
            "model": entry.name,
            "path": str(store.path(entry, file)),
            "wrong": store.found_fault(entry, file),
        }
        for entry, file in here
    ]
    wrong = [row for row in rows if row["wrong"]]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        for row in wrong:
            click.echo(f"{row['path']}: {row['wrong']}: edge models pull {row['model']}")
        files = "1 file" if len(rows) == 1 else f"{len(rows)} files"
        click.echo(f"{files} checked, {len(wrong) or 'none'} of them wrong.")
    return 1 if wrong else 0


@click.command()
@_NAME
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), metavar="PLACE",
    help="Folder; for pose, a .task file.",
)  # fmt: skip
@_TWIN
def export(name: str, out: Path, edgetpu: bool) -> int:
    """Copy a model and its labels into a folder, for a board; downloaded first if need be.

    The name pose stands for MediaPipe's pose models in the mediapipe 0.10 package of this machine,
    packed into one .task file: the package of a board holds none.
    """
    if name == "pose":
        if edgetpu:
            raise UsageError("pose alone", "--edgetpu", "MediaPipe runs on the CPU: leave it out")
        return _export_pose(out)
    from edge.registry import store
    from edge.registry.entries import LABELS, find
    from edge.whole import write_whole

    entry = find(name)
    files = _files(entry, edgetpu)
    store.pull(entry, files, _tell)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = f"{out} ({error.strerror})"
        raise OutputError("a folder to write to", found, "choose another one") from None
    contents = {file.name: store.path(entry, file).read_bytes() for file in files}
    labels = out / LABELS
    if LABELS in contents and labels.exists() and labels.read_bytes() != contents[LABELS]:
        raise OutputError(
            "a folder without labels of another model", str(labels), "choose a folder of its own"
        )
    for file, content in contents.items():
        write_whole(out / file, content)
        click.echo(out / file)
    return 0


def _export_pose(out: Path) -> int:
    from edge.sinks import place
    from edge.tasks.pose.bundle import wheel_bundle
    from edge.whole import write_whole

    place.check(out)
    write_whole(out, wheel_bundle().read_bytes())
    click.echo(out)
    return 0


def _files(entry: Any, edgetpu: bool) -> tuple[Any, ...]:
    """The model, its labels, and its twin if that is asked for and there is one."""
    twin = entry.edgetpu if edgetpu else None
    return tuple(file for file in (entry.model, entry.labels, twin) if file is not None)


def _twin(entry: Any) -> Any:
    if entry.edgetpu is None:
        found = f"{entry.name}, which has none"
        raise ModelError("a model with a twin for the Edge TPU", found, "see 'edge models list'")
    return entry.edgetpu


def _absent(file: Any, pulled: str) -> ModelError:
    return ModelError(f"{file.name} on this machine", "nothing", f"edge models pull {pulled}")


def _tell(line: str) -> None:
    click.echo(line, err=True)
