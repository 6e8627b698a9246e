"""Deployments to a board behind a real sshd: success, refusal, rollback."""

import asyncio
import fcntl
import json
import threading
from pathlib import Path

import pytest
import tiny_models
from errors import error_code
from ssh_board import SshBoard

from boards.deploy import environment, ssh
from edge.deployment import golden
from edge.errors import BoardError

from .conftest import RUN, Edge

ONE_CLASS = f"{RUN} --top 1"
NO_FRAMES = "demo classify --source /nowhere/clip.mp4 --sink none"


def test_a_release_runs_and_repeating_it_changes_nothing(
    edge: Edge, board: SshBoard, out: Path
) -> None:
    assert "inactive" in edge("status", board.address).out
    run = RUN.replace("--sink none", "--sink text")
    first = edge("deploy", out, board.address, "--run", run)
    assert first.code == 0, first.err
    assert first.out.startswith(f"{board.address}: ") and board.running in first.out
    steps = [line.rpartition(": ")[2] for line in first.err.splitlines()]
    expected = ["connect", "environment", "release", "self-test", "first frame", "running"]
    assert [step for step in expected if step in steps] == [s for s in steps if s in expected]
    process = board.process()
    again = edge("deploy", out, board.address, "--run", run, "--json")
    assert (again.code, json.loads(again.out)) == (
        0,
        [{"host": board.address, "good": True, "release": board.running, "changed": False}],
    )
    assert board.process() == process != 0, "the service was restarted"
    result = edge("status", board.address, "--json")
    (state,) = json.loads(result.out)
    assert (result.code, state["state"], state["release"]) == (0, "active", board.running)
    assert state["status"].startswith("classify: ")
    assert " s  " in edge("logs", board.address, "-n", 3).out


def test_failures_are_rolled_back_and_rollback_works(
    edge: Edge, board: SshBoard, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edge("deploy", out, board.address, "--run", RUN).code == 0
    old, process = board.running, board.process()

    with monkeypatch.context() as patch:
        patch.setattr(golden, "compute", _with_other_outputs)
        refused = edge("deploy", out, board.address, "--run", ONE_CLASS)
    assert (refused.code, error_code(refused.err)) == (3, "selftest-failed")
    assert "model.tflite (deviation " in refused.err
    assert old in refused.err.splitlines()[-1]
    assert (board.running, board.process()) == (old, process), "it was never switched to"

    refused = edge("deploy", out, board.address, "--run", NO_FRAMES)
    assert (refused.code, error_code(refused.err)) == (3, "no-frame-processed")
    assert old in refused.err.splitlines()[-1]
    assert "/nowhere/clip.mp4" in refused.err, "the log of the service says why"
    assert (board.running, board.systemctl("is-active", "edge-toolkit")) == (old, "active")

    assert edge("deploy", out, board.address, "--run", ONE_CLASS).code == 0
    new = board.running
    assert {path.name for path in (board.root / "releases").iterdir()} == {old, new}
    assert old in edge("rollback", board.address).out
    assert board.running == old
    assert edge("rollback", board.address).code == 0
    assert (board.running, board.systemctl("is-active", "edge-toolkit")) == (new, "active")


_compute = golden.compute


def _with_other_outputs(*args: object) -> golden.GoldenOutputs:
    reference = _compute(*args)  # type: ignore[arg-type]
    return golden.GoldenOutputs(reference.inputs, tuple(1 - output for output in reference.outputs))


def test_a_first_release_without_frames_leaves_nothing_running(
    edge: Edge, board: SshBoard, out: Path
) -> None:
    refused = edge("deploy", out, board.address, "--run", NO_FRAMES, "--json")
    assert refused.code == 3
    (row,) = json.loads(refused.out)
    assert (row["good"], row["release"], row["code"]) == (False, None, "no-frame-processed")
    assert (board.running, board.process()) == ("", 0)
    assert not list(board.home.rglob("*.service"))
    assert error_code(edge("rollback", board.address).err) == "no-previous-release"


def test_a_disk_that_becomes_full(
    edge: Edge, out: Path, board: SshBoard, environments: Path
) -> None:
    board.stand_in("tar", "echo tar: x: Cannot write: No space left on device >&2\nexit 2\n")
    result = edge("deploy", out, board.address, "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "board-disk-full")
    assert f"{board.root} on {board.address}" in result.err
    assert not list(board.root.glob("releases/*"))


def test_a_release_that_is_corrupted_in_transit(edge: Edge, out: Path, board: SshBoard) -> None:
    board.stand_in(
        "tar",
        '/usr/bin/tar "$@" || exit\nfor a; do :; done\n[ ! -e "$a/run" ] || echo >>"$a/run"\n',
    )
    result = edge("deploy", out, board.address, "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "release-corrupt")
    assert board.address in result.err
    assert (board.running, list(board.root.glob("releases/*"))) == ("", [])


def test_the_lock_is_held_during_downloads(
    edge: Edge, out: Path, board: SshBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = threading.Event()

    async def beat(process: object) -> None:
        while True:
            alive.set()
            await asyncio.sleep(0.01)

    def fetch(*_: object) -> dict[str, bytes]:
        alive.clear()
        assert alive.wait(5), "no heartbeat"
        raise BoardError("wheels", "none", "go on", code="wheels-not-found")

    monkeypatch.setattr(ssh, "send_heartbeat", beat)
    monkeypatch.setattr(environment, "fetch_wheels", fetch)
    result = edge("deploy", out, board.address, "--run", f"{RUN} --top 3", "--offline",
                "--extra", "mqtt")  # fmt: skip
    assert error_code(result.err) == "wheels-not-found"


def test_a_second_deploy_while_one_runs(edge: Edge, out: Path, board: SshBoard) -> None:
    with (board.root / "lock").open("w") as lock:
        lock.write("ann@desk since 12:00:00\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = edge("deploy", out, board.address, "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "deploy-in-progress")
    assert board.address in result.err
    assert "ann@desk since 12:00:00" in result.err
    assert not board.root.joinpath("releases").exists()


def test_a_model_for_an_accelerator_that_the_board_lacks(
    edge: Edge, board: SshBoard, out: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model_edgetpu.tflite"
    path.write_bytes(tiny_models.edgetpu_model())
    (tmp_path / "model.tflite").write_bytes(tiny_models.color_model("uint8"))
    result = edge("deploy", path, board.address, "--run", f"{RUN} --delegate edgetpu")
    assert (result.code, error_code(result.err)) == (3, "selftest-failed")
    assert "Edge TPU" in result.err
    assert board.running == ""
