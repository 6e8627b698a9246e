"""The machine that the tests run on: its files and the real probes."""

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
from boards.doctor.system import HostSystem, local_system
from edge import edgetpu_probe

LITERT = "ai_edge_litert.interpreter"


@pytest.fixture
def system() -> HostSystem:
    return local_system()


def test_a_missing_file_has_no_text(system: HostSystem, tmp_path: Path) -> None:
    other = replace(system, root=tmp_path)
    (tmp_path / "model").write_bytes(b"Raspberry Pi\0")
    assert other.text("model") == "Raspberry Pi"
    assert other.text("other") is None
    assert other.text(".") is None


def test_the_probe_of_python_describes_this_one(system: HostSystem) -> None:
    result = system.probe("python")
    assert result["version"] == ".".join(map(str, sys.version_info[:3]))
    assert result["bits"] == 64


def test_the_probe_of_the_interpreter_runs_a_model(system: HostSystem) -> None:
    result = system.probe("interpreter")
    assert result["package"].startswith("ai-edge-litert ")
    assert result["module"] == LITERT


def test_the_probe_of_opencv_resizes_an_image(system: HostSystem) -> None:
    result = system.probe("opencv")
    assert "problem" not in result
    assert "opencv-python" in result["distributions"]


def package(folder: Path, name: str, text: str) -> None:
    """A stand-in for an installed package; it is imported before the real one."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("raise ValueError('numpy.dtype size changed')", "ValueError: numpy.dtype size changed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("import sys; sys.exit('bye')", "bye"),
    ],
)
def test_any_failure_of_picamera2_is_reported(
    system: HostSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, problem: str
) -> None:
    package(tmp_path, "picamera2", text)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    result = system.probe("picamera")
    assert result.keys() == {"problem"}
    assert problem in result["problem"]


def test_cameras_of_picamera2_are_listed(
    system: HostSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cameras = "staticmethod(lambda: [{'Model': 'imx708'}])"
    package(
        tmp_path, "picamera2", f"print('a log')\nclass Picamera2: global_camera_info = {cameras}"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    assert system.probe("picamera") == {"cameras": ["imx708"]}


def test_an_opencv_without_libgl_is_reported(
    system: HostSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "cv2", "raise ImportError('libGL.so.1: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    result = system.probe("opencv")
    assert result["problem"] == "ImportError: libGL.so.1: cannot open shared object file"
    assert "opencv-python" in result["distributions"]


def test_a_broken_numpy_is_reported_as_such(
    system: HostSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "numpy", "raise ImportError('libopenblas.so.0')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    for name in ("interpreter", "opencv"):
        problem = f"{NO_NUMPY} (ImportError: libopenblas.so.0)"
        assert system.probe(name)["problem"] == problem


def test_a_missing_libedgetpu_is_reported(system: HostSystem) -> None:
    with suppress(OSError):
        ctypes.CDLL(edgetpu_probe.library())
        pytest.skip(f"{edgetpu_probe.library()} is installed here")
    assert system.probe("edgetpu", LITERT) == {"problem": edgetpu_probe.NO_LIBRARY}


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
    assert reason in system.probe("edgetpu", LITERT)["problem"]
