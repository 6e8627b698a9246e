"""Commands that are shown can be pasted."""

import subprocess
from pathlib import Path

import pytest

from edge import next_steps
from edge.next_steps import NextStep, command_line


@pytest.mark.parametrize("name", ["my photos", "it's", "a\nb", "-x", "$HOME;ls", "caf\udce9", "ß"])
def test_a_shell_reads_back_what_was_quoted(tmp_path, name):
    (tmp_path / name).touch()
    command = command_line("ls", "-d", Path(name), Path("*"))
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert done.stdout.count(b"\n") >= 1, done.stderr
    assert b"'*'" in done.stderr  # quoted, too


def test_nothing_is_shown_without_a_step():
    assert list(next_steps.lines(())) == []
    shown = list(next_steps.lines((NextStep("try it", "edge bench m"), NextStep("think"))))
    assert shown == ["Next:", "  try it", "    edge bench m", "  think"]
    (_, first, second) = next_steps.lines([NextStep("word " * 20)])
    assert first == f"  {('word ' * 15).strip()}" and second == f"  {('word ' * 5).strip()}"
