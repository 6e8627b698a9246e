"""Recipes: shipped ones, a user's own, and the errors for mistakes in one."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from errors import raises_code

from converters.compression import methods, recipe
from converters.compression.context import RecipeContext, RecipeState
from converters.compression.methods import Method, StepKind
from edge.errors import UsageError

INT8 = '[[steps]]\nstep = "quantize"\nmethod = "int8"\n'
CHANNELS = '[[steps]]\nstep = "prune"\nmethod = "channels"\n'

SHIPPED = (
    "channels-30", "channels-50", "float16", "int8", "magnitude-75", "pqat-75", "qat",
    "sparse-xnnpack",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    share: float
    words: tuple[str, ...] = ()
    loud: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.share > 1:
            raise UsageError(
                "a share up to 1", f"{self.share:g}", "use share = 1", code="invalid-share"
            )


@pytest.fixture
def marking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method "mark" of both kinds that notes its options; only quantizing writes a file."""

    def method(kind: StepKind, content: bytes | None) -> Method:
        def run(state: RecipeState, options: Options, context: RecipeContext) -> RecipeState:
            return replace(
                state,
                content=content,
                notes=(*state.notes, f"share {options.share}"),
                details=(*state.details, {"seen": context.seed}),
            )

        return Method(kind, "mark", "mark", Options, run, "int8" if content else None, None)

    marks = (method("prune", None), method("quantize", b"TFL3"))
    monkeypatch.setattr(methods, "METHODS", (*methods.METHODS, *marks))


def load(folder: Path, text: str) -> recipe.Recipe:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return recipe.load(str(path))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes_load_with_a_description(name: str) -> None:
    loaded = recipe.load(name)
    assert loaded.name == name
    assert loaded.description.endswith(".")
    assert loaded.steps[-1].kind == "quantize"


def test_names_are_those_shipped() -> None:
    assert recipe.names() == SHIPPED


def test_channels_50_keeps_half() -> None:
    pruning, quantizing = recipe.load("channels-50").steps
    assert (pruning.method, pruning.options.keep) == ("channels", 0.5)
    assert quantizing.method == "int8"


def test_the_former_spelling_of_quantize_is_read(tmp_path: Path) -> None:
    former = load(tmp_path, INT8.replace("quantize", "quantise"))
    assert former == load(tmp_path, INT8)
    assert former.steps[-1].kind == "quantize"


def test_the_former_keys_of_distillation_are_read(tmp_path: Path) -> None:
    former = load(tmp_path, f"{CHANNELS}rate = 1e-3\nhard = 0.3\n{INT8}")
    assert former == load(tmp_path, f"{CHANNELS}learning_rate = 1e-3\nlabel_weight = 0.3\n{INT8}")
    assert former.steps[0].options.learning_rate == 1e-3
    with raises_code("recipe-duplicate-key", found="rate", fix="remove rate", kind="UsageError"):
        load(tmp_path, f"{CHANNELS}rate = 1e-3\nlearning_rate = 1e-3\n{INT8}")


def test_a_file_is_a_recipe_under_its_own_name(tmp_path: Path) -> None:
    loaded = load(tmp_path, f'description = "Mine."\n{CHANNELS}keep = 1\n{INT8}')
    assert (loaded.name, loaded.description) == ("own", "Mine.")
    assert loaded.steps[0].options.keep == 1.0
    assert isinstance(loaded.steps[0].options.keep, float)


@pytest.mark.parametrize(
    ("text", "code", "parts"),
    [
        ("", "recipe-without-steps", ["none"]),
        ("steps = 3", "recipe-without-steps", ["3"]),
        ("steps = [3]", "recipe-invalid-value", ["step 1", "3"]),
        ("description = 4\n" + INT8, "recipe-invalid-value", ["description", "4"]),
        ("descripton = 'x'\n" + INT8, "unknown-key", ["'descripton'", "'description'"]),
        (CHANNELS, "recipe-step-order", ["prune channels"]),
        (INT8 + CHANNELS, "recipe-step-order", ["quantize int8, then prune channels"]),
        (INT8 + INT8, "recipe-step-order", ["quantize int8, then quantize int8"]),
        (INT8.replace("quantize", "quantice"), "recipe-unknown-step", ["'quantice'", "'quantize'"]),
        (INT8.replace("int8", "int9"), "recipe-unknown-method", ["'int9'", "'int8'"]),
        ('[[steps]]\nmethod = "int8"', "recipe-unknown-step", ["prune, quantize", "none"]),
        ('[[steps]]\nstep = "prune"\n' + INT8, "recipe-unknown-method", ["channels", "none"]),
        (CHANNELS + "kep = 0.5\n" + INT8, "unknown-key", ["'kep'", "'keep'", "step 1", "own.toml"]),
        (INT8 + "keep = 0.5", "unknown-key", ["'keep'", "step 1", "quantize int8"]),
        (CHANNELS + "keep = 'half'\n" + INT8, "wrong-type", ["keep", "'half'", "step 1"]),
        (CHANNELS + "keep = true\n" + INT8, "wrong-type", ["keep", "True"]),
        (CHANNELS + "epochs = 2.5\n" + INT8, "wrong-type", ["epochs", "2.5"]),
        (CHANNELS + "keep = 1.5\n" + INT8, "option-out-of-range", ["1.5", "step 1", "own.toml"]),
        (CHANNELS + "keep = nan\n" + INT8, "option-out-of-range", ["keep", "nan"]),
        (
            CHANNELS + "importance = 'tailor'\n" + INT8,
            "unknown-option-value",
            ["'tailor'", "'taylor'"],
        ),
        ("steps = [", "invalid-toml", ["own.toml"]),
    ],
)
def test_an_invalid_recipe_is_refused(
    tmp_path: Path, text: str, code: str, parts: list[str]
) -> None:
    with raises_code(code, kind="UsageError") as caught:
        load(tmp_path, text)
    for part in parts:
        assert part in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe\x00")
    with raises_code("invalid-toml", found="own.toml", kind="UsageError"):
        recipe.load(str(tmp_path / "own.toml"))


