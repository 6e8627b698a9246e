"""The steps that a recipe can name, each a module with ``Options`` and ``run``."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from converters.compress.draft import Draft, Material

KINDS = {"prune": "method", "quantise": "mode"}
"""Kinds of step, and the key that tells steps of a kind apart."""

STEPS = {
    ("prune", "channels"): "converters.compress.channels",
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
"""(kind, name) → module. A module is imported when a recipe names it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step: a dataclass of its options, and what it does."""

    options: type[Any]
    run: Callable[[Draft, Any, Material], Draft]


def find(kind: str, name: str) -> Step:
    """The step of a ``kind`` called ``name``.

    Raises:
        KeyError: there is none; see :data:`STEPS`.
    """
    module = import_module(STEPS[kind, name])
    return Step(module.Options, module.run)
