"""A network camera on this machine: Motion JPEG over HTTP, from a real server."""

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np


@contextmanager
def camera(
    frames: int | None = None,
    fps: float = 50.0,
    broken: tuple[int, ...] = (),
    login: str | None = None,
) -> Iterator[str]:
    """The address of a camera that sends ``frames`` images, or goes on for ever.

    Image n is of gray value 5 n; those in ``broken`` are noise instead of JPEG. The server hangs
    up after the last. /missing is a 404, /hang says nothing at all, /text is a web page, and
    /snapshot.jpg one image, the next for each request. ``login``: "USER:PASSWORD" to ask for.
    """
    done = threading.Event()
    snapshots = iter(range(1000))
    allowed = f"Basic {base64.b64encode(login.encode()).decode()}" if login else None

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if allowed not in (None, self.headers.get("Authorization")):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            if self.path == "/missing":
                self.send_error(404)
                return
            if self.path == "/hang":
                done.wait(30)
                return
            self.send_response(200)
            if self.path == "/text":
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<h1>no camera</h1>" * 100)
                return
            if self.path == "/snapshot.jpg":
                self.send_header("Content-Type", "image/jpeg")
                self.end_headers()
                self.wfile.write(_image(next(snapshots)))
                return
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            self._images()

        def _images(self) -> None:
            sent = 0
            while not done.is_set() and sent != frames:
                data = _image(sent)
                if sent in broken:
                    data = np.random.default_rng(sent).bytes(len(data))
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + data + b"\r\n")
                except OSError:  # the reader hung up
                    return
                sent += 1
                time.sleep(1 / fps)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        done.set()
        server.shutdown()
        server.server_close()


def _image(number: int) -> bytes:
    gray = np.full((120, 160, 3), 5 * number % 255, np.uint8)
    return cv2.imencode(".jpg", gray)[1].tobytes()
