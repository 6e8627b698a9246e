"""A network camera on this machine: Motion JPEG over HTTP, from a real server."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np


@contextmanager
def camera(
    frames: int | None = None, fps: float = 50.0, broken: tuple[int, ...] = ()
) -> Iterator[str]:
    """The address of a camera that sends ``frames`` images, or goes on for ever.

    Image n is of gray value 5 n; those in ``broken`` are noise instead of JPEG. The server hangs
    up after the last. /missing is a 404, /hang says nothing at all, /text is a web page.
    """
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
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
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            self._images()

        def _images(self) -> None:
            sent = 0
            while not done.is_set() and sent != frames:
                gray = np.full((120, 160, 3), 5 * sent % 255, np.uint8)
                data = cv2.imencode(".jpg", gray)[1].tobytes()
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
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        done.set()
        server.shutdown()
        server.server_close()
