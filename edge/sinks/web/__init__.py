"""A page for browsers: the live image, results beside it, statistics, and what can be changed.

It is how a board without a screen is used. On this machine's own address it is open to whoever
can connect there, which is this machine; on another one it asks for the token that is printed.
"""

import getpass
import os
import socket
from typing import TYPE_CHECKING

from edge.errors import OutputError
from edge.frame import Output
from edge.installation import install_command
from edge.sinks.web import address as places
from edge.sinks.web.hub import Hub
from edge.sinks.web.recording import Recorder
from edge.streaming.sink import StreamContext

if TYPE_CHECKING:
    from edge.sinks.web.server import WebServer

_BACKLOG = 8
_RATE = 30.0


def open_web(address: str, context: StreamContext) -> "WebSink":
    """A page at ``[HOST[:PORT]][?recordings=DIR]``, by default 127.0.0.1:8080; port 0: any free.

    Raises:
        OutputError: the extra ``web`` is not installed, the port is in use, or the host is none.
        UsageError: another address.
    """
    wanted = places.parse(address)
    try:
        from edge.sinks.web.server import WebServer
    except ImportError as error:
        raise OutputError(
            "the packages starlette, uvicorn and websockets",
            f"no {error.name}" if error.name else str(error),
            install_command("web"),
            code="missing-package",
        ) from None
    assert context.control is not None  # a stream has one
    listening = places.listen(wanted)
    recorder = Recorder(wanted.recordings, context.fps or _RATE, context.live, context.say)
    hub = Hub(context, context.control, recorder)
    server = WebServer(listening, hub)
    _greet(server, context)
    return WebSink(f"web:{address}".rstrip(":"), hub, server)


class WebSink:
    """Shows visitors the newest image; drawn only while somebody looks, or records."""

    queue_size = _BACKLOG

    def __init__(self, name: str, hub: Hub, server: "WebServer") -> None:
        self.name, self._hub, self._server = name, hub, server
        self.url = server.url

    @property
    def wants_images(self) -> bool:
        return self._hub.watched

    def write(self, output: Output) -> None:
        self._hub.publish(output)

    def close(self) -> None:
        self._server.stop()
        self._hub.recorder.end()
        if self._hub.camera is not None:
            self._hub.camera.close()


def _greet(server: "WebServer", context: StreamContext) -> None:
    camera = context.camera is not None
    context.say(f"web: open {server.url}" + (" and allow the camera" if camera else ""))
    remote = "SSH_CONNECTION" in os.environ
    if not (camera or (server.loopback and remote)):
        return
    why = "browsers allow camera access only over https or on localhost; " if camera else ""
    tunnel = f"ssh -L {server.tunnel} {getpass.getuser()}@{socket.gethostname()}"
    context.say(
        f"web: {why}from another machine, run there: {tunnel}"
        f" and open http://127.0.0.1:{server.port}/{server.query}"
    )
