"""The methods that a recipe's steps can name, each a module with ``Options`` and ``run``."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from converters.compress.context import RecipeContext, RecipeState

METHODS = {
    ("prune", "channels"): "converters.compress.channels.step",
    ("prune", "magnitude"): "converters.compress.magnitude",
    ("prune", "xnnpack"): "converters.compress.xnnpack",
    ("quantise", "float32"): "converters.compress.after_training.float32",
    ("quantise", "float16"): "converters.compress.after_training.float16",
    ("quantise", "dynamic"): "converters.compress.after_training.dynamic",
    ("quantise", "int8"): "converters.compress.after_training.int8",
    ("quantise", "int16x8"): "converters.compress.after_training.int16x8",
    ("quantise", "sparse"): "converters.compress.after_training.sparse",
    ("quantise", "qat"): "converters.compress.aware.qat",
    ("quantise", "pqat"): "converters.compress.aware.pqat",
}
"""(kind of step, method) → module. A module is imported when a recipe names it."""


@dataclass(frozen=True, slots=True)
class Method:
    """A dataclass of options, whose fields are the keys of a step, and what is done with them."""

    options: type[Any]
    run: Callable[[RecipeState, Any, RecipeContext], RecipeState]


def kinds() -> tuple[str, ...]:
    """The kinds of step."""
    return tuple(dict.fromkeys(kind for kind, _ in METHODS))


def methods(kind: str) -> tuple[str, ...]:
    """The methods of a ``kind`` of step."""
    return tuple(method for other, method in METHODS if other == kind)


def find(kind: str, method: str) -> Method:
    """The ``method`` of a ``kind`` of step.

    Raises:
        KeyError: there is none; see :data:`METHODS`.
    """
    module = import_module(METHODS[kind, method])
    return Method(module.Options, module.run)
