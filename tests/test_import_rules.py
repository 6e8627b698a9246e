"""The import contracts in pyproject.toml catch each kind of forbidden import."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("edge", "converters", "demos", "boards")

LINTER = """
import contextlib, io, json, sys
from importlinter.cli import lint_imports

for line in sys.stdin:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = lint_imports(no_cache=True)
    print(json.dumps([code, output.getvalue()]), flush=True)
"""
"""Run import-linter once for each line of stdin; starting it anew for each would take longer."""


class Linter:
    """import-linter with the project's contracts, on copies of its modules, which are empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = subprocess.Popen(
            [sys.executable, "-c", LINTER],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *modules: tuple[str, str]) -> tuple[int, str]:
        """Return exit code and output with these modules (path, text) in the packages."""
        for path, text in modules:
            (self._folder / path).write_text(f"{text}\n")
        assert self._program.stdin is not None and self._program.stdout is not None
        self._program.stdin.write("\n")
        self._program.stdin.flush()
        code, output = json.loads(self._program.stdout.readline())
        for path, _ in modules:
            if (REPOSITORY / path).is_file():
                (self._folder / path).write_text("")
            else:
                (self._folder / path).unlink()
        return code, output

    def close(self) -> None:
        """End the program."""
        self._program.communicate()


@pytest.fixture(scope="module")
def linter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linter]:
    """A linter of the four packages."""
    folder = tmp_path_factory.mktemp("packages")
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    for package in PACKAGES:
        for module in (REPOSITORY / package).rglob("*.py"):
            copy = folder / module.relative_to(REPOSITORY)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()
    linter = Linter(folder)
    yield linter
    linter.close()


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("converters/training/fit.py", "import edge"),
        ("converters/training/fit.py", "from boards import profile"),
        ("converters/tf.py", "import tensorflow"),
        ("converters/tf.py", "import tensorflow_model_optimization"),
        ("boards/doctor/health.py", "import edge"),
        ("edge/tracking/matching.py", "def late():\n    import scipy.optimize"),
        ("edge/session.py", "from edge import sinks, tasks"),
        ("demos/classify.py", "import edge\nfrom edge.commands import options, stream_options"),
        ("edge/sinks/video.py", "from edge.streaming import stream"),
    ],
)
def test_an_allowed_import_passes(linter: Linter, module: str, line: str) -> None:
    code, output = linter.run((module, line))
    assert code == 0, output


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("edge/tasks/classify/classifier.py", "import converters"),
        ("edge/tasks/classify/classifier.py", "def late():\n    import tensorflow"),
        ("edge/tasks/classify/classifier.py", "import PIL"),
        ("edge/tracking/tracker.py", "import scipy.optimize"),
        ("converters/training/fit.py", "import tensorflow"),
        ("converters/training/fit.py", "import tensorflow_model_optimization"),
        ("converters/training/fit.py", "import demos"),
        ("converters/training/fit.py", "from boards import doctor"),
        ("demos/classify.py", "import converters"),
        ("demos/classify.py", "from edge.tasks.classify import classifier"),
        ("demos/classify.py", "from edge.commands import demo"),
        ("demos/classify.py", "def late():\n    from edge.errors import UsageError"),
        ("boards/doctor/health.py", "import converters"),
    ],
)
def test_a_forbidden_import_is_caught(linter: Linter, module: str, line: str) -> None:
    code, output = linter.run((module, line))
    assert code == 1
    assert "BROKEN" in output


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("edge/errors.py", "from edge import files"),
        ("edge/tracking/tracker.py", "from edge.tasks import task"),
        ("edge/tasks/task.py", "def late():\n    from edge.streaming import sink"),
        ("edge/streaming/stream.py", "from edge.sinks import video"),
        ("edge/sinks/video.py", "from edge import session"),
        ("edge/session.py", "from edge.commands import bench"),
        ("edge/draw/boxes.py", "from edge import tracking"),
        ("edge/tasks/detect/detector.py", "from edge.tasks import track"),
        ("edge/tasks/task.py", "from edge.tasks import loading"),
        ("edge/new.py", "x = 1"),
        ("converters/tf.py", "from converters import tflite"),
        ("converters/verification/evaluate.py", "from converters.compression import recipe"),
        ("converters/compression/recipe.py", "def late():\n    from converters import pipeline"),
        ("converters/report/model.py", "from converters import commands"),
        ("converters/new.py", "x = 1"),
    ],
)
def test_an_upward_import_is_caught(linter: Linter, module: str, line: str) -> None:
    code, output = linter.run((module, line))
    assert code == 1
    assert "BROKEN" in output


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("edge/modelfile/metadata.py", "edge/modelfile/metadata_writer.py"),
        ("boards/doctor/health.py", "boards/deploy/fleet.py"),
    ],
)
def test_a_circle_is_caught(linter: Linter, first: str, second: str) -> None:
    names = [path.removesuffix(".py").replace("/", ".") for path in (first, second)]
    down, up = (first, f"import {names[1]}"), (second, f"import {names[0]}")
    assert linter.run(down)[0] == 0
    code, output = linter.run(down, up)
    assert code == 1
    assert "No cycles" in output
