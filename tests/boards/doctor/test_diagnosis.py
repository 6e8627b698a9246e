"""All checks together, and their text output."""

import inspect
import json
import re
import sys

import click
import pytest
from recorded_board import RecordedBoard

from boards.doctor.diagnosis import CHECKS, Diagnosis, diagnose, format_lines
from boards.doctor.finding import EXIT_CODES
from boards.profile import load


def test_every_check_is_in_the_table() -> None:
    """A public generator of a check module that is missing in CHECKS would never run."""
    modules = {sys.modules[check.__module__] for check in CHECKS}
    public = {
        function
        for module in modules
        for name, function in vars(module).items()
        if inspect.isgeneratorfunction(function)
        and not name.startswith("_")
        and function.__module__ == module.__name__
    }
    assert public == set(CHECKS)


def test_all_checks_pass_on_a_healthy_board(board: RecordedBoard) -> None:
    diagnosis = diagnose(board.system)
    assert [finding for finding in diagnosis.findings if finding.state != "ok"] == []
    assert (diagnosis.board, diagnosis.state) == ("raspberry-pi-4b", "ok")
    assert {finding.subject for finding in diagnosis.findings} == {
        "board", "system", "architecture", "processor", "Python", "interpreter", "OpenCV",
        "Edge TPU", "camera", "memory", "temperature", "power", "disk", "clock",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda board: None, 0),
        (lambda board: board.set_output("vcgencmd get_throttled", "throttled=0x50000\n"), 1),
        (lambda board: board.set_output("vcgencmd get_throttled", "throttled=0x50005\n"), 3),
    ],
)
def test_the_worst_finding_decides_the_exit_code(board: RecordedBoard, change, code) -> None:  # type: ignore[no-untyped-def]
    change(board)
    assert EXIT_CODES[diagnose(board.system).state] == code


def test_every_problem_has_an_explanation(board: RecordedBoard) -> None:
    """Also on a machine without any files and commands."""
    board.clear()
    bad = [finding for finding in diagnose(board.system).findings if finding.state != "ok"]
    assert bad
    assert all(finding.explanation for finding in bad)


def test_a_diagnosis_survives_json(board: RecordedBoard) -> None:
    board.set_output("vcgencmd get_throttled", "throttled=0x50005\n")
    diagnosis = diagnose(board.system, load("raspberry-pi-5"))
    assert Diagnosis.from_dict(json.loads(json.dumps(diagnosis.to_dict()))) == diagnosis


@pytest.mark.parametrize(
    "values",
    [
        [],
        {},
        {"board": "b", "title": "t", "findings": [{"subject": "memory"}], "limits": []},
        {"board": "b", "title": "t", "limits": [],
         "findings": [{"subject": "memory", "state": "lost", "found": ""}]},
    ],
)  # fmt: skip
def test_malformed_json_is_refused(values: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Diagnosis.from_dict(values)


def test_the_worst_comes_first_and_commands_have_their_own_lines(
    board: RecordedBoard,
) -> None:
    board.set_output("getconf LONG_BIT", "32\n")
    problem = "tflite-runtime does not work with NumPy 2.2.6"
    board.set_probe("interpreter", problem=problem, code="numpy-incompatible")
    lines = [click.unstyle(line) for line in format_lines(diagnose(board.system), width=80)]
    states = [line.split()[0] for line in lines if line.startswith(("ok ", "warn ", "fail "))]
    assert states == ["fail", "fail", *["ok"] * 12]
    assert "/home/pi/edge/bin/python -m pip install 'numpy<2'" in map(str.strip, lines)
    assert re.findall(r"\d+", lines[-1]) == ["2", "12"]


def test_the_summary_of_a_healthy_board_is_one_number(board: RecordedBoard) -> None:
    *_, summary = format_lines(diagnose(board.system), 80)
    assert re.findall(r"\d+", summary) == ["14"]


def test_known_limitations_of_the_board_are_listed(board: RecordedBoard) -> None:
    diagnosis = diagnose(board.system, load("raspberry-pi-5"))
    lines = "\n".join(format_lines(diagnosis, 80))
    assert diagnosis.limits
    assert "600 mA" in lines


def test_control_characters_are_escaped(board: RecordedBoard) -> None:
    board.file("proc/device-tree/model", "Raspberry Pi 4 Model B\x1b[2J\0")
    assert "\x1b[2J" not in "\n".join(format_lines(diagnose(board.system), 80))
