"""The machine that the tests run on: its files, and the probes themselves."""

import ctypes
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from boards.doctor.probes import NO_NUMPY
from boards.doctor.system import HostSystem, here
from edge import edgetpu_probe

LITERT = "ai_edge_litert.interpreter"


@pytest.fixture
def system() -> HostSystem:
    return here()


def test_a_file_that_is_not_there_has_no_text(system: HostSystem, tmp_path: Path) -> None:
    there = replace(system, root=tmp_path)
    (tmp_path / "model").write_bytes(b"Raspberry Pi\0")
    assert there.text("model") == "Raspberry Pi"
    assert there.text("other") is None
    assert there.text(".") is None


def test_the_probe_of_python_tells_of_this_one(system: HostSystem) -> None:
    said = system.probe("python")
    assert said["version"] == ".".join(map(str, sys.version_info[:3]))
    assert said["bits"] == 64


def test_the_probe_of_the_interpreter_runs_a_model(system: HostSystem) -> None:
    said = system.probe("interpreter")
    assert said["package"].startswith("ai-edge-litert ")
    assert said["module"] == LITERT


def test_the_probe_of_opencv_resizes_an_image(system: HostSystem) -> None:
    said = system.probe("opencv")
    assert "trouble" not in said
    assert "opencv-python" in said["distributions"]


def package(folder: Path, name: str, text: str) -> None:
    """A stand-in for an installed package; it is imported before the real one."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(text)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("raise ValueError('numpy.dtype size changed')", "ValueError: numpy.dtype size changed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("import sys; sys.exit('bye')", "bye"),
    ],
)
def test_whatever_picamera2_does_is_told(
    system: HostSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, trouble: str
) -> None:
    package(tmp_path, "picamera2", text)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    said = system.probe("picamera")
    assert said.keys() == {"trouble"}
    assert trouble in said["trouble"]


def test_cameras_that_picamera2_knows_are_told(
    system: HostSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cameras = "staticmethod(lambda: [{'Model': 'imx708'}])"
    package(
        tmp_path, "picamera2", f"print('a log')\nclass Picamera2: global_camera_info = {cameras}"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    assert system.probe("picamera") == {"cameras": ["imx708"]}


def test_an_opencv_without_libgl_is_told(
    system: HostSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "cv2", "raise ImportError('libGL.so.1: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    said = system.probe("opencv")
    assert said["trouble"] == "ImportError: libGL.so.1: cannot open shared object file"
    assert "opencv-python" in said["distributions"]


def test_a_broken_numpy_is_told_as_such(
    system: HostSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "numpy", "raise ImportError('libopenblas.so.0')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    for name in ("interpreter", "opencv"):
        trouble = f"{NO_NUMPY} (ImportError: libopenblas.so.0)"
        assert system.probe(name)["trouble"] == trouble


def test_an_absent_libedgetpu_is_told(system: HostSystem) -> None:
    with suppress(OSError):
        ctypes.CDLL(edgetpu_probe.library())
        pytest.skip(f"{edgetpu_probe.library()} is installed here")
    assert system.probe("edgetpu", LITERT) == {"trouble": edgetpu_probe.NO_LIBRARY}


@pytest.mark.parametrize(
    ("source", "reason"),
    [("#include <stdlib.h>\nvoid *make(void) { abort(); }", "SIGABRT"),
     ("void *make(void) { return 0; }", edgetpu_probe.NO_DEVICE)],
)  # fmt: skip
def test_a_libedgetpu_may_crash_or_find_nothing(
    system: HostSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, reason: str
) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc: no compiler to make a stand-in for libedgetpu")
    entry = (
        "void *tflite_plugin_create_delegate(char **k, char **v, unsigned long n, void *e) "
        "{ return make(); }\nvoid tflite_plugin_destroy_delegate(void *delegate) {}"
    )
    code, library = tmp_path / "fake.c", tmp_path / edgetpu_probe.library()
    code.write_text(f"{source}\n{entry}")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, code], check=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    assert reason in system.probe("edgetpu", LITERT)["trouble"]
