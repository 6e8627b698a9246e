"""``edge capture``: pictures for a data set, from any source."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.commands.options import JSON
from edge.errors import CorruptFrameError, UsageError
from edge.frame import Frame
from edge.quiet import quiet
from edge.signals import stopping
from edge.sources.source import Source

if TYPE_CHECKING:
    from edge.collect import Collection

EXAMPLES = """
\b
Examples:
  edge capture --label cat -o photos/                    space takes a picture
  edge capture --label cat -o photos/ --interval 2 --count 50 --countdown 5
  edge capture --label dog -o photos/ --burst 20
  edge capture --label cat -o photos/ --source clip.mp4 --interval 0.5
  edge convert photos/

\b
Pictures that show the same as one taken before are skipped.
Without --interval or --burst, keys take pictures: space or Enter; q ends.
"""


@click.command(epilog=EXAMPLES)
@click.option("--label", required=True, help="What the pictures show: the name of the class.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder of the data set."
)
@click.option("--source", default="0", show_default=True, help="Camera, stream, video, folder.")
@click.option("--interval", type=click.FloatRange(min=0), help="Seconds between pictures.")
@click.option("--burst", type=click.IntRange(min=1), help="So many pictures in a row.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many pictures.")
@click.option("--countdown", type=click.IntRange(min=0), default=0, help="Seconds to get ready.")
@click.option("--size", metavar="WxH", help="Size of the pictures, such as 640x480.")
@click.option("--rotate", type=click.Choice(["0", "90", "180", "270"]), default="0")
@click.option("--hflip", is_flag=True, help="Mirror the pictures.")
@JSON
def capture(
    label: str,
    out: Path,
    source: str,
    interval: float | None,
    burst: int | None,
    count: int | None,
    countdown: int,
    size: str | None,
    rotate: str,
    hflip: bool,
    as_json: bool,
) -> None:
    """Take pictures for a data set, a folder per class."""
    from edge import collect, live
    from edge.sources import open_source
    from edge.sources.source import SourceOptions

    wanted = SourceOptions(size=live.parse_size(size), rotate=int(rotate), hflip=hflip)
    stop = threading.Event()
    with ExitStack() as closing:
        when = _trigger(interval, burst, closing)
        with quiet():
            opened = open_source(source, wanted)
        closing.callback(opened.close)
        kept = collect.collection(out, label)
        closing.enter_context(stopping(stop))
        frames = _frames(opened, stop, countdown)
        most = burst or count
        for frame in frames:
            taken = when(frame)
            if taken is None:
                break
            if taken:
                path = kept.add(frame.picture)
                _tell(path, len(kept.kept))
            if len(kept.kept) == most:
                break
    _sum_up(kept, as_json)


Trigger = Callable[[Frame], bool | None]
"""Whether a frame is taken; None ends it all."""


def _trigger(interval: float | None, burst: int | None, closing: ExitStack) -> Trigger:
    if interval is not None and burst is not None:
        raise UsageError("--interval or --burst", "both", "give one of them")
    if burst is not None:
        return lambda _: True
    if interval is not None:
        return _Every(interval)
    if not sys.stdin.isatty():
        raise UsageError(
            "--interval or --burst, or a terminal for keys", "none of them", "add --interval 2"
        )
    from edge import keys

    closing.enter_context(keys.listening())
    click.echo("Space or Enter takes a picture, q ends.", err=True)

    def by_key(_: Frame) -> bool | None:
        key = keys.pressed()
        return None if key in ("q", "\x1b") else key in (" ", "\n", "\r")

    return by_key


class _Every:
    """True every so many seconds of the frames' own time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next: float | None = None

    def __call__(self, frame: Frame) -> bool:
        if self._next is not None and frame.time_s < self._next:
            return False
        self._next = frame.time_s + self._seconds
        return True


def _frames(source: Source, stop: threading.Event, countdown: int) -> Iterator[Frame]:
    """Frames with the time since the countdown's end; a live camera's are always the newest."""
    began = time.monotonic() + countdown
    left = countdown
    while not stop.is_set():
        try:
            frame = source.read()
        except CorruptFrameError as error:
            click.echo(f"note: {error}", err=True)
            continue
        if frame is None:
            return
        if not source.live:
            yield frame
            continue
        while left > max(0.0, began - time.monotonic()):
            click.echo(f"{left} …", err=True)
            left -= 1
        if time.monotonic() >= began:
            yield Frame(frame.index, time.monotonic() - began, frame.picture, frame.name)


def _tell(path: Path | None, number: int) -> None:
    if path is None:
        click.echo("  skipped: it shows the same as one before", err=True)
    else:
        click.echo(f"  {number:4d}  {path}", err=True)


def _sum_up(kept: "Collection", as_json: bool) -> None:
    counts = kept.counts()
    if as_json:
        said = {
            "label": kept.label,
            "kept": [str(path) for path in kept.kept],
            "skipped": kept.skipped,
            "counts": counts,
        }
        click.echo(json.dumps(said, indent=2))
        return
    click.echo(f"{len(kept.kept)} pictures of {kept.label}, {kept.skipped} repeats skipped.")
    for name, number in counts.items():
        click.echo(f"  {number:5d}  {name}")
