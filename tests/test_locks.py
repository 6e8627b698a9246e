"""The lock files install the same packages from whatever index a user has."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
LOCKS = ("requirements-3.11.lock", "requirements-3.12.lock")
PROCESSORS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")


def wanted(python: str) -> set[str]:
    """Names of the packages that pyproject.toml asks for on a Linux x86-64 with ``python``."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = list(project["dependencies"])
    for extra in ("convert", "tflite-runtime", "pose", "track", "dev"):
        lines += extras[extra]
    lines = [line for line in lines if "== 'aarch64'" not in line]
    if python == "3.12":
        lines = [line for line in lines if "python_version < '3.12'" not in line]
    return {re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0].lower() for line in lines}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index(lock: str) -> None:
    text = (REPOSITORY / lock).read_text()
    assert not re.search(r"://|--index|--extra-index|--find-links|--trusted-host| @ ", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_with_hashes_all_that_the_project_wants(lock: str) -> None:
    entries = re.split(r"\n(?=[a-z])", (REPOSITORY / lock).read_text().strip())
    without_hash = [entry for entry in entries if "--hash=sha256:" not in entry]
    assert not without_hash
    pinned = {entry.partition("==")[0] for entry in entries}
    python = lock.removeprefix("requirements-").removesuffix(".lock")
    assert wanted(python) <= pinned


@pytest.mark.network
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("processor", PROCESSORS)
def test_the_base_install_resolves_to_wheels(python: str, processor: str) -> None:
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", "compile", "pyproject.toml", "--only-binary", ":all:",
               "--python-version", python, "--python-platform", processor]  # fmt: skip
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ai-edge-litert==" in done.stdout
    assert "tensorflow==" not in done.stdout
