"""What a user gets from the wheel, and a packager from the source archive."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("edge", "converters", "demos", "boards")
FILES = (
    "pyproject.toml", "README.md", "LICENSE", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md",
    "MANIFEST.in", "Makefile", ".gitignore", "conftest.py", "requirements-3.11.lock",
    "requirements-3.12.lock", "requirements-convert.lock",
)  # fmt: skip


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, so that building leaves nothing in the repository."""
    place = tmp_path_factory.mktemp("sources")
    for name in (*PACKAGES, "tests", ".ci", ".github"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, place / name, ignore=ignore)
    for name in FILES:
        shutil.copy(REPOSITORY / name, place)
    return place


@pytest.fixture(scope="module")
def built(sources: Path) -> Path:
    """The folder with the source archive, and the wheel that was built from it."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist"]
    done = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    complaints = [line for line in output.splitlines() if "no files found" in line]
    assert not complaints
    return sources / "dist"


@pytest.fixture(scope="module")
def wheel_names(built: Path) -> list[str]:
    (wheel,) = built.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


@pytest.fixture(scope="module")
def archive_names(built: Path) -> set[str]:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        return {name.partition("/")[2] for name in opened.getnames()}


def test_a_package_index_would_take_them(built: Path) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, built.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_the_source_archive_is_the_whole_project(sources: Path, archive_names: set[str]) -> None:
    """So that ``make test`` works in it."""
    expected = {
        path.relative_to(sources).as_posix()
        for name in (*PACKAGES, *FILES, "tests", ".ci", ".github")
        for path in [sources / name, *(sources / name).rglob("*")]
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected - archive_names == set()


def test_the_wheel_holds_the_four_packages_and_nothing_else(wheel_names: list[str]) -> None:
    top = {name.partition("/")[0] for name in wheel_names}
    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)


def test_every_module_and_data_file_ships(sources: Path, wheel_names: list[str]) -> None:
    expected = {
        path.relative_to(sources).as_posix()
        for package in PACKAGES
        for path in (sources / package).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    assert expected
    assert expected <= set(wheel_names)


def test_the_license_ships(wheel_names: list[str]) -> None:
    assert any(name.endswith("/licenses/LICENSE") for name in wheel_names)
