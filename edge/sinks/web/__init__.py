"""Web sink: a page for browsers with the live image, results, statistics and controls.

It is the user interface of a board without a screen. On a loopback address everybody on this
machine may open it; on another address it asks for the token that is printed.
"""

import getpass
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from edge.errors import OutputError
from edge.frame import Output
from edge.installation import install_command
from edge.redaction import redact
from edge.sinks.web.address import listen, parse_address
from edge.sinks.web.connections import DEFAULT_LIMITS, ConnectionLimits
from edge.sinks.web.hub import Hub
from edge.sinks.web.recording import Recorder
from edge.streaming.sink import StreamContext

if TYPE_CHECKING:
    from edge.sinks.web.server import WebServer

PAGE_NOTE = "web: open "
"""Beginning of the note with the address of the page, whose token is no secret of its user."""

_QUEUE_SIZE = 8
_DEFAULT_FPS = 30.0


def open_web(
    address: str, context: StreamContext, limits: ConnectionLimits = DEFAULT_LIMITS
) -> "WebSink":
    """Serve a page at ``[HOST[:PORT]][?recordings=DIR]``, by default 127.0.0.1:8080.

    Port 0 takes a free one.

    Raises:
        OutputError: The extra ``web`` is not installed, the port is in use, or the host is not one
            of this machine.
        UsageError: The address is invalid.
    """
    parsed = parse_address(address)
    with needing_web():
        from edge.sinks.web.server import WebServer
        from edge.sinks.web.stream_page import StreamPage
    assert context.control is not None  # every stream has one
    listening = listen(parsed)
    recorder = Recorder(parsed.recordings, context.fps or _DEFAULT_FPS, context.live, context.say)
    hub = Hub(context, context.control, recorder)
    server = WebServer(listening, StreamPage(hub, limits), limits, context.say)
    print_address(server, context.say, camera=context.camera is not None)
    return WebSink(redact(f"web:{address}").rstrip(":"), hub, server, context)


class WebSink:
    """Shows clients the newest image, drawn only while somebody watches or records.

    Of a source of still images the last one stays on the page when the source has ended.
    """

    queue_size = _QUEUE_SIZE

    def __init__(self, name: str, hub: Hub, server: "WebServer", context: StreamContext) -> None:
        self.name, self._hub, self._server, self._say = name, hub, server, context.say
        self.url = server.url

    @property
    def wants_images(self) -> bool:
        """True while somebody watches or records, and for still images."""
        return self._hub.watched

    def write(self, output: Output) -> None:
        """Show an output."""
        self._hub.publish(output)

    def close(self) -> None:
        """Notify the clients that the stream has ended, and stop the server unless it lingers."""
        if self._hub.still and self._hub.control.source_ended:
            self._hub.finish()
        else:
            self._server.stop()
        self._hub.recorder.stop()
        if self._hub.camera is not None:
            self._hub.camera.close()

    def linger(self, stop: threading.Event) -> None:
        """Serve the last still image until ``stop`` is set."""
        if not self._hub.finished:
            return
        if not stop.is_set():
            self._say(f"web: all images are processed; the last one stays at {self.url}"
                      " until Ctrl-C")  # fmt: skip
        stop.wait()
        self._server.stop()


@contextmanager
def needing_web() -> Iterator[None]:
    """Report a failed import of the block as the missing extra ``web``.

    Raises:
        OutputError: The block raised an ImportError.
    """
    try:
        yield
    except ImportError as error:
        missing = [name for name in ("starlette", "uvicorn", "websockets") if not find_spec(name)]
        raise OutputError(
            "the packages starlette, uvicorn and websockets",
            f"no {', '.join(missing)}" if missing else str(error),
            install_command("web"),
            code="missing-package",
        ) from None


def print_address(server: "WebServer", say: Callable[[str], None], *, camera: bool) -> None:
    """Tell the user the address of a page; ``camera``: it uses that of the browser."""
    say(f"{PAGE_NOTE}{server.url}" + (" and allow the camera" if camera else ""))
    remote = "SSH_CONNECTION" in os.environ
    if not (camera or (server.loopback and remote)):
        return
    reason = "browsers allow camera access only over https or on localhost; " if camera else ""
    tunnel = f"ssh -L {server.tunnel} {getpass.getuser()}@{socket.gethostname()}"
    say(
        f"web: {reason}from another machine, run there: {tunnel}"
        f" and open http://127.0.0.1:{server.port}/{server.query}"
    )
