"""The import contracts in pyproject.toml catch each kind of forbidden import."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("edge", "converters", "demos", "boards")


def lint_imports(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run import-linter with the project's contracts on the packages in ``folder``."""
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    return subprocess.run(
        [program, "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """The modules of the four packages, all empty, with the project's contracts."""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        for module in (REPOSITORY / package).rglob("*.py"):
            copy = tmp_path / module.relative_to(REPOSITORY)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("converters/training/fit.py", "import edge"),
        ("converters/training/fit.py", "from boards import profile"),
        ("converters/tf.py", "import tensorflow"),
        ("converters/tf.py", "import tensorflow_model_optimization"),
        ("boards/doctor/health.py", "import edge"),
        ("edge/tracking/assignment.py", "def late():\n    import scipy.optimize"),
        ("edge/session.py", "from edge import sinks, tasks"),
        ("demos/classify.py", "import edge\nfrom edge.commands import options, stream_options"),
        ("edge/sinks/video.py", "from edge.streaming import stream"),
    ],
)
def test_an_allowed_import_passes(packages: Path, module: str, line: str) -> None:
    (packages / module).write_text(f"{line}\n")
    done = lint_imports(packages)
    assert done.returncode == 0, done.stdout


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
def test_a_forbidden_import_is_caught(packages: Path, module: str, line: str) -> None:
    (packages / module).write_text(f"{line}\n")
    done = lint_imports(packages)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout


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
        ("edge/tasks/settings.py", "from edge.tasks import task"),
        ("edge/new.py", "x = 1"),
        ("converters/tf.py", "from converters import tflite"),
        ("converters/verification/metrics.py", "from converters.compress import recipe"),
        ("converters/compress/recipe.py", "def late():\n    from converters import pipeline"),
        ("converters/report/model.py", "from converters import commands"),
        ("converters/new.py", "x = 1"),
    ],
)
def test_an_upward_import_is_caught(packages: Path, module: str, line: str) -> None:
    (packages / module).write_text(f"{line}\n")
    done = lint_imports(packages)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("edge/modelfile/metadata.py", "edge/modelfile/metadata_writer.py"),
        ("boards/doctor/health.py", "boards/deploy/fleet.py"),
    ],
)
def test_a_circle_is_caught(packages: Path, first: str, second: str) -> None:
    names = [path.removesuffix(".py").replace("/", ".") for path in (first, second)]
    (packages / first).write_text(f"import {names[1]}\n")
    assert lint_imports(packages).returncode == 0
    (packages / second).write_text(f"import {names[0]}\n")
    done = lint_imports(packages)
    assert done.returncode == 1
    assert "No cycles" in done.stdout
