"""A TCP proxy whose connections can be cut."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress


class CuttableProxy:
    """Forwards connections to ``port``; ``cut`` ends the current ones."""

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
    def cut_when(self, condition: Callable[[], bool]) -> Iterator[threading.Event]:
        """Cut the connections when a condition is true; the event is set then."""
        done, over = threading.Event(), threading.Event()

        def watch() -> None:
            while not over.wait(0.002):
                if condition():
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
def proxy_to(port: int) -> Iterator[CuttableProxy]:
    """Run a proxy to a port of this machine."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        proxy = CuttableProxy(server.getsockname()[1])
        threading.Thread(target=_accept, args=(server, port, proxy), daemon=True).start()
        try:
            yield proxy
        finally:
            server.shutdown(socket.SHUT_RDWR)
            proxy.cut()


def _accept(server: socket.socket, port: int, proxy: CuttableProxy) -> None:
    while True:
        try:
            near, _ = server.accept()
        except OSError:
            return
        far = socket.create_connection(("127.0.0.1", port))
        proxy.add(near, far)
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
