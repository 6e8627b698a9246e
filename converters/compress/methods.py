"""The methods that a recipe's steps can name, each a module with ``Options`` and ``run``."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from converters.compress.context import RecipeContext, RecipeState

METHODS = {
    ("prune", "channels"): "converters.compress.channels.step:ChannelOptions",
    ("prune", "magnitude"): "converters.compress.magnitude:MagnitudeOptions",
    ("prune", "xnnpack"): "converters.compress.xnnpack:XnnpackOptions",
    ("quantize", "float32"): "converters.compress.after_training.float32:Options",
    ("quantize", "float16"): "converters.compress.after_training.float16:Options",
    ("quantize", "dynamic"): "converters.compress.after_training.dynamic:Options",
    ("quantize", "int8"): "converters.compress.after_training.int8:Options",
    ("quantize", "int16x8"): "converters.compress.after_training.int16x8:Options",
    ("quantize", "sparse"): "converters.compress.after_training.sparse:Options",
    ("quantize", "qat"): "converters.compress.aware.qat:QatOptions",
    ("quantize", "pqat"): "converters.compress.aware.pqat:QatOptions",
}
"""(kind of step, method) → "module:class of options". A module is imported when a recipe names it."""


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
    module_name, _, options = METHODS[kind, method].partition(":")
    module = import_module(module_name)
    return Method(getattr(module, options), module.run)
