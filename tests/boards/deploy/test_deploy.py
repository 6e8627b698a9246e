"""A release goes to a board behind a real sshd, runs there, and is taken back where it does not."""

import json
from pathlib import Path

import pytest
from errors import error_code
from ssh_board import SshBoard

from edge.deployment import golden

from .conftest import RUN, Edge

ONE_CLASS = f"{RUN} --top 1"
NO_FRAMES = "demo classify --source /nowhere/clip.mp4 --sink none"


def test_a_release_runs_and_the_same_again_changes_nothing(
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
    assert board.process() == process != 0, "the service was started again"
    told = edge("status", board.address, "--json")
    (state,) = json.loads(told.out)
    assert (told.code, state["state"], state["release"]) == (0, "active", board.running)
    assert state["status"].startswith("classify: ")
    assert " s  " in edge("logs", board.address, "-n", 3).out


def test_what_fails_is_taken_back_and_what_runs_can_be_taken_back(
    edge: Edge, board: SshBoard, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edge("deploy", out, board.address, "--run", RUN).code == 0
    old, process = board.running, board.process()

    with monkeypatch.context() as patch:
        patch.setattr(golden, "compute", _with_other_answers)
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


_make = golden.compute


def _with_other_answers(*args: object) -> golden.GoldenOutputs:
    right = _make(*args)  # type: ignore[arg-type]
    return golden.GoldenOutputs(right.inputs, tuple(1 - answer for answer in right.outputs))


def test_the_first_release_without_frames_leaves_nothing_running(
    edge: Edge, board: SshBoard, out: Path
) -> None:
    refused = edge("deploy", out, board.address, "--run", NO_FRAMES, "--json")
    assert refused.code == 3
    (row,) = json.loads(refused.out)
    assert (row["good"], row["release"], row["code"]) == (False, None, "no-frame-processed")
    assert (board.running, board.process()) == ("", 0)
    assert not list(board.home.rglob("*.service"))
    assert error_code(edge("rollback", board.address).err) == "no-previous-release"
