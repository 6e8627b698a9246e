"""Recipes: how a model is compressed, as data.

A recipe is a TOML file of a description and steps, the last of which makes the file::

    description = "Half of the expansion channels, in int8."

    [[steps]]
    step = "prune"
    method = "channels"
    keep = 0.5

    [[steps]]
    step = "quantise"
    method = "int8"

``step`` and ``method`` name a line of :data:`converters.compress.steps.METHODS`; every other key
is a field of that method's ``Options``.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from converters.compress import steps
from converters.compress.draft import Draft, Material
from converters.compress.quantise import Variant
from edge.errors import ConversionError, UsageError, nearest

SHIPPED = Path(__file__).with_name("recipes")

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "a list",
}

_EXAMPLE = 'write [[steps]], then step = "quantise" and method = "int8"'


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what :mod:`converters.compress.steps` knows it by, and its checked options."""

    kind: str
    method: str
    options: Any


@dataclass(frozen=True, slots=True)
class Recipe:
    """``name``: of the recipe, its file without ``.toml``; ``description``: what it is good for
    and what not. The last of ``steps``, and no other, is of the kind "quantise".
    """

    name: str
    description: str
    steps: tuple[Step, ...]


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
        found = "a folder" if path.is_dir() else "no such file"
        raise UsageError("a recipe file", f"{found}: {name}", "check the path")
    guess = nearest(name, names())
    raise UsageError(
        f"a recipe {', '.join(names())} or a TOML file",
        repr(name),
        f"did you mean {guess}?" if guess else "use --recipe int8",
    )


def run(recipe: Recipe, material: Material) -> Variant:
    """Take the teacher through all steps of ``recipe``; the teacher itself stays as it is.

    Each entry of the variant's ``details`` holds the step, its method and options, and what the
    step itself said.

    Raises:
        EdgeError: a step failed.
    """
    draft = Draft(material.teacher)
    details: list[dict[str, Any]] = []
    for step in recipe.steps:
        before = len(draft.details)
        draft = steps.find(step.kind, step.method).run(draft, step.options, material)
        about = {"step": step.kind, "method": step.method, "options": asdict(step.options)}
        for said in draft.details[before:]:
            about |= said
        details.append(about)
    if draft.content is None:
        raise ConversionError(
            f"a file from recipe {recipe.name}", "none", "end it with a step of kind quantise"
        )
    return Variant(
        recipe.name, draft.content, recipe.name, draft.notes, tuple(details), draft.model
    )


def _read(path: Path, name: str) -> Recipe:
    """``name`` is the file as the user knows it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError("a recipe in TOML", f"{name} ({error})", "correct the file") from error
    _known(table, ("description", "steps"), f"recipe {name}")
    description = table.get("description", "")
    if not isinstance(description, str):
        raise UsageError(
            f"a text as description of recipe {name}", repr(description), "put it into quotes"
        )
    written = table.get("steps")
    if not isinstance(written, list) or not written:
        raise UsageError(
            f"steps in recipe {name}", "none" if not written else repr(written), _EXAMPLE
        )
    made = tuple(
        _step(values, f"step {number} of recipe {name}")
        for number, values in enumerate(written, start=1)
    )
    _check_order(made, name)
    return Recipe(path.stem, description, made)


def _check_order(made: tuple[Step, ...], name: str) -> None:
    """The file is made last, and once."""
    if [step.kind == "quantise" for step in made] != [False] * (len(made) - 1) + [True]:
        raise UsageError(
            f"one step of kind quantise in recipe {name}, the last",
            ", then ".join(f"{step.kind} {step.method}" for step in made),
            _EXAMPLE,
        )


def _step(values: Any, place: str) -> Step:
    if not isinstance(values, dict):
        raise UsageError(f"a table as {place}", repr(values), _EXAMPLE)
    kind = _choice(values, "step", steps.kinds(), place)
    method = _choice(values, "method", steps.methods(kind), place)
    options = steps.find(kind, method).options
    given = {key: value for key, value in values.items() if key not in ("step", "method")}
    place = f"{place} ({kind} {method})"
    hints = get_type_hints(options)
    _known(given, hints, place)
    for field in fields(options):
        if field.name not in given and field.default is field.default_factory is MISSING:
            raise UsageError(f"{field.name!r} in {place}", "none", "add it")
    ready = {key: _typed(value, hints[key], key, place) for key, value in given.items()}
    try:
        return Step(kind, method, options(**ready))
    except UsageError as error:
        raise UsageError(f"{error.expected} in {place}", error.found, error.fix) from error


def _choice(values: Mapping[str, Any], key: str, known: tuple[str, ...], place: str) -> str:
    """``values[key]`` if it is one of ``known``."""
    value = values.get(key)
    if isinstance(value, str) and value in known:
        return value
    guess = nearest(str(value), known)
    raise UsageError(
        f"{key} = one of {', '.join(known)} in {place}",
        "none" if value is None else repr(value),
        f"did you mean {guess}?" if guess else f'write {key} = "{known[0]}"',
    )


def _known(given: Iterable[str], known: Iterable[str], place: str) -> None:
    names = list(known)
    for key in given:
        if key not in names:
            guess = nearest(key, names)
            raise UsageError(
                f"{'one of ' + ', '.join(names) if names else 'no further key'} in {place}",
                repr(key),
                f"did you mean {guess}?" if guess else "leave it out",
            )


def _typed(value: Any, hint: Any, key: str, place: str) -> Any:
    """``value`` as the type of its field, where TOML has it as that type."""
    choices = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    for wanted in choices:
        if get_origin(wanted) is tuple and isinstance(value, list):
            return tuple(_typed(item, get_args(wanted)[0], key, place) for item in value)
        if wanted is float and type(value) in (int, float):
            return float(value)
        if type(value) is wanted:
            return value
    words = " or ".join(_WORDS[get_origin(c) or c] for c in choices if c is not type(None))
    raise UsageError(f"{words} as {key} in {place}", repr(value), f"correct {key}")
