"""A CSI camera, by a stand-in for picamera2: no Raspberry Pi was at hand."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from errors import raises_code

from edge.sources import open_source
from edge.sources.source import SourceOptions


class FakePicamera2:
    """A stand-in for picamera2.Picamera2: the calls that are made of it, and nothing behind."""

    cameras = 1
    configured: Any = None

    def __init__(self, number: int) -> None:
        self.number, self.running = number, False

    @staticmethod
    def global_camera_info() -> list[dict[str, str]]:
        return [{"Model": "stand-in"}] * FakePicamera2.cameras

    def create_video_configuration(self, **settings: Any) -> Any:
        return settings

    def configure(self, configuration: Any) -> None:
        FakePicamera2.configured = configuration

    def start(self) -> None:
        self.running = True

    def capture_array(self, stream: str) -> Any:
        assert self.running
        assert stream == "main"
        width, height = FakePicamera2.configured["main"]["size"]
        return np.full((height, width, 3), (1, 2, 3), np.uint8)

    def stop(self) -> None:
        self.running = False

    def close(self) -> None:
        assert not self.running


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(Picamera2=FakePicamera2)
    monkeypatch.setitem(sys.modules, "picamera2", module)


@pytest.mark.usefixtures("stand_in")
def test_a_csi_camera_of_a_stand_in() -> None:
    options = SourceOptions(size=(320, 240), fps=15, exposure=8000)
    source = open_source("picamera", options)
    assert (source.live, source.fps) == (True, 15)
    frame = source.read()
    source.close()
    assert frame is not None
    assert frame.image.shape == (240, 320, 3)
    assert frame.image[0, 0].tolist() == [1, 2, 3]
    settings = FakePicamera2.configured
    assert settings["main"]["format"] == "RGB888"
    assert settings["controls"] == {"FrameRate": 15, "AeEnable": False, "ExposureTime": 8000}


@pytest.mark.usefixtures("stand_in")
def test_a_csi_camera_that_does_not_start_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    def fail(_: FakePicamera2) -> None:
        raise RuntimeError("Camera __init__ sequence did not complete.")

    def let_go(camera: FakePicamera2) -> None:
        closed.append(camera)

    monkeypatch.setattr(FakePicamera2, "start", fail)
    monkeypatch.setattr(FakePicamera2, "close", let_go)
    with raises_code("camera-open-failed", found="did not complete", fix="rpicam-hello"):
        open_source("picamera")
    assert len(closed) == 1


@pytest.mark.usefixtures("stand_in")
def test_a_csi_camera_that_is_lost_can_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source("picamera")

    def fail(*_: Any) -> None:
        raise RuntimeError("Camera frontend has timed out!")

    monkeypatch.setattr(FakePicamera2, "capture_array", fail)
    monkeypatch.setattr(FakePicamera2, "stop", fail)
    monkeypatch.setattr(FakePicamera2, "close", lambda _: None)
    with raises_code("source-lost", found="timed out"):
        source.read()
    source.close()


@pytest.mark.usefixtures("stand_in")
def test_a_csi_camera_that_is_not_there() -> None:
    with raises_code("camera-not-found", expected="camera 1", found="1 "):
        open_source("picamera:1")


def test_no_picamera2_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with raises_code("missing-package", fix="python3-picamera2") as caught:
        open_source("picamera")
    assert "--system-site-packages" in caught.value.fix


def test_a_picamera2_built_for_another_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clash:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "picamera2":
                raise ValueError("numpy.dtype size changed, may indicate binary incompatibility")

    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Clash(), *sys.meta_path])
    with raises_code("numpy-incompatible", fix="numpy<2"):
        open_source("picamera")
