"""What a recipe gained, and why it did not where it did not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from converters.compress.quantise import Variant
from converters.verification.measured import Measured

ENOUGH = 0.95
"""A time or size is gained from this share of the other on: less may be chance."""

FLOAT = ("float32", "float16", "sparse")
"""Methods to quantise that leave activations in float."""

_ZEROS = (
    "single zeros among the weights are skipped by no kernel for int8, on the CPU or the Edge "
    "TPU; they pay only where the file is kept or sent compressed"
)
WHY = {
    ("prune", "channels"): (
        "at this size of network and picture the time is not spent in the channels removed"
    ),
    ("prune", "magnitude"): _ZEROS,
    ("prune", "xnnpack"): (
        "XNNPACK skips zeros on ARM only, and switches that off on x86 with AVX; the Edge TPU "
        "never does"
    ),
    ("quantise", "float16"): "the CPU unpacks float16 to float32 before it computes",
    ("quantise", "float32"): "it is the network as it was trained",
    ("quantise", "dynamic"): "activations stay float32, and only some kernels use 8-bit weights",
    ("quantise", "int16x8"): "XNNPACK has no kernels for 16-bit activations",
    ("quantise", "qat"): "plain int8 had lost too little for training to win back",
    ("quantise", "pqat"): _ZEROS,
}
"""(kind, method) of a step → why it may gain nothing in time."""


def with_gains(measured: Sequence[Measured], variants: Sequence[Variant]) -> tuple[Measured, ...]:
    """``measured`` with a sentence for every recipe that gained no time (see :func:`gain`).

    A recipe that ends in float is held against float32, any other against int8.

    Args:
        measured: all variants.
        variants: the same, in the same order.
    """
    by_name = {m.name: m for m in measured}
    return tuple(
        replace(one, gain=gain(one, by_name[_baseline(variant)], variant.details))
        if variant.recipe
        else one
        for one, variant in zip(measured, variants, strict=True)
    )


def gain(one: Measured, against: Measured, steps: Sequence[Mapping[str, object]]) -> str | None:
    """A sentence that says what was not gained and why; None where that was gained.

    What is wanted is time, or without a step that prunes, accuracy. ``steps``: how ``one`` was
    made, for the reason.
    """
    time = one.latency.p50_ms / against.latency.p50_ms
    packed = one.gzip_bytes / against.gzip_bytes
    points = 100 * (one.accuracy - against.accuracy)
    keys = [_key(step) for step in steps]
    pruned = any(kind == "prune" for kind, _ in keys)
    if time <= ENOUGH or (points > 0 and not pruned):
        return None
    figures = (
        f"{time:.2f} times the time of {against.name}, {packed:.2f} times its size when gzipped, "
        f"{points:+.1f} points"
    )
    only = [word for word, yes in (("size", packed <= ENOUGH), ("accuracy", points > 0)) if yes]
    said = f"No time was gained, only {' and '.join(only)}" if only else "Nothing was gained"
    reasons = "; ".join(dict.fromkeys(WHY[key] for key in keys if key in WHY))
    return f"{said} ({figures}){': ' if reasons else ''}{reasons}."


def _baseline(variant: Variant) -> str:
    _, method = _key(variant.details[-1]) if variant.details else ("", "")
    return "float32" if method in FLOAT else "int8"


def _key(step: Mapping[str, object]) -> tuple[str, str]:
    return str(step.get("step")), str(step.get("method"))
