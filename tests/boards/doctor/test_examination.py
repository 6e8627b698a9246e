"""All checks together, and the page that tells of them."""

import json
import re

import click
import pytest
from recorded_board import RecordedBoard

from boards.doctor import render
from boards.doctor.diagnosis import Diagnosis, diagnose
from boards.doctor.finding import EXIT_CODES
from boards.profile import load


def test_a_healthy_board_is_ok_throughout(board: RecordedBoard) -> None:
    examined = diagnose(board.system)
    assert [one for one in examined.findings if one.state != "ok"] == []
    assert (examined.board, examined.state) == ("raspberry-pi-4b", "ok")
    assert {one.subject for one in examined.findings} == {
        "board", "system", "architecture", "processor", "Python", "interpreter", "OpenCV",
        "Edge TPU", "camera", "memory", "temperature", "power", "disk", "clock",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda board: None, 0),
        (lambda board: board.says("vcgencmd get_throttled", "throttled=0x50000\n"), 1),
        (lambda board: board.says("vcgencmd get_throttled", "throttled=0x50005\n"), 3),
    ],
)
def test_the_worst_finding_decides_the_exit_code(board: RecordedBoard, change, code) -> None:  # type: ignore[no-untyped-def]
    change(board)
    assert EXIT_CODES[diagnose(board.system).state] == code


def test_everything_bad_says_what_it_means(board: RecordedBoard) -> None:
    """Also on a machine that answers nothing at all."""
    board.folder = board.folder / "empty"
    board.folder.mkdir()
    board._answers.clear()
    bad = [one for one in diagnose(board.system).findings if one.state != "ok"]
    assert bad
    assert all(one.means for one in bad)


def test_an_examination_survives_json(board: RecordedBoard) -> None:
    board.says("vcgencmd get_throttled", "throttled=0x50005\n")
    examined = diagnose(board.system, load("raspberry-pi-5"))
    assert Diagnosis.from_dict(json.loads(json.dumps(examined.to_dict()))) == examined


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {"board": "b", "title": "t", "findings": [{"subject": "memory"}], "limits": []},
        {"board": "b", "title": "t", "limits": [],
         "findings": [{"subject": "memory", "state": "lost", "found": ""}]},
    ],
)  # fmt: skip
def test_something_else_is_no_examination(told: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Diagnosis.from_dict(told)


def test_the_page_has_the_worst_first_and_commands_on_their_own_lines(
    board: RecordedBoard,
) -> None:
    board.says("getconf LONG_BIT", "32\n")
    trouble = "tflite-runtime does not work with NumPy 2.2.6"
    board.probe("interpreter", trouble=trouble, code="numpy-incompatible")
    lines = [click.unstyle(line) for line in render.lines(diagnose(board.system), width=80)]
    states = [line.split()[0] for line in lines if line.startswith(("ok ", "warn ", "fail "))]
    assert states == ["fail", "fail", *["ok"] * 12]
    assert "/home/pi/edge/bin/python -m pip install 'numpy<2'" in map(str.strip, lines)
    assert re.findall(r"\d+", lines[-1]) == ["2", "12"]


def test_the_page_of_a_healthy_board_is_short(board: RecordedBoard) -> None:
    *_, summary = render.lines(diagnose(board.system), 80)
    assert re.findall(r"\d+", summary) == ["14"]


def test_what_is_known_of_the_board_is_told(board: RecordedBoard) -> None:
    examined = diagnose(board.system, load("raspberry-pi-5"))
    lines = "\n".join(render.lines(examined, 80))
    assert examined.limits
    assert "600 mA" in lines


def test_no_text_can_steer_the_terminal(board: RecordedBoard) -> None:
    board.file("proc/device-tree/model", "Raspberry Pi 4 Model B\x1b[2J\0")
    assert "\x1b[2J" not in "\n".join(render.lines(diagnose(board.system), 80))
