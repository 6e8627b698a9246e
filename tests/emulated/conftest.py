"""Emulated boards with the toolkit installed from its wheel, one per release of Debian."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import emulated_root
import pytest
from emulated_root import PYTHONS, Board, Root

from edge.installation import DISTRIBUTION

REPOSITORY = Path(__file__).resolve().parents[2]

DATA_FILES = ("mobilenet_v1_0.25_128_quant.tflite", "imagenet_labels.txt",
           "coco_ssd_mobilenet_v1_1.0_quant.tflite", "coco_ssd_labels.txt")  # fmt: skip
"""Real models and labels that are copied to the board."""

_GLIBC = (17, 27, 28, 31, 34)
"""Minor versions of glibc 2 whose wheels run on bookworm."""


@pytest.fixture(scope="session")
def board_cache() -> Path:
    named = os.environ.get("EDGE_BOARD_CACHE")
    return Path(named) if named else Path.home() / ".cache/edge-toolkit/boards"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the toolkit's wheel from these sources."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session", params=PYTHONS)
def board(
    request: pytest.FixtureRequest,
    board_cache: Path,
    wheel: Path,
    test_data: Path,
    micro_dataset: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Board]:
    """Set up the board, and report the duration."""
    reason = emulated_root.missing_requirements()
    if reason:
        pytest.fail(reason)
    release = request.param
    with emulated_root.root(release, board_cache) as root:
        wheels = tmp_path_factory.mktemp(f"wheels-{release}")
        _download(str(wheel), PYTHONS[release], wheels)
        board = Board(root, wheel, wheels)
        start = time.perf_counter()
        _install(board.root, wheels, "/opt/edge", DISTRIBUTION)
        _report(request, f"{release}: wheels installed in {time.perf_counter() - start:.0f} s")
        for name in DATA_FILES:
            root.copy_in(test_data / "models" / name, f"/data/{name}")
        root.copy_in(test_data / "images/cat_720p.jpg", "/data/images/cat.jpg")
        root.copy_in(test_data / "images/parrot.jpg", "/data/images/parrot.jpg")
        root.copy_in(test_data / "video/store-aisle.gif", "/data/people.gif")
        root.copy_in(micro_dataset, "/data/shapes")
        yield board


@pytest.fixture(scope="session")
def converting(board: Board, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An ``edge`` on the board in an environment with the extra "convert"."""
    wheels = tmp_path_factory.mktemp("wheels-convert")
    _download(f"{board.wheel}[convert]", PYTHONS[board.root.release], wheels)
    _install(board.root, wheels, "/opt/convert", f"{DISTRIBUTION}[convert]")
    return "/opt/convert/bin/edge"


def _download(requirement: str, python: str, folder: Path) -> None:
    """Download the board's wheels here, where that is fast."""
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in _GLIBC]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:",
         "--implementation=cp", f"--python-version={python}", "--platform=manylinux2014_aarch64",
         *platforms, f"--dest={folder}", requirement],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def _install(root: Root, wheels: Path, environment: str, requirement: str) -> None:
    root.copy_in(wheels, "/opt/wheels")
    root.run("python3", "-m", "venv", environment)
    root.run(
        f"{environment}/bin/pip", "install", "--quiet", "--no-index", "--no-compile",
        "--find-links=/opt/wheels", requirement,
    )  # fmt: skip
    shutil.rmtree(root.folder / "opt/wheels")


def _report(request: pytest.FixtureRequest, line: str) -> None:
    """Print a line on the terminal even if output is captured."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"{line} (emulated: times mean nothing)")
