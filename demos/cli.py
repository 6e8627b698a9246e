"""``edge demo NAME``: the demos, each in a file of its own."""

import click

from edge.cli import Entry, LazyGroup


class Demos(LazyGroup):
    """The demos; a new one is a file and a line here."""

    entries = {  # noqa: RUF012 (not changed)
        "classify": Entry("demos.classify:main", "Demos", "Name what the camera sees."),
        "detect": Entry("demos.detect:main", "Demos", "Find objects in what the camera sees."),
        "segment": Entry("demos.segment:main", "Demos", "Colour what covers what; blur the rest."),
        "track": Entry("demos.track:main", "Demos", "Follow objects, and count at lines."),
        "pose": Entry("demos.pose:main", "Demos", "Show poses, and count exercises."),
        "mirror": Entry("demos.mirror:main", "Demos", "Find pictures of people in your pose."),
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
    """Real-time demos: a camera or file, a model, and what it sees."""
