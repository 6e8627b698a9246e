"""Registry of the methods that a recipe's steps can name: one record per method.

The help of ``edge compress``, the checks of a recipe, the baseline that a variant is compared with
and the reasons why one gained no speed are all derived from it. To add a method, write its options
and its function (in a new module, or in the one with related methods) and add a record here.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from converters.compression import magnitude, post_training, qat, xnnpack
from converters.compression.channels import pruning
from converters.compression.context import RecipeContext, RecipeState

StepKind = Literal["prune", "quantize"]
"""``prune`` changes the model; ``quantize`` writes its file, and is every recipe's last step."""

Arithmetic = Literal["float32", "int8", "int16"]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a recipe step.

    ``kind`` and ``name``: a step's ``step`` and ``method``. ``help``: one line for help texts.
    ``options``: dataclass whose fields are the step's other keys. ``run``: takes the state, the
    options and the context, and returns the next state. ``computes_in``: the arithmetic of the
    file's kernels, None for a method that writes no file. ``no_speedup_because``: why a variant may
    be no faster, the end of a sentence; None where it is expected to be.

    Raises:
        ValueError: the record is incomplete.
    """

    kind: StepKind
    name: str
    help: str
    options: type[Any]
    run: Callable[[RecipeState, Any, RecipeContext], RecipeState]
    computes_in: Arithmetic | None
    no_speedup_because: str | None

    def __post_init__(self) -> None:
        record = f"the record of recipe method {self.kind} {self.name}"
        if self.kind not in get_args(StepKind):
            raise ValueError(f"{record} needs a kind of {', '.join(get_args(StepKind))}")
        if not self.help:
            raise ValueError(f"{record} needs a line of help")
        if (self.computes_in is None) != (self.kind == "prune"):
            raise ValueError(f"{record} needs computes_in if it quantizes, and only then")

    def keys(self) -> tuple[str, ...]:
        """Return the keys of a step other than ``step`` and ``method``."""
        return tuple(field.name for field in fields(self.options))


_ZEROS = (
    "no int8 kernel skips individual zero weights, on the CPU or on the Edge TPU; they only make "
    "the compressed file smaller"
)

METHODS: tuple[Method, ...] = (
    Method(
        kind="prune",
        name="channels",
        help="remove the least important channels for their time, then retrain",
        options=pruning.ChannelOptions,
        run=pruning.run,
        computes_in=None,
        no_speedup_because=(
            "with a network and images of this size, the removed channels take little of the time"
        ),
    ),
    Method(
        kind="prune",
        name="magnitude",
        help="set the smallest weights to zero, then retrain",
        options=magnitude.MagnitudeOptions,
        run=magnitude.run,
        computes_in=None,
        no_speedup_because=_ZEROS,
    ),
    Method(
        kind="prune",
        name="xnnpack",
        help="set weights to zero where XNNPACK's sparse kernels can skip them",
        options=xnnpack.XnnpackOptions,
        run=xnnpack.run_prune,
        computes_in=None,
        no_speedup_because=(
            "XNNPACK skips zeros on ARM only, not on x86 with AVX; the Edge TPU never does"
        ),
    ),
    Method(
        kind="quantize",
        name="float32",
        help="no quantization",
        options=post_training.NoOptions,
        run=post_training.run_float32,
        computes_in="float32",
        no_speedup_because="it is the model as trained",
    ),
    Method(
        kind="quantize",
        name="float16",
        help="16-bit weights",
        options=post_training.NoOptions,
        run=post_training.run_float16,
        computes_in="float32",
        no_speedup_because="the CPU converts float16 to float32 before computing",
    ),
    Method(
        kind="quantize",
        name="dynamic",
        help="8-bit weights, float activations",
        options=post_training.NoOptions,
        run=post_training.run_dynamic,
        computes_in="int8",
        no_speedup_because="activations stay in float32, and few kernels use 8-bit weights",
    ),
    Method(
        kind="quantize",
        name="int8",
        help="8-bit weights and activations",
        options=post_training.Int8Options,
        run=post_training.run_int8,
        computes_in="int8",
        no_speedup_because=None,
    ),
    Method(
        kind="quantize",
        name="int16x8",
        help="8-bit weights, 16-bit activations",
        options=post_training.NoOptions,
        run=post_training.run_int16x8,
        computes_in="int16",
        no_speedup_because="XNNPACK has no kernels for 16-bit activations",
    ),
    Method(
        kind="quantize",
        name="sparse",
        help="float32 that stores only the weights that are not zero",
        options=post_training.NoOptions,
        run=xnnpack.run_sparse,
        computes_in="float32",
        no_speedup_because=None,
    ),
    Method(
        kind="quantize",
        name="qat",
        help="int8 after quantization-aware training",
        options=qat.QatOptions,
        run=qat.run_qat,
        computes_in="int8",
        no_speedup_because="plain int8 had lost too little accuracy for training to recover",
    ),
    Method(
        kind="quantize",
        name="pqat",
        help="int8 after quantization-aware training that keeps a pruned model's zeros",
        options=qat.QatOptions,
        run=qat.run_pqat,
        computes_in="int8",
        no_speedup_because=_ZEROS,
    ),
)


def kinds() -> tuple[str, ...]:
    """Return the kinds of step."""
    return tuple(dict.fromkeys(method.kind for method in METHODS))


def names(kind: str) -> tuple[str, ...]:
    """Return the names of the methods of a ``kind`` of step."""
    return tuple(method.name for method in METHODS if method.kind == kind)


def find(kind: str, name: str) -> Method:
    """Return the method ``name`` of a ``kind`` of step.

    Raises:
        KeyError: there is none.
    """
    return by_key()[kind, name]


def by_key() -> dict[tuple[str, str], Method]:
    """Return all methods by kind and name."""
    return {(method.kind, method.name): method for method in METHODS}


def help_table() -> list[tuple[str, str]]:
    """Return, for help texts, each method as ``kind name`` with its line of help and its keys."""
    return [
        (
            f"{method.kind} {method.name}",
            f"{method.help}; keys {', '.join(method.keys())}" if method.keys() else method.help,
        )
        for method in METHODS
    ]
