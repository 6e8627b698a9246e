"""``edge boards``: published facts about boards, with their sources."""

import json

import click

from boards import profile, render
from boards.schema import Accelerator, Profile, to_dict
from edge.cli import CommandEntry, LazyGroup
from edge.commands.options import JSON

EXAMPLES = """
\b
Examples:
  edge boards list
  edge boards show raspberry-pi-4b
  edge boards show raspberry-pi-4b+coral-usb --json
  edge convert photos/ --board raspberry-pi-4b+coral-usb
"""


class BoardsGroup(LazyGroup):
    """The commands of ``edge boards``."""

    entries = {  # noqa: RUF012 (not changed)
        "list": CommandEntry(
            "boards.commands.boards:list_", "Boards", "List the boards and accelerators."
        ),
        "show": CommandEntry(
            "boards.commands.boards:show", "Boards", "Show a board or accelerator, with sources."
        ),
    }


@click.command(cls=BoardsGroup, epilog=EXAMPLES)
def boards() -> None:
    """Look up boards: processor, systems, cameras, requirements, published latencies.

    Combine a board and an accelerator with '+'.
    """


@click.command("list", epilog=EXAMPLES)
@JSON
def list_(as_json: bool) -> None:
    """List the boards and accelerators."""
    known = {name: profile.find(name) for name in (*profile.names(), *profile.accelerators())}
    if as_json:
        click.echo(json.dumps([_list_entry(entry) for entry in known.values()], indent=2))
    else:
        click.echo("\n".join(render.overview(tuple(known.values()))))


@click.command(epilog=EXAMPLES)
@click.argument("name", metavar="BOARD")
@JSON
def show(name: str, as_json: bool) -> None:
    """Show a board, an accelerator, or both combined with '+', with sources."""
    known = profile.find(name)
    if as_json:
        click.echo(json.dumps(to_dict(known), indent=2))
    else:
        click.echo("\n".join(render.sheet(known)))


def _list_entry(known: Profile | Accelerator) -> dict[str, object]:
    """Return the entry of a profile in ``edge boards list --json``."""
    kind = "board" if isinstance(known, Profile) else "accelerator"
    return {
        "name": known.name,
        "kind": kind,
        "title": known.title,
        "buses": list(known.buses),
        "tried": known.tested,
    }
