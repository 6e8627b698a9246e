"""Recipes: how a model is compressed, as data.

A recipe is a TOML file of a description and steps, the last of which makes the file::

    description = "Half of the expansion channels, in int8."

    [[steps]]
    step = "prune"
    method = "channels"
    keep = 0.5

    [[steps]]
    step = "quantize"
    method = "int8"

``step`` and ``method`` name a line of :data:`converters.compress.methods.METHODS`; every other key
is a field of that method's ``Options``.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from converters.compress import methods
from converters.compress.context import RecipeContext, RecipeState
from converters.tflite import Variant
from edge import toml_config
from edge.errors import ConversionError, UsageError, did_you_mean

SHIPPED = Path(__file__).with_name("recipes")

FORMER_QUANTIZE = "quantise"
"""Former spelling of the step "quantize", still read in recipes."""

_EXAMPLE = 'write [[steps]], then step = "quantize" and method = "int8"'


@dataclass(frozen=True, slots=True)
class RecipeStep:
    """One step: what :mod:`converters.compress.methods` knows it by, and its checked options."""

    kind: str
    method: str
    options: Any


@dataclass(frozen=True, slots=True)
class Recipe:
    """``name``: of the recipe, its file without ``.toml``; ``description``: what it is good for
    and what not. The last of ``steps``, and no other, is of the kind "quantize".
    """

    name: str
    description: str
    steps: tuple[RecipeStep, ...]


def names() -> tuple[str, ...]:
    """The recipes that come with the toolkit."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


def load(name: str) -> Recipe:
    """The recipe called ``name``, or in the file of that name.

    Raises:
        UsageError: there is none, or it is wrong: an unknown step, method or key, a value of
            another type or out of range. The message names the file and what is nearest.
    """
    if name in names():
        return _read(SHIPPED / f"{name}.toml", name)
    path = Path(name)
    if path.is_file():
        return _read(path, name)
    if len(path.parts) > 1 or path.suffix == ".toml" or path.is_dir():
        found = "a folder" if path.is_dir() else "no file"
        expected = f"a recipe file at {name}"
        raise UsageError(expected, found, "check the path", code="recipe-not-found")
    raise UsageError(
        f"one of the recipes {', '.join(names())}, or a TOML file",
        repr(name),
        did_you_mean(name, names(), "use --recipe int8"),
        code="unknown-recipe",
    )


def run(recipe: Recipe, material: RecipeContext) -> Variant:
    """Take the teacher through all steps of ``recipe``; the teacher itself stays as it is.

    Each entry of the variant's ``details`` holds the step, its method and options, and what the
    step itself said.

    Raises:
        EdgeError: a step failed.
    """
    draft = RecipeState(material.teacher)
    details: list[dict[str, Any]] = []
    for step in recipe.steps:
        before = len(draft.details)
        draft = methods.find(step.kind, step.method).run(draft, step.options, material)
        about = {"step": step.kind, "method": step.method, "options": asdict(step.options)}
        for said in draft.details[before:]:
            about |= said
        details.append(about)
    if draft.content is None:
        raise ConversionError(
            f"recipe {recipe.name} to produce a model file",
            "none",
            'end it with step = "quantize"',
            code="recipe-without-model",
        )
    return Variant(
        recipe.name, draft.content, recipe.name, draft.notes, tuple(details), draft.model
    )


def _read(path: Path, name: str) -> Recipe:
    """``name`` is the file as the user knows it."""
    table = toml_config.table(path, "a recipe in TOML")
    toml_config.check_keys(table, ("description", "steps"), f"recipe {name}")
    description = table.get("description", "")
    if not isinstance(description, str):
        raise UsageError(
            f"the description of recipe {name} to be a string",
            repr(description),
            "put it in quotes",
            code="recipe-invalid-value",
        )
    written = table.get("steps")
    if not isinstance(written, list) or not written:
        raise UsageError(
            f"a list of steps in recipe {name}",
            "none" if not written else repr(written),
            _EXAMPLE,
            code="recipe-without-steps",
        )
    made = tuple(
        _step(values, f"step {number} of recipe {name}")
        for number, values in enumerate(written, start=1)
    )
    _check_order(made, name)
    return Recipe(path.stem, description, made)


def _check_order(made: tuple[RecipeStep, ...], name: str) -> None:
    """The file is made last, and once."""
    if [step.kind == "quantize" for step in made] != [False] * (len(made) - 1) + [True]:
        raise UsageError(
            f"recipe {name} to have exactly one quantize step, at the end",
            ", then ".join(f"{step.kind} {step.method}" for step in made),
            _EXAMPLE,
            code="recipe-step-order",
        )


def _step(values: Any, place: str) -> RecipeStep:
    if not isinstance(values, dict):
        raise UsageError(
            f"{place} to be a table", repr(values), _EXAMPLE, code="recipe-invalid-value"
        )
    if values.get("step") == FORMER_QUANTIZE:
        values = {**values, "step": "quantize"}
    kind = _choice(values, "step", methods.kinds(), place, "recipe-unknown-step")
    method = _choice(values, "method", methods.methods(kind), place, "recipe-unknown-method")
    options = methods.find(kind, method).options
    given = {key: value for key, value in values.items() if key not in ("step", "method")}
    return RecipeStep(kind, method, toml_config.build(options, given, f"{place} ({kind} {method})"))


def _choice(
    values: Mapping[str, Any], key: str, known: tuple[str, ...], place: str, code: str
) -> str:
    """``values[key]`` if it is one of ``known``."""
    value = values.get(key)
    if isinstance(value, str) and value in known:
        return value
    raise UsageError(
        f"{key} to be one of {', '.join(known)} in {place}",
        "none" if value is None else repr(value),
        did_you_mean(str(value), known, f'write {key} = "{known[0]}"'),
        code=code,
    )
