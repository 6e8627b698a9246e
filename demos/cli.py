"""``edge demo NAME``: the demos, each in a file of its own."""

from importlib import import_module

import click

from edge.errors import nearest

DEMOS = {
    "classify": "Name what the camera sees.",
    "detect": "Find objects in what the camera sees.",
    "track": "Follow objects, and count those that cross a line.",
}
"""Name of the module → its help line."""


class Demos(click.Group):
    """The demos; one is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(DEMOS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in DEMOS:
            return None
        command = import_module(f"demos.{cmd_name}").main
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in DEMOS and not name.startswith("-"):
            guess = nearest(name, DEMOS)
            hint = f"did you mean 'edge demo {guess}'?" if guess else "see 'edge demo --help'"
            raise click.UsageError(f"expected a demo, found '{name}': {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Demos"):
            formatter.write_dl(list(DEMOS.items()))


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
    """Real-time demos: a camera or file, a model, and what it sees."""
