"""``edge doctor`` on the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from errors import error_code


def test_it_diagnoses_this_machine(run_edge) -> None:  # type: ignore[no-untyped-def]
    done = run_edge("doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == {"ok": 0, "warn": 1, "fail": 3}[report["state"]]
    assert done.stderr == ""
    findings = {finding["subject"]: finding for finding in report["findings"]}
    assert findings["interpreter"]["state"] == "ok"
    assert findings["OpenCV"]["state"] == "ok"
    assert findings["Python"]["found"].startswith(f"3.{sys.version_info.minor}.")


def test_the_text_output_is_readable(run_edge) -> None:  # type: ignore[no-untyped-def]
    done = run_edge("doctor")
    assert done.returncode in (0, 1, 3)
    assert "interpreter" in done.stdout
    assert "\x1b" not in done.stdout


def test_an_unknown_board_suggests_the_nearest_name(run_edge) -> None:  # type: ignore[no-untyped-def]
    done = run_edge("doctor", "--board", "raspbery-pi-5")
    assert (done.returncode, error_code(done.stderr)) == (2, "unknown-board")
    assert "'raspberry-pi-5'" in done.stderr


def test_a_key_without_a_host_is_refused(run_edge) -> None:  # type: ignore[no-untyped-def]
    done = run_edge("doctor", "-i", "key")
    assert (done.returncode, error_code(done.stderr)) == (2, "identity-without-host")
    assert "HOST" in done.stderr


def test_an_unknown_host_is_an_error(run_edge) -> None:  # type: ignore[no-untyped-def]
    done = run_edge("doctor", "--host", "pi@nobody.invalid", "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert (error["kind"], error["code"]) == ("BoardError", "board-unreachable")


def test_ctrl_c_ends_the_doctor_and_its_probes_at_once(tmp_path: Path) -> None:
    """OpenCV hangs while it is imported; its process ends with the doctor."""
    trying = tmp_path / "trying"
    (tmp_path / "cv2.py").write_text(
        "import os, pathlib, time\n"
        f"pathlib.Path({str(trying)!r}).write_text(str(os.getpid()))\ntime.sleep(60)\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "edge", "doctor"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )  # fmt: skip
    while running.poll() is None and not (trying.exists() and trying.read_text()):
        time.sleep(0.02)
    start = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=30)
    assert time.monotonic() - start < 25  # a hang guard: the import sleeps for 60
    assert running.returncode == 130
    assert len(stderr.strip().splitlines()) == 1, stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(trying.read_text()), 0)


def test_it_starts_without_numpy_opencv_and_ssh() -> None:
    """Otherwise a broken one would break the doctor."""
    code = (
        "import sys; import boards.commands.doctor, boards.doctor.diagnosis; "
        "print(sorted({'numpy', 'cv2', 'asyncssh', 'ai_edge_litert'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
