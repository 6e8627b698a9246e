"""The records of tasks, and everything that is derived from them."""

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

import demos
import edge
from edge.registry.catalog import entries
from edge.task_kinds import TASKS, model_tasks

ROOT = Path(__file__).resolve().parents[2]
FAKE = """
from edge.task_kinds import TASKS, TaskKind
TASKS["fake"] = TaskKind(
    "edge:Classifier", "demos.classify:main", "Fake a task.", "faked", extra="mqtt"
)
"""


def target(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", FAKE + program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout


@pytest.mark.parametrize("name", TASKS)
def test_each_record_is_complete(name: str) -> None:
    kind = TASKS[name]
    task, demo = target(kind.open), target(kind.demo)
    assert getattr(edge, task.__name__) is task, "the table of exports in edge/__init__.py lacks it"
    assert task.__dataclass_fields__["name"].default == name
    assert callable(task.open)
    assert callable(task.predict)
    assert isinstance(demo, click.Command)
    assert demo.name == name
    assert kind.help.endswith(".")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert kind.extra is None or kind.extra in extras
    models = {entry.name: entry.task for entry in entries().values()}
    assert kind.model_task in models.values(), "no model of the registry has this task"
    assert kind.default_model is None or models[kind.default_model] == kind.model_task


def test_every_demo_is_of_a_task() -> None:
    modules = {path.stem for path in Path(demos.__file__).parent.glob("*.py")} - {"__init__"}
    assert {
        kind.demo.partition(":")[0].removeprefix("demos.") for kind in TASKS.values()
    } == modules


@pytest.mark.parametrize("name", TASKS)
def test_the_readme_lists_each_task(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "README.md").read_text()


def test_help_lists_a_new_task() -> None:
    lines = run("from edge.cli import run; run(['demo', '--help'])").splitlines()
    assert "fake Fake a task." in [" ".join(line.split()) for line in lines]


def test_a_deployment_installs_what_a_new_task_needs() -> None:
    program = "from boards.deploy.run_command import parse; print(parse('demo fake').extras)"
    assert run(program).strip() == "('mqtt',)"


def test_models_of_a_new_task_are_listed() -> None:
    assert "faked" not in model_tasks()
    program = "from edge.cli import run; run(['models', 'list', '--task', 'faked', '--json'])"
    assert run(program).strip() == "[]"


def test_the_page_names_a_new_task(tmp_path: Path) -> None:
    for needed in ("starlette", "uvicorn", "websockets", "httpx"):
        pytest.importorskip(needed)
    import httpx
    import pages
    from streams import MeanTask

    task = MeanTask()
    task.name = "fake"
    with pages.page(tmp_path, task=task) as page:
        assert httpx.get(f"{page.url}/api/state").json()["task"] == "fake"
