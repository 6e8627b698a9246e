"""Options of the commands that run a stream, and the stream they start."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edge import session, sources
from edge.errors import UsageError
from edge.files import check_writable, write_atomic
from edge.quantities import counted
from edge.redaction import redact
from edge.results import describe_counts
from edge.sinks import resolve as resolve_sink
from edge.sinks import sink_table
from edge.sources.source import SourceOptions
from edge.streaming.statistics import StreamStats
from edge.tasks.task import Task
from edge.terminal import two_columns

Command = TypeVar("Command", bound=Callable[..., Any])

SOURCES = f"""
\b
Sources (--source):
{two_columns(sources.source_table(), "  ")}

\b
Sinks (--sink, repeatable):
{two_columns(sink_table(), "  ")}
"""
"""Help text on sources and sinks, for commands with :func:`options`."""


def source_options(command: Command) -> Command:
    """Add the options of a source; they arrive as keywords for :func:`build_source_options`."""
    return _add(
        command,
        click.option("--source", default="0", show_default=True, metavar="SOURCE",
                     callback=_known_source, help="Where frames come from."),
        click.option("--size", metavar="WxH", help="Frame size, such as 640x480."),
        click.option("--fps", type=float, metavar="FPS", help="Frames per second."),
        click.option("--rotate", type=click.Choice(["0", "90", "180", "270"]), default="0",
                     help="Rotate the frames clockwise, in degrees."),
        click.option("--hflip", is_flag=True, help="Mirror the frames."),
        click.option("--exposure", type=float, metavar="N",
                     help="Exposure, in the units of the camera driver."),
    )  # fmt: skip


def options(command: Command) -> Command:
    """Add the options of a stream; they arrive as keywords for :func:`run`."""
    command = _add(
        command,
        click.option("--loop", is_flag=True, help="Restart a file when it ends."),
        click.option("--realtime", is_flag=True, help="Play a file at its recorded speed."),
        click.option("--frames", type=click.IntRange(min=1), metavar="N",
                     help="Stop after this many frames."),
        click.option(
            "--sink", "sinks", multiple=True, metavar="SINK", callback=_known_sinks,
            help="Where results go.  [default: window, or text without a screen]",
        ),
        click.option("--stats", type=click.Path(path_type=Path), metavar="FILE",
                     help="Write statistics as JSON."),
    )  # fmt: skip
    return source_options(command)


def _known_source(_: click.Context, __: click.Parameter, value: str) -> str:
    """Refuse a source of no known kind, before a model is downloaded for it."""
    sources.resolve(value)
    return value


def _known_sinks(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for address in value:
        resolve_sink(address)
    return value


def _add(command: Command, *added: Callable[[Command], Command]) -> Command:
    for option in reversed(added):
        command = option(command)
    return command


def run(
    task: Task,
    *,
    source: str,
    sinks: tuple[str, ...],
    frames: int | None = None,
    stats: Path | None = None,
    **source_options: Any,
) -> StreamStats:
    """Run ``task`` with the command line's options, until the source ends or a signal stops it.

    Notes and the statistics go to stderr.

    Raises:
        EdgeError: see :func:`edge.session.run`.
    """
    if stats is not None:
        check_writable(stats)
        session.check_output_paths(
            source, [*session.output_files(sinks), (f"--stats {stats}", stats)]
        )
    for note in task.notes:
        say(note)
    done = session.run(
        task,
        source,
        sinks,
        options=build_source_options(source, **source_options),
        frames=frames,
        say=say,
    )
    if stats is not None:
        write_atomic(stats, json.dumps(done.to_dict(), indent=2) + "\n")
    show(done)
    return done


def show(stats: StreamStats) -> None:
    """Print the statistics for people, on stderr."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("stage")
    for heading in ("p50", "p95"):
        table.add_column(heading, justify="right")
    rows = [(name, times) for name, times in stats.stages.items() if times["p95_ms"] > 0]
    for name, times in [*rows, ("latency", stats.latency)]:
        style = "bold" if name == stats.limiting else None
        cells = (f"{times[key]:.2f} ms" for key in ("p50_ms", "p95_ms"))
        table.add_row(name, *cells, style=style)
    counts = [f"{counted(stats.frames, 'frame')} in {stats.seconds:.1f} s, {stats.fps:.1f} fps"]
    counts += [
        f"{count:,} {word}"
        for word, count in (
            ("dropped", stats.dropped),
            ("corrupt", stats.corrupt),
            ("reconnects", stats.reconnects),
            *((f"dropped by {name}", lost) for name, lost in stats.lost.items()),
        )
        if count
    ]
    console.print(Text("; ".join(counts), style="bold"))
    if events := describe_counts(stats.counts):
        console.print(Text("; ".join(events), style="bold"))
    console.print(table)
    threads = counted(stats.threads, "thread")
    console.print(
        Text(f"Bottleneck: {stats.limiting}. {stats.interpreter}, {stats.delegate}, {threads}.")
    )
    if "temperature_c" in stats.board:
        console.print(Text(f"Processor: {stats.board['temperature_c']:.0f} °C."))
    if stats.board.get("throttling"):
        console.print(Text(f"Throttled: {', '.join(stats.board['throttling'])}.", style="yellow"))


def say(note: str) -> None:
    """Print a note on stderr."""
    click.echo(f"note: {note}", err=True)


def build_source_options(
    source: str,
    *,
    size: str | None = None,
    fps: float | None = None,
    rotate: str = "0",
    hflip: bool = False,
    exposure: float | None = None,
    loop: bool = False,
    realtime: bool = False,
) -> SourceOptions:
    """Build the source options from the command line's.

    Raises:
        UsageError: a value is outside its range.
    """
    if exposure is not None and not sources.SOURCES[sources.resolve(source)[0]].camera:
        say(f"--exposure is ignored: {redact(source)} is not a camera")
    return SourceOptions(_size(size), fps, int(rotate), hflip, exposure, loop, realtime)


def _size(text: str | None) -> tuple[int, int] | None:
    """Parse a size such as "640x480" to width and height."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise UsageError(
            "a size as WIDTHxHEIGHT",
            f"--size {text}",
            "use --size 640x480",
            code="invalid-option-value",
        )
    return int(match[1]), int(match[2])
