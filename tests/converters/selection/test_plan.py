"""What shall be made is checked before anything is."""

from pathlib import Path

import pytest
from errors import raises_code

from converters.selection import plan
from converters.selection.select import Limits

RECIPE = '[[steps]]\nstep = "quantize"\nmethod = "int8"\n'


def planned_for(*names: str, precision: float | None = None) -> plan.CompressionPlan:
    return plan.make_plan(names, Limits(), precision, 2.0)


def test_what_is_always_made_is_no_recipe_to_run() -> None:
    assert planned_for("int8", "float16").recipes == ()
    assert planned_for().preferred == planned_for("int8").preferred == "int8"
    assert planned_for("float16").preferred == "float16"


def test_the_last_recipe_is_the_preferred_one(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(RECIPE)
    planned = planned_for("int8", str(tmp_path / "mine.toml"))
    assert [recipe.name for recipe in planned.recipes] == ["mine"]
    assert planned.preferred == "mine"


def test_two_recipes_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(RECIPE)
    with raises_code("recipe-name-conflict", found="'mine'", kind="UsageError"):
        planned_for(*2 * (str(tmp_path / "mine.toml"),))


@pytest.mark.parametrize("name", ["int8", "int8-controlled"])
def test_a_file_cannot_take_the_name_of_what_the_toolkit_makes(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.toml").write_text(RECIPE)
    with raises_code("recipe-name-conflict", found=f"'{name}'", kind="UsageError"):
        planned_for(str(tmp_path / f"{name}.toml"))


@pytest.mark.parametrize(
    ("precision", "fix"), [(95, "0.95 for 95 %"), (0, "0.95"), (-1, "0.95"), (float("nan"), "0.95")]
)
def test_a_precision_that_is_no_share_is_refused(precision: float, fix: str) -> None:
    with raises_code("option-out-of-range", expected="--precision", fix=fix, kind="UsageError"):
        planned_for(precision=precision)
