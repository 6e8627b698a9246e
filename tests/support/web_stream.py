"""``edge demo … --sink web`` in a process of its own, and what it shows to a browser."""

import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray
from tiny_models import color_model

OpenPage = Callable[..., Any]
"""Opens an address in a browser: the fixture ``open_page``."""

FOREIGN_HOST = "board.test"
"""A name that the browser takes for this machine, and does not trust with a camera."""

_PATIENCE = 60
"""Seconds for the stream to say where its page is."""


@dataclass(frozen=True)
class Served:
    """A running stream; ``url`` as it was printed, with the token if there is one."""

    process: "subprocess.Popen[str]"
    url: str

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    @property
    def local(self) -> str:
        """The page by the loopback address, with the token if there is one."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=f"127.0.0.1:{self.port}").geturl()

    def end(self) -> None:
        """End it as Ctrl-C would; at once if it does not listen."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def served(*arguments: object, sink: str = "web:127.0.0.1:0") -> Iterator[Served]:
    """Run ``edge demo ARGUMENTS --sink SINK`` until the block ends."""
    with serving("demo", *arguments, "--sink", sink) as running:
        yield running


@contextmanager
def serving(*words: object) -> Iterator[Served]:
    """Run ``edge WORDS``, a command that says where its page is, until the block ends."""
    command = [sys.executable, "-m", "edge", *map(str, words)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    lines_read: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines_read), daemon=True).start()
    stream = None
    try:
        stream = Served(process, _address(lines_read))
        yield stream
    finally:
        (stream or Served(process, "")).end()


def _read(process: "subprocess.Popen[str]", lines_read: "queue.Queue[str | None]") -> None:
    assert process.stderr is not None
    with process.stderr:
        for line in process.stderr:
            lines_read.put(line)
    lines_read.put(None)


def _address(lines_read: "queue.Queue[str | None]") -> str:
    lines: list[str] = []
    while (line := lines_read.get(timeout=_PATIENCE)) is not None:
        lines.append(line)
        match = re.search(r"web: open (\S+)", line)
        if match:
            return match[1]
    raise AssertionError("the stream did not say where its page is:\n" + "".join(lines))


def write_model(folder: Path) -> Path:
    """A model that names the main color of an image, with its labels beside it."""
    model = folder / "colors.tflite"
    model.write_bytes(color_model())
    (folder / "labels.txt").write_text("red\ngreen\nblue\n")
    return model


def colored(seconds: float, fps: int) -> Iterator[NDArray[np.uint8]]:
    """Images of 320 × 240, first red and then blue, over which a bar moves."""
    count = round(seconds * fps)
    for index in range(count):
        image = np.full((240, 320, 3), (40, 40, 200) if 2 * index < count else (200, 40, 40))
        left = index * 10 % 300
        image[150:180, left : left + 20] = 255
        yield image.astype(np.uint8)


def write_clip(path: Path, seconds: float = 2.4, fps: int = 20) -> Path:
    """A video of :func:`colored`."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (320, 240))
    for image in colored(seconds, fps):
        writer.write(image)
    writer.release()
    return path


def write_fake_camera(path: Path, seconds: float = 2.4) -> Path:
    """Write a clip of JPEGs in a row, which Chromium's fake camera repeats."""
    images = (cv2.imencode(".jpg", image)[1].tobytes() for image in colored(seconds, 30))
    path.write_bytes(b"".join(images))
    return path
