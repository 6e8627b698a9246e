"""``edge track``: follow the objects of a file of detections."""

import json
from pathlib import Path

import click

from edge.commands.options import JSON
from edge.errors import UsageError

EXAMPLES = """
\b
Examples:
  edge track detections.txt -o tracks.txt
  edge track detections.txt -o tracks.txt --json

\b
Both files are MOTChallenge text, a line a box, frames from 1, scores of 0 to 1:
  frame,id,x,y,width,height,score,-1,-1,-1
The lines may come in any order and their ids are ignored. In the tracks, sorted by frame,
each object keeps its id. Boxes are smoothed; where an object is missed for a few frames,
its box is where it should be by its motion, with the score it had last. Boxes without an
area are left out. To track what a camera sees: edge demo track.
"""


@click.command(epilog=EXAMPLES)
@click.argument("detections", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="File for the tracks."
)
@JSON
def track(detections: Path, output: Path, as_json: bool) -> int:
    """Follow the objects of a file of detections, so that each keeps its id."""
    from edge.sinks import place
    from edge.tracking import mot
    from edge.whole import write_whole

    place.check(output)
    if output.resolve() == detections.resolve():
        raise UsageError("a file of its own for the tracks", str(output), "choose another name")
    table = mot.read(detections)
    tracks = mot.track(table)
    write_whole(output, mot.text(tracks))
    summary = {
        "frames": int(table.frames[-1]) if len(table.frames) else 0,
        "detections": len(table.frames),
        "tracks": len(set(tracks.ids.tolist())),
        "boxes": len(tracks.frames),
        "output": str(output),
    }
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        click.echo(
            f"{summary['tracks']} tracks in {summary['frames']:,} frames"
            f" ({summary['detections']:,} detections): {output}"
        )
    return 0
