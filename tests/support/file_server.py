"""A local HTTP server of files that behaves as well or as badly as a test wants."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """A file, and how it is served.

    ``breaks``: after how many bytes of the answer the connection closes, one for each request,
    as long as there are any; ``release``: awaited after half of the answer; ``ranges``: whether
    parts are served; ``statuses``: answers of the first requests instead of the file.
    """

    content: bytes
    tag: str | None = '"v1"'
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    redirect: str | None = None
    release: threading.Event | None = None
    declared: bool = True


@dataclass
class Files:
    """``url``: of the server; ``requests``: path and Range header of each, in order."""

    url: str
    served: dict[str, Served] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Files]:
    """Serve on a free port until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.files = Files(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.files  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        files: Files = self.server.files  # type: ignore[attr-defined]
        files.requests.append((self.path, self.headers["Range"]))
        file = files.served.get(self.path)
        if file is None or file.statuses:
            self.send_error(file.statuses.pop(0) if file else 404)
        elif file.redirect:
            self.send_response(302)
            self.send_header("Location", file.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(file)

    def _send(self, file: Served) -> None:
        start = self._start(file)
        if start is not None and start >= len(file.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(file.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = file.content[start or 0 :]
        self.send_response(200 if start is None else 206)
        if file.declared:
            self.send_header("Content-Length", str(len(body)))
        if start is not None:
            last = len(file.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(file.content)}")
        if file.tag:
            self.send_header("ETag", file.tag)
        self.end_headers()
        if file.breaks:
            body = body[: file.breaks.pop(0)]
        half = len(body) // 2 if file.release else len(body)
        self.wfile.write(body[:half])
        self.wfile.flush()
        if file.release:
            file.release.wait(20)
            self.wfile.write(body[half:])

    def _start(self, file: Served) -> int | None:
        """First byte that is asked for; None for the whole file."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        same = self.headers["If-Range"] in (None, file.tag)
        return int(match[1]) if match and file.ranges and same else None

    def log_message(self, *_: object) -> None:
        """Say nothing."""
