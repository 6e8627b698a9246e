"""The distribution has a name of its own, one version, and install lines that name nothing else.

The project's former name on package indexes belongs to somebody else: installing it would run
their code.
"""

import re
import tomllib
from pathlib import Path

import pytest

import edge
from edge.installation import DISTRIBUTION
from edge.version import __version__

REPOSITORY = Path(__file__).resolve().parents[1]
FORMER = "edge" + "-toolkit"
FORMER_STEM = FORMER.replace("-", "_")

INSTALLABLE = re.compile(
    rf"{FORMER}\[|{FORMER} ?(==|>=|~=|@ )|name = \"{FORMER}\"|{FORMER_STEM}(-\d|\.egg)"
    rf"|(pip|uv|pipx)3? (install|download|wheel|add)\b[^\n&|;#]*[\s'\"]{FORMER}\b(?!/)"
    rf"|(install|update|upgrade) {FORMER}"
    rf"|(distribution|version|requires)\(\"{FORMER}"
)
"""The former name where an installer would take it; folders and prose may still be called so."""


def texts() -> list[Path]:
    """All text files of the project."""
    folders = ("edge", "converters", "demos", "boards", "tests", ".ci", ".github")
    paths = [path for name in folders for path in (REPOSITORY / name).rglob("*")]
    paths += [path for path in REPOSITORY.iterdir() if path.suffix in (".md", ".toml", ".lock")]
    binary = (".png", ".npz", ".pyc", ".h5", ".tflite")
    return [path for path in (*paths, REPOSITORY / "Makefile")
            if path.is_file() and path.suffix not in binary]  # fmt: skip


def test_the_former_name_is_nowhere_to_install() -> None:
    for path in texts():
        match = INSTALLABLE.search(path.read_text(errors="replace"))
        assert match is None, f"{path.relative_to(REPOSITORY)}: {match and match[0]}"


@pytest.mark.parametrize(
    "text",
    [
        f"pip install '{FORMER}[web]'", f"pip install {FORMER}", f'name = "{FORMER}"',
        f"~/edge/bin/pip install --quiet {FORMER}", f"{FORMER_STEM}-0.1.0-py3-none-any.whl",
        f"uv pip install --python ~/edge/bin/python {FORMER}", f'metadata.version("{FORMER}")',
    ],
)  # fmt: skip
def test_the_rule_bites(text: str) -> None:
    assert INSTALLABLE.search(text)


@pytest.mark.parametrize(
    "text", [f"~/.cache/{FORMER}/models", f"/opt/{FORMER}/current", f"The {FORMER} authors"]
)
def test_the_project_is_still_called_so(text: str) -> None:
    assert not INSTALLABLE.search(text)


def test_documents_install_from_the_sources_or_by_our_name() -> None:
    for path in REPOSITORY.glob("*.md"):
        for line in re.findall(r"pip install ('[^']+'|[^\s`]+)", path.read_text()):
            word = line.strip("'")
            assert word.startswith((".", DISTRIBUTION, "-")), f"{path.name}: pip install {line}"


def test_there_is_one_name_and_one_version() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["name"] == DISTRIBUTION
    assert project["dynamic"] == ["version"]
    assert edge.__version__ == __version__


def test_extras_refer_to_it_by_its_name() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    (everything,) = extras["all"]
    assert (
        everything
        == f"{DISTRIBUTION}[{','.join(name for name in extras if name not in ('all', 'dev'))}]"
    )
