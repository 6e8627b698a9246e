"""``edge demo NAME``: the demos, each in its own file in ``demos/``."""

import click

from edge.cli import CommandEntry, LazyGroup
from edge.task_kinds import TASKS


class Demos(LazyGroup):
    """The demos of all kinds of tasks."""

    entries = {  # noqa: RUF012 (not changed)
        name: CommandEntry(kind.demo, "Demos", kind.help) for name, kind in TASKS.items()
    }


@click.command(
    cls=Demos,
    epilog="""
\b
Examples:
  edge demo classify --model model.tflite
  edge demo detect --model ssd.tflite --source clip.mp4 --sink out.mkv
  edge demo track --model ssd.tflite --classes person --line door:100,200,540,200

Each demo is one short file in demos/ to read and to copy.
""",
)
def demo() -> None:
    """Run real-time demos on a camera or a file."""
