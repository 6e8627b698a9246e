"""``edge boards`` on the command line."""

import json
from dataclasses import fields

import pytest
from errors import error_code

from boards import profile, render
from edge import cli

NAMES = (*profile.names(), *profile.accelerators())


@pytest.mark.parametrize("name", [*NAMES, "raspberry-pi-5+coral-pcie"])
def test_show_prints_all_facts(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    known = profile.find(name)
    assert cli.run(["boards", "show", name]) == 0
    output = capsys.readouterr().out
    text = " ".join(output.split())
    assert output.startswith(f"{known.title}  ({name})")
    for note in (*known.constraints, *known.limits):
        assert note.text in text
        assert not note.fix or f"    {note.fix}\n" in output
        assert note.source in output
    for latency in known.latencies:
        assert f"{latency.ms:g} ms" in output and latency.source in output
    for system in getattr(known, "systems", ()):
        assert all(source in output for source in system.wheel_sources)
    for each in fields(known):
        if each.name.endswith("_sources"):
            assert all(source in output for source in getattr(known, each.name)), each.name
    assert known.tested in text


def test_commands_have_their_own_lines(capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["boards", "show", "raspberry-pi-4b"])
    lines = capsys.readouterr().out.splitlines()
    assert "    ~/edge/bin/pip install 'numpy<2'" in lines
    assert "    sudo apt-get install -y python3-venv libgl1 libglib2.0-0" in lines


def test_sources_are_cited_by_number(capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["boards", "show", "coral-usb"])
    text, _, sources = capsys.readouterr().out.partition("Sources\n")
    numbers = [line.split()[0] for line in sources.splitlines()]
    assert numbers == [f"[{number}]" for number in range(1, len(numbers) + 1)]
    assert all(number in text for number in numbers)


def test_list_names_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["boards", "list"]) == 0
    output = capsys.readouterr().out
    assert all(f"  {name} " in output for name in NAMES)
    assert render.UNTESTED in " ".join(output.split())


def test_both_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["boards", "list", "--json"])
    listed = json.loads(capsys.readouterr().out)
    assert {entry["name"]: entry["kind"] for entry in listed}["coral-usb"] == "accelerator"
    cli.run(["boards", "show", "raspberry-pi-4b+coral-usb", "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert shown["run"]["delegate"] == "edgetpu"
    assert shown["tried"] and shown["accelerator"]["tried"]
    assert shown["accelerator"]["usb_ids"] == ["1a6e:089a", "18d1:9302"]
    assert all(entry["source"].startswith("https://") for entry in shown["latencies"])


def test_an_unknown_board_is_an_error_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["boards", "show", "raspbery-pi-5"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "'raspberry-pi-5'" in error
    assert error_code(error) == "unknown-board"
