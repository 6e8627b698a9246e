"""The Python API of ``converters``: one function per command, with the same options."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import api_stub
import click
import pytest
from conversion import Conversion
from errors import raises_code

import converters
from converters import api, pipeline
from converters.commands.compile import compile_
from converters.commands.compress import compress
from converters.commands.convert import convert
from converters.report.model import Report
from converters.tasks import TASKS
from edge import cli

DATA = Path(__file__).parent / "report/data"
ONLY_IN_PYTHON = {"progress", "command", "minimums"}
MINIMUMS = {entry.minimum[2:].replace("-", "_") for entry in TASKS.values()}
"""Of the tasks' metrics: "minimums" takes them all."""
ONLY_ON_THE_COMMAND_LINE = {"as_json", "docker_recipe"} | (MINIMUMS - {"min_accuracy"})


@pytest.mark.parametrize(
    ("command", "function"),
    [(convert, api.convert), (compress, api.compress), (compile_, api.compile_edgetpu)],
)
def test_the_options_are_those_of_the_command(
    command: click.Command, function: Callable[..., Any]
) -> None:
    parameters = inspect.signature(function).parameters
    options = {option.name: option for option in command.params}
    assert parameters.keys() - ONLY_IN_PYTHON == options.keys() - ONLY_ON_THE_COMMAND_LINE
    for name, parameter in parameters.items():
        if parameter.default is not parameter.empty and name not in ONLY_IN_PYTHON | {"recipes"}:
            default = options[name].get_default(click.Context(command))
            if isinstance(default, Enum):  # how click says that there is none
                default = None
            assert (default or None) == (parameter.default or None), name


def test_the_stub_is_generated_from_the_table() -> None:
    text = api_stub.stub(converters).read_text(encoding="utf-8")
    assert text == api_stub.render(converters), "run: make snapshot"


def test_every_public_name_exists_and_is_listed() -> None:
    for name in converters.__all__:
        assert callable(getattr(converters, name)), "a subpackage hides it"
    assert set(converters.__all__) <= set(dir(converters))
    with pytest.raises(AttributeError):
        converters.no_such_name  # noqa: B018


def test_the_api_is_imported_without_tensorflow() -> None:
    code = (
        "import sys, converters; [getattr(converters, name) for name in converters.__all__]; "
        "sys.exit(str({'tensorflow', 'tf_keras', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set()"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The settings that the pipeline is called with, instead of a conversion."""
    calls: list[Any] = []

    def record(settings: Any, progress: object) -> Report:
        calls.append(settings)
        return Conversion().report()

    monkeypatch.setattr(pipeline, "convert", record)
    monkeypatch.setattr(pipeline, "compress", record)
    return calls


def test_a_conversion_has_the_settings_of_the_command(settings: list[Any], tmp_path: Path) -> None:
    report = converters.convert(
        tmp_path / "photos", tmp_path / "out", weights="builtin", recipes=["channels-50"],
        board="raspberry-pi-zero-2-w", max_latency=5, augment="flip", seed=3, force=True,
    )  # fmt: skip
    assert report.success and report.chosen_variant.name == "int8"
    cli.run(
        ["convert", str(tmp_path / "photos"), "-o", str(tmp_path / "out"), "--weights", "builtin",
         "--recipe", "channels-50", "--board", "raspberry-pi-zero-2-w", "--max-latency", "5",
         "--augment", "flip", "--seed", "3", "--force"]
    )  # fmt: skip
    called, typed = settings
    assert called.to_dict() == typed.to_dict()
    assert (called.out, called.force, called.size) == (typed.out, True, 160)
    assert called.plan.limits == typed.plan.limits
    assert called.command.startswith("converters.convert(")


def test_an_earlier_result_is_compressed(settings: list[Any], tmp_path: Path) -> None:
    converters.compress(tmp_path / "old", tmp_path / "new", recipes=["float16"], data=tmp_path)
    (given,) = settings
    assert (given.source, given.out, given.data) == (tmp_path / "old", tmp_path / "new", tmp_path)
    assert given.plan.preferred == "float16"


def test_a_wrong_option_is_refused(tmp_path: Path) -> None:
    with raises_code("unknown-recipe", found="chanels-50"):
        converters.convert(tmp_path, tmp_path / "out", recipes=["chanels-50"])
    with raises_code("not-a-list", fix="use ['channels-50']"):
        converters.convert(tmp_path, tmp_path / "out", recipes="channels-50")
    with raises_code("option-out-of-range", expected="--seed"):
        converters.convert(tmp_path, tmp_path / "out", seed=-1)
    with raises_code("option-out-of-range", expected="--budget"):
        converters.convert(tmp_path, tmp_path / "out", budget=float("nan"))
    for drop in (-1.0, float("nan")):
        with raises_code("option-out-of-range", expected="--max-drop"):
            converters.convert(tmp_path, tmp_path / "out", max_drop=drop)
    with raises_code("unknown-augmentation", found="flop"):
        converters.convert(tmp_path, tmp_path / "out", augment="flop")


def test_results_are_compared() -> None:
    paths = [DATA / "convert-0.1.0.json", DATA / "compress-0.1.0.json"]
    compared = converters.compare(DATA / "convert-0.1.0.json", sort="size")
    assert [entry.row.name for entry in compared.entries] == ["int8", "float16", "float32"]
    with raises_code("missing-argument"):
        converters.compare()
    with raises_code("unknown-option-value", found="speed"):
        converters.compare(paths[0], sort="speed")


def test_a_model_is_checked_for_the_edge_tpu(tmp_path: Path) -> None:
    from tiny_models import color_model

    path = tmp_path / "model.tflite"
    path.write_bytes(color_model("int8"))
    assert converters.check_edgetpu(path).operations
    with raises_code("output-path-conflict"):
        converters.compile_edgetpu(path, path)
