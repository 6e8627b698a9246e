"""Install commands follow from how the toolkit was installed (PEP 610), each kind of it."""

import json
import os
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from edge import installation
from edge.installation import Origin

NAME = "edge-vision-toolkit"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``installed(direct_url)`` lets the toolkit be installed so; None: without a record."""
    package = tmp_path / "site-packages/edge/installation.py"
    monkeypatch.setattr(installation, "__file__", str(package))
    monkeypatch.chdir(tmp_path)

    def install(direct_url: object) -> None:
        folder = tmp_path / "site-packages/edge_vision_toolkit-0.1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Name: {NAME}\nVersion: 0.1.0\n")
        if direct_url is not None:
            text = direct_url if isinstance(direct_url, str) else json.dumps(direct_url)
            (folder / "direct_url.json").write_text(text)
        distribution = metadata.Distribution.at(folder)
        monkeypatch.setattr(metadata, "distribution", {NAME: distribution}.__getitem__)

    return install


def words(*extras: str) -> list[str]:
    """The words that a shell makes of the requirement."""
    return shlex.split(installation.requirement(*extras))


@pytest.mark.parametrize(
    "record",
    [
        None, "no JSON", "[]", {}, {"url": "file:///gone.whl", "archive_info": {}},
        {"url": "file:///gone", "dir_info": {"editable": True}},
        {"url": "https://example.org/repository.git", "vcs_info": {"vcs": "git"}},
    ],
)  # fmt: skip
def test_without_a_usable_record_it_is_the_index(installed: Any, record: object) -> None:
    installed(record)
    assert installation.origin() == Origin("index")
    assert words() == [NAME]
    assert words("web", "mqtt") == [f"{NAME}[web,mqtt]"]


def test_what_is_not_installed_at_all_comes_from_the_index(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(installation, "__file__", str(tmp_path / "edge/installation.py"))
    monkeypatch.setattr(metadata, "distribution", missing)
    assert words("web") == [f"{NAME}[web]"]


@pytest.mark.parametrize("editable", [True, False])
def test_a_folder(installed: Any, tmp_path: Path, editable: bool) -> None:
    folder = tmp_path / "my sources"
    folder.mkdir()
    installed({"url": folder.as_uri(), "dir_info": {"editable": True} if editable else {}})
    options = ["-e"] if editable else []
    assert words("web") == [*options, f"{folder}[web]"]
    assert words() == [*options, str(folder)]
    os.chdir(folder)
    assert words("web") == [*options, ".[web]"]
    assert words() == [*options, "."]


def test_a_project_in_a_folder_of_a_folder(installed: Any, tmp_path: Path) -> None:
    (tmp_path / "all/toolkit").mkdir(parents=True)
    url = (tmp_path / "all").as_uri()
    installed({"url": url, "dir_info": {}, "subdirectory": "toolkit"})
    assert words() == [str(tmp_path / "all/toolkit")]


def test_a_wheel(installed: Any, tmp_path: Path) -> None:
    wheel = tmp_path / "of me/edge_vision_toolkit-0.1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    installed({"url": wheel.as_uri(), "archive_info": {"hashes": {"sha256": "00"}}})
    assert words("pose") == [f"{NAME}[pose] @ {wheel.as_uri()}"]
    assert installation.board_source().file == shlex.quote(str(wheel))
    assert installation.board_source().requirement == f"./{wheel.name}"


def test_an_archive_on_the_web(installed: Any) -> None:
    url = "https://example.org/edge_vision_toolkit-0.1.0.tar.gz"
    installed({"url": url, "archive_info": {}})
    assert words("pose") == [f"{NAME}[pose] @ {url}"]
    assert installation.board_source() == installation.BoardSource(url)


@pytest.mark.parametrize("subdirectory", ["", "toolkit"])
def test_a_repository(installed: Any, subdirectory: str) -> None:
    url = "https://example.org/repository.git"
    vcs = {"vcs": "git", "requested_revision": "main", "commit_id": "0123abc"}
    record = {"url": url, "vcs_info": vcs}
    installed(record | ({"subdirectory": subdirectory} if subdirectory else {}))
    address = f"git+{url}@0123abc" + (f"#subdirectory={subdirectory}" if subdirectory else "")
    assert words("web") == [f"{NAME}[web] @ {address}"]
    assert shlex.split(installation.board_source().requirement) == [address]


def test_sources_come_before_what_is_recorded(installed: Any, tmp_path: Path) -> None:
    """Code that runs in a checkout is not what was installed by another way."""
    installed(None)
    (tmp_path / "site-packages/pyproject.toml").write_text(f'[project]\nname = "{NAME}"\n')
    assert words("web") == ["-e", f"{tmp_path}/site-packages[web]"]
    assert installation.board_source().requirement == f"./{installation.WHEEL}"
    assert "wheel --no-deps" in installation.board_source().build


def test_the_pip_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin/python"))
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert installation.install_command().startswith(f"{tmp_path}/bin/python -m pip install ")
    (tmp_path / "bin/pip").touch(mode=0o755)
    assert installation.install_command().startswith("pip install ")
    monkeypatch.setattr(installation.util, "find_spec", {"pip": None}.__getitem__)
    command = installation.install_command()
    assert command.startswith(f"uv pip install --python {tmp_path}/bin/python ")
