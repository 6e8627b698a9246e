"""The output for Ansible; test_steps_real.py runs it."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from errors import error_code
from ssh_board import Workstation

from .conftest import RUN, Edge


def test_the_inventory_has_hosts_canaries_and_the_key(
    edge: Edge, workstation: Workstation, out: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "fleet"
    words = ["deploy", out, "pi@one:2222", "two", "--run", RUN, "--ansible", folder]
    assert edge(*words).code == 0
    assert edge(*words, "--canary", 1, "-i", workstation.key).code == 0, (
        "an earlier one is replaced"
    )
    group = json.loads((folder / "inventory.yml").read_text())["edge"]
    assert group["hosts"] == {
        "pi@one:2222": {"ansible_host": "one", "ansible_user": "pi", "ansible_port": "2222"},
        "two": {"ansible_host": "two"},
    }
    assert group["vars"]["edge_serial"] == [1, "100%"]
    assert group["vars"]["ansible_ssh_private_key_file"] == str(workstation.key)
    release = json.loads((folder / "release.yml").read_text())["edge_release"]
    with tarfile.open(fileobj=io.BytesIO((folder / "release.tar").read_bytes())) as tar:
        assert {"SHA256SUMS", "model.tflite", "run"} <= set(tar.getnames())
    assert len(release) == 12


@pytest.mark.parametrize(
    ("name", "more", "error"),
    [
        ("full", (), "output-folder-not-empty"),
        ("full/file", (), "output-not-writable"),
        ("new", ("--offline",), "conflicting-options"),
        ("new", ("--json",), "conflicting-options"),
    ],
)
def test_bad_input_writes_nothing(
    edge: Edge, workstation: Workstation, out: Path, tmp_path: Path,
    name: str, more: tuple[str, ...], error: str,
) -> None:  # fmt: skip
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("mine")
    result = edge("deploy", out, "pi@one", "--run", RUN, "--ansible", tmp_path / name, *more)
    assert (result.code, error_code(result.err)) == (2, error), result.err
    assert all(option in result.err for option in more)
    assert {path.name for path in tmp_path.rglob("*")} == {"full", "file"}
