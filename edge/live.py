"""From a command line to a running stream: the options that every demo has, and what they do."""

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from edge.errors import OutputError, UsageError
from edge.quiet import quiet
from edge.sinks import Setting, open_sink
from edge.sinks.sink import Sink
from edge.sources import open_source
from edge.sources.source import Source, SourceOptions
from edge.statistics import Statistics
from edge.tasks.task import Task

Command = TypeVar("Command", bound=Callable[..., Any])

SOURCES = """
\b
A source is a camera (0), picamera, rtsp://…, http://…, a video, a GIF, a
picture, a folder or pattern of them, or synthetic:640x480@30?seed=1.
A sink is window, FILE.mkv (.mp4, .avi), jsonl:FILE (jsonl:- for stdout),
frames:DIR, mqtt://HOST/TOPIC, text, or none; give several with several --sink.
"""
"""For the help of commands with :func:`options`."""


def options(command: Command) -> Command:
    """Add the options of a stream; they arrive as keywords for :func:`run`."""
    made = (
        click.option("--source", default="0", show_default=True, help="Where frames come from."),
        click.option(
            "--sink", "sinks", multiple=True,
            help="Where results go.  [default: window; text without a screen]",
        ),
        click.option("--size", metavar="WxH", help="Size of the frames, such as 640x480."),
        click.option("--fps", type=float, help="Frames per second."),
        click.option("--rotate", type=click.Choice(["0", "90", "180", "270"]), default="0",
                     help="Turn the frames clockwise by degrees."),
        click.option("--hflip", is_flag=True, help="Mirror the frames."),
        click.option("--exposure", type=float, help="Exposure, as the camera's driver counts it."),
        click.option("--loop", is_flag=True, help="Start a file again at its end."),
        click.option("--realtime", is_flag=True, help="Play a file at its own speed."),
        click.option("--frames", type=click.IntRange(min=1), help="End after so many frames."),
        click.option("--stats", type=click.Path(path_type=Path), metavar="FILE",
                     help="Write the statistics as JSON."),
    )  # fmt: skip
    for option in reversed(made):
        command = option(command)
    return command


def run(
    task: Task,
    *,
    source: str,
    sinks: tuple[str, ...],
    size: str | None = None,
    fps: float | None = None,
    rotate: str = "0",
    hflip: bool = False,
    exposure: float | None = None,
    loop: bool = False,
    realtime: bool = False,
    frames: int | None = None,
    stats: Path | None = None,
) -> Statistics:
    """Run ``task`` as the command line says, until the source ends or Ctrl-C or SIGTERM comes.

    Notes and the statistics go to stderr.

    Raises:
        EdgeError: see :func:`edge.stream.run`.
    """
    from edge import stream

    wanted = SourceOptions(parse_size(size), fps, int(rotate), hflip, exposure, loop, realtime)
    if stats is not None and not stats.absolute().parent.is_dir():
        raise OutputError(f"a folder for {stats}", "none", f"mkdir -p {stats.parent}")
    for note in task.notes:
        say(note)
    stop = threading.Event()
    with quiet():
        first = open_source(source, wanted)
    waiting = [first]
    setting = Setting(first.fps, first.live, stop.set, say)
    try:
        opened = open_sinks(sinks, setting)
    except BaseException:
        first.close()
        raise

    def again() -> Source:
        return waiting.pop() if waiting else open_source(source, wanted)

    with stopping(stop):
        done = stream.run(again, task, opened, stop=stop, most=frames, say=say)
    if stats is not None:
        write_whole(stats, json.dumps(done.to_dict(), indent=2) + "\n")
    show(done)
    return done


def open_sinks(uris: tuple[str, ...], setting: Setting) -> list[Sink]:
    """Open sinks, all or none; without any a window, and without a screen lines of text.

    Raises:
        OutputError: one cannot be written to.
        UsageError: there is no such sink.
    """
    opened: list[Sink] = []
    try:
        for uri in uris or ("window",):
            try:
                opened.append(open_sink(uri, setting))
            except OutputError as error:
                if uri.partition(":")[0] != "window" or len(uris) == 1:
                    raise
                say(f"no window: {error.found}")
        if not opened:
            opened.append(open_sink("text", setting))
    except BaseException:
        for sink in opened:
            sink.close()
        raise
    return opened


def show(done: Statistics) -> None:
    """Print the statistics for people, on stderr."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("stage")
    for heading in ("p50", "p95"):
        table.add_column(heading, justify="right")
    rows = [(name, times) for name, times in done.stages.items() if times["p95_ms"] > 0]
    for name, times in [*rows, ("latency", done.latency)]:
        style = "bold" if name == done.limiting else None
        cells = (f"{times[key]:.2f} ms" for key in ("p50_ms", "p95_ms"))
        table.add_row(name, *cells, style=style)
    counts = [f"{done.frames:,} frames in {done.seconds:.1f} s, {done.fps:.1f} a second"]
    counts += [
        f"{count:,} {word}"
        for word, count in (
            ("dropped", done.dropped),
            ("corrupt", done.corrupt),
            ("reconnects", done.reconnects),
            *((f"not shown by {name}", lost) for name, lost in done.lost.items()),
        )
        if count
    ]
    console.print(Text("; ".join(counts), style="bold"))
    console.print(table)
    thread = f"{done.threads} thread{'s' if done.threads > 1 else ''}"
    console.print(
        Text(f"{done.limiting} sets the pace. {done.interpreter}, {done.delegate}, {thread}.")
    )
    if "temperature_c" in done.board:
        console.print(Text(f"Processor: {done.board['temperature_c']:.0f} °C."))
    if done.board.get("throttling"):
        console.print(Text(f"Throttled: {', '.join(done.board['throttling'])}.", style="yellow"))


def say(note: str) -> None:
    """Print a note on stderr."""
    click.echo(f"note: {note}", err=True)


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set ``stop``; a second Ctrl-C interrupts at once."""

    def first(number: int, _: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, first) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place and rename it into it.

    Raises:
        OutputError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"a place to write {path}", reason, "choose another file") from None


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Width and height of "640x480".

    Raises:
        UsageError: it is something else.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if found is None:
        raise UsageError("--size WIDTHxHEIGHT", text, "use --size 640x480")
    return int(found[1]), int(found[2])
