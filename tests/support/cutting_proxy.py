"""A line between two machines that can be cut."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress


class Line:
    """Connections to ``port`` go on to another one; ``cut`` ends those that there are."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._open: list[socket.socket] = []

    def add(self, *ends: socket.socket) -> None:
        self._open.extend(ends)

    def cut(self) -> None:
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    @contextmanager
    def cut_when(self, happens: Callable[[], bool]) -> Iterator[threading.Event]:
        """Cut it as soon as something is so; the event says that it was."""
        done, over = threading.Event(), threading.Event()

        def watch() -> None:
            while not over.wait(0.002):
                if happens():
                    done.set()
                    self.cut()
                    return

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield done
        finally:
            over.set()
            watcher.join()


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    """A line to a port of this machine."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        line = Line(server.getsockname()[1])
        threading.Thread(target=_accept, args=(server, port, line), daemon=True).start()
        try:
            yield line
        finally:
            server.shutdown(socket.SHUT_RDWR)
            line.cut()


def _accept(server: socket.socket, port: int, line: Line) -> None:
    while True:
        try:
            near, _ = server.accept()
        except OSError:
            return
        far = socket.create_connection(("127.0.0.1", port))
        line.add(near, far)
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
