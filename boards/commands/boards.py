"""``edge boards``: what is known of boards, and where it is from."""

import json
from dataclasses import asdict

import click

from boards import profile, render
from boards.schema import Accelerator, Profile
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


class Boards(LazyGroup):
    """What can be asked of the profiles."""

    entries = {  # noqa: RUF012 (not changed)
        "list": CommandEntry(
            "boards.commands.boards:list_", "Boards", "List the boards and accelerators."
        ),
        "show": CommandEntry(
            "boards.commands.boards:show", "Boards", "Show a board or accelerator, with sources."
        ),
    }


@click.command(cls=Boards, epilog=EXAMPLES)
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
        click.echo(json.dumps([_line(one) for one in known.values()], indent=2))
    else:
        click.echo("\n".join(render.overview(tuple(known.values()))))


@click.command(epilog=EXAMPLES)
@click.argument("name")
@JSON
def show(name: str, as_json: bool) -> None:
    """Show a board, an accelerator, or both combined with '+', with sources."""
    known = profile.find(name)
    if as_json:
        click.echo(json.dumps(asdict(known), indent=2))
    else:
        click.echo("\n".join(render.sheet(known)))


def _line(known: Profile | Accelerator) -> dict[str, object]:
    """What ``edge boards list --json`` says of one."""
    kind = "board" if isinstance(known, Profile) else "accelerator"
    return {
        "name": known.name,
        "kind": kind,
        "title": known.title,
        "buses": list(known.buses),
        "tried": known.tried,
    }
