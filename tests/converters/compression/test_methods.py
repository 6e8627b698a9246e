"""The registry of recipe methods: one record reaches help, checks and feedback."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conversion import Conversion
from errors import raises_code

from converters.commands.compress import compress
from converters.commands.convert import convert
from converters.compression import methods, recipe
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.methods import Method
from converters.selection.recipe_feedback import with_gains
from converters.tflite import Variant

README = Path(__file__).parents[3] / "README.md"


@dataclass(frozen=True, slots=True)
class TernaryOptions:
    threshold: float = 0.5


def run_ternary(state: RecipeState, options: TernaryOptions, context: RecipeContext) -> RecipeState:
    return state


TERNARY = Method(
    kind="quantize",
    name="ternary",
    help="weights of -1, 0 and 1",
    options=TernaryOptions,
    run=run_ternary,
    computes_in="float32",
    no_speedup_because="no kernel computes with ternary weights",
)


@pytest.fixture
def ternary(monkeypatch: pytest.MonkeyPatch) -> Method:
    monkeypatch.setattr(methods, "METHODS", (*methods.METHODS, TERNARY))
    return TERNARY


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.usefixtures("ternary")
def test_a_new_method_is_in_the_help_with_its_keys() -> None:
    text = words(CliRunner().invoke(compress, ["--help"]).output)
    assert f"quantize {TERNARY.name} {TERNARY.help}; keys threshold" in text


@pytest.mark.usefixtures("ternary")
def test_a_new_method_is_read_in_recipes_and_suggested(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[[steps]]\nstep = "quantize"\nmethod = "ternary"\nthreshold = 0.25\n')
    assert recipe.load(str(path)).steps[0].options == TernaryOptions(0.25)
    path.write_text('[[steps]]\nstep = "quantize"\nmethod = "ternery"\n')
    with raises_code("recipe-unknown-method", expected="ternary", fix="'ternary'"):
        recipe.load(str(path))


@pytest.mark.usefixtures("ternary")
def test_a_new_method_ends_a_recipe_like_any_that_writes_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    step = '[[steps]]\nstep = "quantize"\nmethod = "ternary"\n'
    path.write_text(step + step)
    with raises_code("recipe-step-order", found="quantize ternary, then quantize ternary"):
        recipe.load(str(path))


@pytest.mark.usefixtures("ternary")
def test_a_new_method_has_its_baseline_and_its_reason_in_the_feedback() -> None:
    float32 = next(v for v in Conversion().result().variants if v.name == "float32")
    steps = ({"step": "quantize", "method": "ternary"},)
    predictions = replace(float32.predictions, variant=Variant("own", b"", "own", (), steps))
    judged = with_gains((float32, replace(float32, predictions=predictions)))
    assert "float32" in str(judged[1].gain)
    assert str(TERNARY.no_speedup_because) in str(judged[1].gain)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"computes_in": None}, "computes_in"),
        ({"kind": "prune"}, "computes_in"),
        ({"kind": "prunes"}, "kind"),
        ({"help": ""}, "help"),
    ],
)
def test_an_incomplete_record_names_what_is_missing(change: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValueError) as raised:
        replace(TERNARY, **change)
    assert missing in str(raised.value)
    assert TERNARY.name in str(raised.value)


def test_methods_are_unique() -> None:
    assert len(methods.by_key()) == len(methods.METHODS)


@pytest.mark.parametrize("name", recipe.names())
def test_shipped_recipes_are_in_the_help_and_the_readme(name: str) -> None:
    for command in (convert, compress):
        help_text = CliRunner().invoke(command, ["--help"]).output
        assert name in "".join(help_text.split())  # lines may be broken at hyphens
    assert f"`{name}`" in README.read_text(encoding="utf-8")
