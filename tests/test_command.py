"""The ``edge`` command as a whole: its help, its speed, its exit codes."""

import importlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from errors import error_code

from edge.cli import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[1]
HEAVY = ("numpy", "cv2", "tensorflow", "ai_edge_litert", "rich", "sklearn")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_shows_its_usage(run_here, name: str) -> None:
    done = run_here(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"Usage: edge {name}" in done.stdout
    assert "Examples:" in done.stdout


def test_the_help_lists_every_command_under_its_group(run_edge) -> None:
    parts = re.split(r"^(\w+):\n", run_edge("--help").stdout, flags=re.MULTILINE)
    under = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert list(under) == ["Options", "Make", "Run", "Check", "Boards"]
    for name, entry in COMMANDS.items():
        line = rf"^  {name} +{re.escape(entry.help)}$"
        assert re.search(line, under[entry.group], re.MULTILINE)


@pytest.mark.parametrize("arguments", [["--help"], ["convert", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from edge.cli import run; run(sys.argv[1:]);"
        f"print('LOADED', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_a_misspelled_command_suggests_the_nearest_and_exits_with_2(run_edge) -> None:
    done = run_edge("clasify")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert error_code(done.stderr) == "unknown-command"
    assert "edge classify" in done.stderr


def test_an_error_as_json_is_alone_on_stdout(run_edge) -> None:
    done = run_edge("convert", "no-such-folder", "--json")
    assert done.returncode == 2
    assert "no-such-folder" in json.loads(done.stdout)["error"]["found"]


def readme_commands() -> list[str]:
    """Each line ``edge …`` in the code blocks of the README."""
    readme = (REPOSITORY / "README.md").read_text()
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    texts = [text for language, text in blocks if language in ("", "sh")]
    lines = [line.partition("  #")[0].strip() for text in texts for line in text.splitlines()]
    return [line for line in lines if line.startswith("edge ")]


def test_the_readme_has_commands() -> None:
    assert {shlex.split(line)[1] for line in readme_commands()} == set(COMMANDS)


@pytest.mark.parametrize("line", readme_commands())
def test_readme_commands_are_accepted(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    module, _, function = COMMANDS[name].target.partition(":")
    command = getattr(importlib.import_module(module), function)
    assert isinstance(command, click.Command)
    command.make_context(name, arguments)  # raises where an option or argument is unknown
