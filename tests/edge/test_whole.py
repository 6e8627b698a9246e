"""Files appear whole, or not at all."""

import os
from pathlib import Path

import pytest
from errors import raises_code

from edge.cli import Terminated
from edge.files import write_atomic


def test_a_file_appears_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("earlier")
    write_atomic(tmp_path / "out.txt", "é")
    assert (tmp_path / "out.txt").read_bytes() == "é".encode()
    assert os.listdir(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated])
def test_stopped_halfway_it_leaves_the_earlier_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    (tmp_path / "out.txt").write_text("earlier")

    def half(path: Path, _: bytes) -> int:
        path.touch()
        raise stop

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(stop):
        write_atomic(tmp_path / "out.txt", "new")
    assert os.listdir(tmp_path) == ["out.txt"]
    assert (tmp_path / "out.txt").read_text() == "earlier"


@pytest.mark.parametrize("name", ["file/out.txt", "none/out.txt", "x" * 250])
def test_what_cannot_be_written_is_said_plainly(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with raises_code("output-not-writable", expected=name):
        write_atomic(tmp_path / name, "new")
