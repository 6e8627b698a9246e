"""Wheels for another machine, from a folder that stands in for the index."""

import zipfile
from pathlib import Path

import pytest
from errors import raises_code

from boards.deploy import wheel
from boards.deploy.environment import Environment, fetch_wheels
from boards.deploy.ssh import BoardAddress
from boards.deploy.target import PythonInstall, Target

BASE = {"ai-edge-litert", "click", "numpy", "opencv-python", "rich"}
"""Requirements of edge-toolkit itself."""


def index(folder: Path, *packages: tuple[str, str, str]) -> None:
    """Create empty wheels: name, tag and requirement."""
    for name, tag, requires in packages:
        version = "4.99" if name == "opencv-python" else "99.0"
        stem = f"{name.replace('-', '_')}-{version}"
        with zipfile.ZipFile(folder / f"{stem}-{tag}.whl", "w") as archive:
            line = f"Requires-Dist: {requires}\n" if requires else ""
            metadata = f"{stem}.dist-info"
            archive.writestr(
                f"{metadata}/METADATA",
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{line}",
            )
            archive.writestr(f"{metadata}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
            archive.writestr(f"{metadata}/RECORD", "")


def board(libc: str = "glibc 2.36") -> Target:
    return Target(
        address=BoardAddress.parse("pi@camera"), mode="user", uid="1000",
        root="/home/pi/edge-toolkit", units="", machine="aarch64", bits="64", libc=libc,
        system="Debian", model="", systemd=True, pythons=(), free_kib=0, current="",
        environment="", unit="", state="", environments=(), complete_release="",
    )  # fmt: skip


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    arm = "cp313-cp313-manylinux_2_28_aarch64"
    index(
        tmp_path,
        *((name, "py3-none-any", "") for name in BASE - {"numpy", "rich"}),
        ("numpy", arm, ""),
        ("numpy", "cp313-cp313-manylinux_2_28_x86_64", ""),
        ("numpy", "cp311-cp311-manylinux_2_28_aarch64", ""),
        # The markers give different results for this machine and for the board.
        ("rich", "py3-none-any", "only-on-boards; platform_machine == 'aarch64'"),
        ("only-on-boards", arm, ""),
    )
    return tmp_path


def fetch(python: str = "3.13", libc: str = "glibc 2.36") -> set[str]:
    environment = Environment(
        "", PythonInstall("python3", python, True), False, (f"./{wheel.build_own_wheel().name}",)
    )
    return set(fetch_wheels(board(libc), environment, ()))


def test_the_wheels_fit_the_board_and_are_complete(packages: Path) -> None:
    names = fetch()
    assert {name.split("-")[0].replace("_", "-") for name in names} == BASE | {"only-on-boards"}
    assert "numpy-99.0-cp313-cp313-manylinux_2_28_aarch64.whl" in names


def test_an_old_system_has_no_wheels(packages: Path) -> None:
    with raises_code("wheels-not-found", expected="aarch64, Python 3.13 and glibc 2.27"):
        fetch(libc="glibc 2.27")


@pytest.mark.network
@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_wheels_from_the_real_index(python: str) -> None:
    assert len(fetch(python)) >= len(BASE)
