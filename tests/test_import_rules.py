"""The rules of the house hold, and the check that guards them notices when they do not."""

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
    """The four packages, empty, with the project's contracts."""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "edge" / "tracking").mkdir()
    for module in (
        "edge/tracking/__init__.py",
        "converters/tf.py",
        "boards/profile.py",
        "boards/doctor.py",
    ):
        (tmp_path / module).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("converters/training.py", "import edge"),
        ("converters/training.py", "from boards import profile"),
        ("converters/tf.py", "import tensorflow"),
        ("converters/tf.py", "import tensorflow_model_optimization"),
        ("boards/doctor.py", "import edge"),
        ("edge/tracking/assignment.py", "def late():\n    import scipy.optimize"),
    ],
)
def test_an_allowed_import_passes(packages: Path, module: str, line: str) -> None:
    (packages / module).write_text(f"{line}\n")
    done = lint_imports(packages)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("edge/tasks/classify/model.py", "import converters"),
        ("edge/tasks/classify/model.py", "def late():\n    import tensorflow"),
        ("edge/tasks/classify/model.py", "import PIL"),
        ("edge/tracking/tracker.py", "import scipy.optimize"),
        ("converters/training.py", "import tensorflow"),
        ("converters/training.py", "import tensorflow_model_optimization"),
        ("converters/training.py", "import demos"),
        ("converters/training.py", "from boards import doctor"),
        ("demos/mirror.py", "import converters"),
        ("boards/doctor.py", "import converters"),
    ],
)
def test_a_forbidden_import_is_caught(packages: Path, module: str, line: str) -> None:
    (packages / module).write_text(f"{line}\n")
    done = lint_imports(packages)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
