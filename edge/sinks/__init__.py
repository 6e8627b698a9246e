"""Sinks: where results and images go; a stream may have several.

:data:`SINKS` has one record for each kind of sink. Command help, the check that no two outputs
share a file, the extras that a deployment installs and README's table are derived from it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from edge.errors import UsageError, did_you_mean
from edge.streaming.sink import Sink, StreamContext
from edge.terminal import two_columns


@dataclass(frozen=True, slots=True)
class SinkKind:
    """A kind of sink, known by its scheme: the word before the colon of its address.

    Attributes:
        target: "module:function", called with the address after the scheme and a
            :class:`~edge.streaming.sink.StreamContext`; returns a
            :class:`~edge.streaming.sink.Sink`.
        usage: Its address as a user writes it.
        help: A short description.
        extra: Extra of the distribution that it needs.
        writes_file: The address is the path that it writes to.
        needs_screen: It shows something on the screen of its machine.
        suffixes: Suffixes of the files that mean this sink without its scheme.
    """

    target: str
    usage: str
    help: str
    extra: str | None = None
    writes_file: bool = False
    needs_screen: bool = False
    suffixes: tuple[str, ...] = ()


SINKS = {
    "window": SinkKind(
        "edge.sinks.window:open_window",
        "window",
        "a window on this screen; q or Esc ends the stream",
        needs_screen=True,
    ),
    "video": SinkKind(
        "edge.sinks.video:open_video",
        "FILE.mkv, .mp4, .avi",
        "a video; .mkv plays even if the program is killed",
        writes_file=True,
        suffixes=(".mkv", ".mp4", ".avi"),
    ),
    "jsonl": SinkKind(
        "edge.sinks.jsonl:open_jsonl",
        "jsonl:FILE",
        "a line of JSON per frame; jsonl:- is stdout",
        writes_file=True,
    ),
    "frames": SinkKind(
        "edge.sinks.frames:open_frames", "frames:DIR", "a JPEG per frame", writes_file=True
    ),
    "mqtt": SinkKind(
        "edge.sinks.mqtt:open_mqtt",
        "mqtt://HOST[:PORT]/TOPIC",
        "an MQTT message per frame",
        extra="mqtt",
    ),
    "web": SinkKind(
        "edge.sinks.web:open_web",
        "web[:HOST[:PORT]]",
        "a page for browsers: image, results, controls",
        extra="web",
    ),
    "text": SinkKind(
        "edge.sinks.text:open_text", "text", "a line on the terminal when the result changes"
    ),
    "none": SinkKind("edge.sinks.null:open_null", "none", "no output, for measuring"),
}
"""Scheme → kind of sink."""


def sink_table() -> list[tuple[str, str]]:
    """Return the usage and the help of each kind of sink."""
    return [(kind.usage, kind.help) for kind in SINKS.values()]


def open_sink(uri: str, context: StreamContext) -> Sink:
    """Open a sink by its address.

    Raises:
        OutputError: It cannot be written to.
        UsageError: There is no such sink.
    """
    scheme, address = resolve(uri)
    module, _, function = SINKS[scheme].target.partition(":")
    sink: Sink = getattr(import_module(module), function)(address, context)
    return sink


def resolve(uri: str) -> tuple[str, str]:
    """Split a user's text into scheme and address.

    >>> resolve("out.mkv"), resolve("jsonl:-"), resolve("web?recordings=clips")
    (('video', 'out.mkv'), ('jsonl', '-'), ('web', '?recordings=clips'))

    Raises:
        UsageError: There is no such sink.
    """
    scheme, _, rest = uri.partition(":")
    if scheme in SINKS:
        return scheme, rest
    name, query, _ = uri.partition("?")
    if query and name in SINKS:  # web?recordings=DIR
        return name, uri.removeprefix(name)
    by_suffix = dict(_suffixes())
    suffix = Path(uri).suffix.lower()
    if suffix in by_suffix and not re.match(r"[a-z][a-z0-9+]+://", uri):
        return by_suffix[suffix], uri
    fix = did_you_mean(scheme, SINKS, "use one of these; --help describes them")
    known = ", ".join((*SINKS, *(f"FILE{suffix}" for suffix in by_suffix)))
    raise UsageError(f"a sink ({known})", f"'{uri}'", fix, code="unknown-sink")


def _suffixes() -> Iterator[tuple[str, str]]:
    """Yield each suffix with the scheme that it stands for."""
    for scheme, kind in SINKS.items():
        for suffix in kind.suffixes:
            yield suffix, scheme


__doc__ = f"{__doc__}\n{two_columns(sink_table())}\n"