@pytest.mark.parametrize(
    ("name", "code", "fields"),
    [
        ("chanels-50", "unknown-recipe", {"found": "'chanels-50'", "fix": "'channels-50'"}),
        ("quite-another", "unknown-recipe", {"expected": "channels-50", "fix": "int8"}),
        ("recipes/none.toml", "recipe-not-found", {"expected": "recipes/none.toml"}),
        ("none.toml", "recipe-not-found", {"expected": "none.toml"}),
    ],
)
def test_an_unknown_recipe_is_refused_with_the_nearest(
    name: str, code: str, fields: dict[str, str]
) -> None:
    with raises_code(code, kind="UsageError", **fields):
        recipe.load(name)


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with raises_code("recipe-not-found", found="folder", kind="UsageError"):
        recipe.load(str(tmp_path))


@pytest.mark.usefixtures("marking")
def test_options_come_with_their_types(tmp_path: Path) -> None:
    text = '[[steps]]\nstep = "quantize"\nmethod = "mark"\n'
    loaded = load(tmp_path, text + 'share = 1\nwords = ["a", "b"]\nloud = true\nlimit = 3')
    assert loaded.steps[0].options == Options(1.0, ("a", "b"), True, 3)
    for wrong in ("", "share = 1\nwords = [1]", "share = 1\nwords = 'a'", "share = 1\nloud = 1"):
        with pytest.raises(UsageError):
            load(tmp_path, text + wrong)


@pytest.mark.usefixtures("marking")
def test_run_takes_the_teacher_through_all_steps(tmp_path: Path, context: RecipeContext) -> None:
    text = "".join(
        f'[[steps]]\nstep = "{kind}"\nmethod = "mark"\nshare = {share}\n'
        for kind, share in (("prune", 0.25), ("quantize", 1.0))
    )
    variant = recipe.run(load(tmp_path, text), context)
    assert (variant.name, variant.recipe, variant.content) == ("own", "own", b"TFL3")
    assert variant.notes == ("share 0.25", "share 1.0")
    assert [step["method"] for step in variant.details] == ["mark", "mark"]
    assert variant.details[0]["options"]["share"] == 0.25
    assert variant.details[0]["seen"] == context.seed
    assert variant.model is context.teacher


@pytest.mark.usefixtures("marking")
def test_a_recipe_without_a_file_is_an_error(context: RecipeContext) -> None:
    unfinished = recipe.Recipe("own", "", (recipe.RecipeStep("prune", "mark", Options(0.5)),))
    with raises_code("recipe-without-model", expected="own", kind="ConversionError"):
        recipe.run(unfinished, context)


@pytest.mark.usefixtures("untraced")
def test_a_recipe_of_two_real_steps_makes_a_smaller_file(
    tmp_path: Path, context: RecipeContext, micro_variants: tuple[Any, ...]
) -> None:
    from edge.modelfile import tflite
    from edge.modelfile.operations import model_cost

    loaded = load(tmp_path, f"{CHANNELS}epochs = 1\n{INT8}")
    variant = recipe.run(loaded, context)
    before, after = (
        model_cost(tflite.parse(content, "x"))
        for content in (micro_variants[2].content, variant.content)
    )
    assert after.multiply_adds < 0.75 * before.multiply_adds
    assert [step["step"] for step in variant.details] == ["prune", "quantize"]
    assert variant.model.output_shape == context.teacher.output_shape
    assert np.isfinite(np.concatenate([w.ravel() for w in variant.model.get_weights()])).all()
