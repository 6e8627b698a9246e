"""What a recipe gained, and why it did not where it did not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from converters.tflite import Variant
from converters.verification.metrics import Metrics

ENOUGH = 0.95
"""A time or size is gained from this share of the other on: less may be chance."""

FLOAT = ("float32", "float16", "sparse")
"""Methods to quantize that leave activations in float."""

_ZEROS = (
    "no int8 kernel skips individual zero weights, on the CPU or on the Edge TPU; they only make "
    "the compressed file smaller"
)
WHY = {
    ("prune", "channels"): (
        "with a network and images of this size, the removed channels take little of the time"
    ),
    ("prune", "magnitude"): _ZEROS,
    ("prune", "xnnpack"): (
        "XNNPACK skips zeros on ARM only, not on x86 with AVX; the Edge TPU never does"
    ),
    ("quantize", "float16"): "the CPU converts float16 to float32 before computing",
    ("quantize", "float32"): "it is the model as trained",
    ("quantize", "dynamic"): "activations stay in float32, and few kernels use 8-bit weights",
    ("quantize", "int16x8"): "XNNPACK has no kernels for 16-bit activations",
    ("quantize", "qat"): "plain int8 had lost too little accuracy for training to recover",
    ("quantize", "pqat"): _ZEROS,
}
"""(kind, method) of a step → why it may gain nothing in time."""


def with_gains(measured: Sequence[Metrics], variants: Sequence[Variant]) -> tuple[Metrics, ...]:
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


def gain(one: Metrics, against: Metrics, steps: Sequence[Mapping[str, object]]) -> str | None:
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
        f"{time:.2f}× the latency, {packed:.2f}× the gzipped size, {points:+.1f} points of accuracy"
    )
    benefits = (("smaller", packed <= ENOUGH), ("more accurate", points > 0))
    only = " and ".join(word for word, holds in benefits if holds)
    verdict = f"Not faster than {against.name}" if only else f"No improvement over {against.name}"
    if only:
        verdict += f", only {only}"
    reasons = "; ".join(dict.fromkeys(WHY[key] for key in keys if key in WHY))
    return f"{verdict} ({figures}){': ' if reasons else ''}{reasons}."


def _baseline(variant: Variant) -> str:
    _, method = _key(variant.details[-1]) if variant.details else ("", "")
    return "float32" if method in FLOAT else "int8"


def _key(step: Mapping[str, object]) -> tuple[str, str]:
    return str(step.get("step")), str(step.get("method"))
