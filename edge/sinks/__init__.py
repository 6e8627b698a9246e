"""Sinks: where results and images go, by one scheme; several at once.

==========================  =====================================================================
``window``                  a window on this screen; ``q`` or Esc ends the stream
``out.mkv``, ``out.mp4``    a video; an .mkv plays even if the program was killed
``jsonl:FILE``              a line of JSON per frame; ``jsonl:-`` writes to stdout
``frames:DIR``              a JPEG per frame
``mqtt://host/topic``       a message per frame; ``mqtt://user:password@host:port/topic``
``web``, ``web:host:port``  a page for browsers: image, results, controls
``text``                    a line on the terminal where the answer changes
``none``                    nothing, for measuring
==========================  =====================================================================
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from edge.errors import UsageError, did_you_mean
from edge.sources.browser import BrowserCamera
from edge.streaming.control import StreamControl
from edge.streaming.sink import Sink

SCHEMES = {
    "window": "edge.sinks.window:window",
    "video": "edge.sinks.video:video",
    "jsonl": "edge.sinks.jsonl:records",
    "frames": "edge.sinks.frames:frames",
    "mqtt": "edge.sinks.mqtt:mqtt",
    "web": "edge.sinks.web:web",
    "text": "edge.sinks.text:text",
    "none": "edge.sinks.null:nothing",
}
"""Scheme → "module:function", called with the address and a :class:`StreamContext`."""

_VIDEOS = (".mkv", ".mp4", ".avi")


@dataclass(frozen=True, slots=True)
class StreamContext:
    """What a sink may want to know of its stream.

    ``fps``: frames per second as the source says itself; ``live``: it is no file; ``stop`` ends
    the stream; ``say`` tells the user something. ``control``: what may be changed of it, None
    where nothing may; ``source``: what the user called it; ``camera``: takes the images of a
    page's camera, None where the stream's source is another.
    """

    fps: float | None
    live: bool
    stop: Callable[[], None]
    say: Callable[[str], None]
    control: StreamControl | None = None
    source: str = ""
    camera: BrowserCamera | None = None


def open_sink(uri: str, setting: StreamContext) -> Sink:
    """Open a sink; see the table above.

    Raises:
        OutputError: it cannot be written to.
        UsageError: there is no such sink.
    """
    scheme, address = resolve(uri)
    module, _, function = SCHEMES[scheme].partition(":")
    sink: Sink = getattr(import_module(module), function)(address, setting)
    return sink


def resolve(uri: str) -> tuple[str, str]:
    """The scheme and the address behind what a user wrote.

    >>> resolve("out.mkv"), resolve("jsonl:-"), resolve("window")
    (('video', 'out.mkv'), ('jsonl', '-'), ('window', ''))

    Raises:
        UsageError: there is no such sink.
    """
    scheme, _, rest = uri.partition(":")
    if scheme in SCHEMES:
        return scheme, rest
    if Path(uri).suffix.lower() in _VIDEOS and not re.match(r"[a-z][a-z0-9+]+://", uri):
        return "video", uri
    fix = did_you_mean(scheme, SCHEMES, "see 'edge demo classify --help'")
    known = ", ".join((*SCHEMES, *(f"FILE{suffix}" for suffix in _VIDEOS)))
    raise UsageError(f"a sink ({known})", f"'{uri}'", fix, code="unknown-sink")
