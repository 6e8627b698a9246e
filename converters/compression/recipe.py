"""Recipes: the steps of a compression, as data.

A recipe is a TOML file of a description and steps, the last of which writes the model file::

    description = "Blocks in half of their time, in int8."

    [[steps]]
    step = "prune"
    method = "channels"
    keep = 0.5

    [[steps]]
    step = "quantize"
    method = "int8"

``step`` and ``method`` name a record of :data:`converters.compression.methods.METHODS`; every other
key is a field of that method's options.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from converters.compression import methods
from converters.compression.context import RecipeContext, RecipeState
from converters.tflite import Variant
from edge import toml_config
from edge.errors import ConversionError, UsageError, did_you_mean

SHIPPED = Path(__file__).with_name("recipes")

FORMER_KINDS = {"quantise": "quantize"}
FORMER_KEYS = {"rate": "learning_rate", "hard": "label_weight"}
"""Former words in recipes, which are still read, and those that replaced them."""

_EXAMPLE = 'write [[steps]], then step = "quantize" and method = "int8"'


@dataclass(frozen=True, slots=True)
class RecipeStep:
    """One step: kind and method of :mod:`converters.compression.methods`, and its options."""

    kind: str
    method: str
    options: Any


@dataclass(frozen=True, slots=True)
class Recipe:
    """A compression recipe.

    ``name``: the file's name without ``.toml``; ``description``: its benefits and costs. The last
    of ``steps``, and no other, is of the kind "quantize".
    """

    name: str
    description: str
    steps: tuple[RecipeStep, ...]


def names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the toolkit."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


def load(name: str) -> Recipe:
    """Load the shipped recipe ``name``, or the recipe in the file of that name.

    Raises:
        UsageError: there is none, or it is wrong: an unknown step, method or key, a value of
            another type or out of range. The message names the file and the nearest match.
    """
    if name in names():
        return _read(SHIPPED / f"{name}.toml", name)
    path = Path(name)
    if path.is_file():
        return _read(path, name)
    if len(path.parts) > 1 or path.suffix == ".toml" or path.is_dir():
        raise UsageError(
            f"a recipe file at {name}",
            "a folder" if path.is_dir() else "no file",
            "check the path",
            code="recipe-not-found",
        )
    raise UsageError(
        f"one of the recipes {', '.join(names())}, or a TOML file",
        repr(name),
        did_you_mean(name, names(), "use --recipe int8"),
        code="unknown-recipe",
    )


def run(recipe: Recipe, context: RecipeContext) -> Variant:
    """Take the teacher through all steps of ``recipe``; the teacher itself stays as it is.

    Each entry of the variant's ``details`` holds the step, its method and options, and the
    details that the step added.

    Raises:
        EdgeError: a step failed.
    """
    state = RecipeState(context.teacher)
    details: list[dict[str, Any]] = []
    for step in recipe.steps:
        before = len(state.details)
        run_step = context.run_method(methods.find(step.kind, step.method))
        state = run_step(state, step.options, context)
        entry = {"step": step.kind, "method": step.method, "options": asdict(step.options)}
        for added in state.details[before:]:
            entry |= added
        details.append(entry)
    if state.content is None:
        raise ConversionError(
            f"recipe {recipe.name} to produce a model file",
            "none",
            'end it with step = "quantize"',
            code="recipe-without-model",
        )
    return Variant(
        recipe.name, state.content, recipe.name, state.notes, tuple(details), state.model,
        state.companions,
    )  # fmt: skip


def _read(path: Path, name: str) -> Recipe:
    """Read a recipe file; ``name`` is the file as the user gave it."""
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
    steps = tuple(
        _step(values, f"step {number} of recipe {name}")
        for number, values in enumerate(written, start=1)
    )
    _check_order(steps, name)
    return Recipe(path.stem, description, steps)


def _check_order(steps: tuple[RecipeStep, ...], name: str) -> None:
    """Refuse a recipe that doesn't write its file once, in the last step."""
    writes_file = [methods.find(step.kind, step.method).computes_in is not None for step in steps]
    if writes_file != [False] * (len(steps) - 1) + [True]:
        raise UsageError(
            f"recipe {name} to have exactly one quantize step, at the end",
            ", then ".join(f"{step.kind} {step.method}" for step in steps),
            _EXAMPLE,
            code="recipe-step-order",
        )


def _step(values: Any, where: str) -> RecipeStep:
    if not isinstance(values, dict):
        raise UsageError(
            f"{where} to be a table", repr(values), _EXAMPLE, code="recipe-invalid-value"
        )
    if values.get("step") in FORMER_KINDS:
        values = {**values, "step": FORMER_KINDS[values["step"]]}
    kind = _choice(values, "step", methods.kinds(), where, "recipe-unknown-step")
    name = _choice(values, "method", methods.names(kind), where, "recipe-unknown-method")
    where = f"{where} ({kind} {name})"
    options = _options({k: v for k, v in values.items() if k not in ("step", "method")}, where)
    return RecipeStep(
        kind, name, toml_config.build(methods.find(kind, name).options, options, where)
    )


def _options(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the step's options with former keys renamed."""
    both = next((k for k in values if FORMER_KEYS.get(k) in values), None)
    if both is not None:
        raise UsageError(
            f"{FORMER_KEYS[both]} in {where}",
            f"{FORMER_KEYS[both]} and {both}, its former name",
            f"remove {both}",
            code="recipe-duplicate-key",
        )
    return {FORMER_KEYS.get(key, key): value for key, value in values.items()}


def _choice(
    values: Mapping[str, Any], key: str, known: tuple[str, ...], where: str, code: str
) -> str:
    """Return ``values[key]`` if it is in ``known``."""
    value = values.get(key)
    if isinstance(value, str) and value in known:
        return value
    raise UsageError(
        f"{key} to be one of {', '.join(known)} in {where}",
        "none" if value is None else repr(value),
        did_you_mean(str(value), known, f'write {key} = "{known[0]}"'),
        code=code,
    )
