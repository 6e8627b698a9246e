"""An RTSP camera on this machine: GStreamer's own server, in a process of the system's Python."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

PYTHON = "/usr/bin/python3"

SERVER = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer

Gst.init(None)
if not all(Gst.ElementFactory.find(name) for name in ("jpegenc", "rtpjpegpay", "videotestsrc")):
    sys.exit("no JPEG in GStreamer")
if len(sys.argv) > 1:
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        "( videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=160,height=120,"
        "framerate=25/1 ! jpegenc ! rtpjpegpay name=pay0 )"
    )
    factory.set_shared(True)
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    GLib.MainLoop().run()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require() -> None:
    """Skip the test where GStreamer's RTSP server is not installed."""
    try:
        subprocess.run([PYTHON, "-c", SERVER], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        pytest.skip(
            "RTSP: apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi "
            "gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
        )


@contextmanager
def camera(port: int) -> Iterator[str]:
    """The address of a camera that shows a moving ball, 25 frames a second of 160x120."""
    running = subprocess.Popen([PYTHON, "-c", SERVER, str(port)])
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end and running.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"rtsp://127.0.0.1:{port}/camera"
    finally:
        running.kill()
        running.wait()
