"""``edge demo NAME``: the demos, each in a file of its own."""

import click

from edge.cli import CommandEntry, LazyGroup


class Demos(LazyGroup):
    """The demos; a new one is a file and a line here."""

    entries = {  # noqa: RUF012 (not changed)
        "classify": CommandEntry("demos.classify:main", "Demos", "Classify what the camera sees."),
        "detect": CommandEntry("demos.detect:main", "Demos", "Detect objects."),
        "segment": CommandEntry(
            "demos.segment:main", "Demos", "Segment the image; blur or replace the background."
        ),
        "track": CommandEntry(
            "demos.track:main", "Demos", "Track objects, and count line crossings."
        ),
        "pose": CommandEntry("demos.pose:main", "Demos", "Estimate poses, and count exercises."),
        "mirror": CommandEntry("demos.mirror:main", "Demos", "Find images of people in your pose."),
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
