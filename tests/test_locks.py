"""The lock files install the same packages from whatever index a user has."""

import re
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
CONVERT = "requirements-convert.lock"
LOCKS = ("requirements-3.11.lock", "requirements-3.12.lock", CONVERT)
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = (
    "x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
)  # fmt: skip
EVERYTHING = ("convert", "train", "tflite-runtime", "pose", "track", "mqtt", "web", "deploy", "dev")


def wanted(lock: str) -> set[str]:
    """Names of the packages that pyproject.toml asks for on the Linux x86-64 of ``lock``."""
    configuration = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    project = configuration["project"]
    lines = [*project["dependencies"], *configuration["build-system"]["requires"]]
    for extra in ("convert", "web") if lock == CONVERT else EVERYTHING:
        lines += project["optional-dependencies"][extra]
    lines = [line for line in lines if "== 'aarch64'" not in line]
    if lock == "requirements-3.12.lock":
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
    assert wanted(lock) <= {entry.partition("==")[0] for entry in entries}


def test_the_light_lock_brings_no_training() -> None:
    heavy = r"^(tensorflow|keras|tf-keras|scipy|scikit-learn|mediapipe|pytest)\b"
    assert not re.search(heavy, (REPOSITORY / CONVERT).read_text(), re.MULTILINE)


def on_all_platforms(*arguments: str) -> list["subprocess.CompletedProcess[str]"]:
    """Run ``uv pip ARGUMENTS`` for every platform at once: most of it waits for the index."""
    from uv import find_uv_bin

    def run(platform: str) -> "subprocess.CompletedProcess[str]":
        command = [find_uv_bin(), "pip", *arguments, "--python-platform", platform]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(run, PLATFORMS))


@pytest.mark.network
@pytest.mark.parametrize("python", (PYTHONS[0], PYTHONS[-1]))
def test_the_newest_versions_of_the_light_installs_have_wheels(python: str) -> None:
    extras = ("--extra", "convert", "--extra", "web")
    for done in on_all_platforms("compile", "pyproject.toml", *extras, "--only-binary", ":all:",
                                 "--python-version", python):  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "ai-edge-litert==" in done.stdout
        assert "tensorflow==" not in done.stdout


@pytest.mark.network
@pytest.mark.parametrize("python", PYTHONS)
def test_the_light_lock_has_wheels_with_its_hashes(python: str, tmp_path: Path) -> None:
    for done in on_all_platforms("install", "--no-config", "--dry-run", "--require-hashes",
                                 "--only-binary", ":all:", "--target", str(tmp_path / "target"),
                                 "--python-version", python, "-r", CONVERT):  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "ai-edge-litert==" in done.stderr
