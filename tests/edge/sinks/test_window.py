"""A window, on a screen that is made for the test."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import pytest
from errors import raises_code

import edge
from edge.sinks import open_sink

ROOT = str(Path(edge.__file__).parents[1])

# In a process of its own: Qt is never given up again, and ends the process where it fails.
PROGRAM = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
import cv2, numpy as np
from edge.frame import Output, StreamStatus
from edge.results import Detections
from edge.sinks import open_sink
from edge.streaming.sink import StreamContext
stop = threading.Event()
sink = open_sink("window", StreamContext(30.0, True, stop.set, print))
def work():
    image = np.full((240, 320, 3), 200, np.uint8)
    status = StreamStatus(1.0, 1.0, 1.0, 0, "cpu")
    for index in range(400):
        if stop.is_set():
            break
        sink.write(Output(index, 0.0, "", "detect", Detections(()), status, 0.0, image))
        if index == 5:
            print("shown", flush=True)
        if index == 20 and sys.argv[2] == "close":
            cv2.destroyAllWindows()
        time.sleep(0.02)
    sink.close()
thread = threading.Thread(target=work)
thread.start()
thread.join()
print("stopped" if stop.is_set() else "never stopped")
"""


def show(screen: str, how: str) -> "subprocess.Popen[str]":
    without = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, ROOT, how],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=without | {"DISPLAY": screen},
    )  # fmt: skip


def test_closing_the_window_ends_the_stream(screen: str) -> None:
    out, err = show(screen, "close").communicate(timeout=60)
    assert out.split() == ["shown", "stopped"]
    assert err == ""


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_a_key_ends_the_stream(screen: str, key: str) -> None:
    xdotool = shutil.which("xdotool")
    if xdotool is None:
        pytest.skip("no xdotool: apt-get install xdotool")
    run = show(screen, "key")
    assert run.stdout is not None
    assert run.stdout.readline() == "shown\n"
    press = [xdotool, "mousemove", "100", "100", "key", key]
    for _ in range(20):
        subprocess.run(press, env=os.environ | {"DISPLAY": screen}, check=False,
                       capture_output=True)  # fmt: skip
        if run.poll() is not None:
            break
        time.sleep(0.2)
    assert run.communicate(timeout=60)[0] == "stopped\n"


def test_without_a_screen_it_is_said(monkeypatch: pytest.MonkeyPatch, stream: Any) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with raises_code("no-screen", fix="--sink out.mkv"):
        open_sink("window", stream.context)


def test_a_screen_that_does_not_answer_is_said(
    monkeypatch: pytest.MonkeyPatch, stream: Any
) -> None:
    """Qt would end the process."""
    monkeypatch.setenv("DISPLAY", ":8471")
    with raises_code("no-screen", found="DISPLAY=:8471"):
        open_sink("window", stream.context)


def test_an_opencv_without_windows_is_said(monkeypatch: pytest.MonkeyPatch, stream: Any) -> None:
    information = "\n  GUI:                           NONE\n    VTK support:                 NO\n"
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: information)
    with raises_code("opencv-headless", found="opencv-python-headless"):
        open_sink("window", stream.context)
