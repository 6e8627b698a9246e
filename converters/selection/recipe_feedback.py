"""Feedback on recipes: a sentence where one gained nothing, with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from converters.tflite import Variant
from converters.verification.metrics import EvaluatedVariant

ENOUGH = 0.95
"""Share of the other latency or size that counts as a gain: less may be chance."""

FLOAT = ("float32", "float16", "sparse")
"""Quantization methods that leave activations in float."""

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


def with_gains(variants: Sequence[EvaluatedVariant]) -> tuple[EvaluatedVariant, ...]:
    """Add a sentence to every recipe's variant that gained no time (see :func:`gain`).

    A recipe that ends in float is compared with float32, any other with int8.
    """
    by_name = {variant.name: variant for variant in variants}
    return tuple(
        replace(evaluated, gain=gain(evaluated, by_name[_baseline(evaluated.variant)]))
        if evaluated.variant.recipe
        else evaluated
        for evaluated in variants
    )


def gain(evaluated: EvaluatedVariant, baseline: EvaluatedVariant) -> str | None:
    """Say what was not gained over ``baseline`` and why; None where it was gained.

    The aim is latency, or accuracy for a recipe without a pruning step.
    """
    metrics, other = evaluated.metrics, baseline.metrics
    time = metrics.latency.p50_ms / other.latency.p50_ms
    packed = metrics.gzip_bytes / other.gzip_bytes
    points = 100 * (metrics.accuracy - other.accuracy)
    keys = [_key(step) for step in evaluated.variant.details]
    pruned = any(kind == "prune" for kind, _ in keys)
    if time <= ENOUGH or (points > 0 and not pruned):
        return None
    figures = (
        f"{time:.2f}× the latency, {packed:.2f}× the gzipped size, {points:+.1f} points of accuracy"
    )
    benefits = (("smaller", packed <= ENOUGH), ("more accurate", points > 0))
    only = " and ".join(word for word, holds in benefits if holds)
    verdict = f"Not faster than {baseline.name}" if only else f"No improvement over {baseline.name}"
    if only:
        verdict += f", only {only}"
    reasons = "; ".join(dict.fromkeys(WHY[key] for key in keys if key in WHY))
    return f"{verdict} ({figures}){': ' if reasons else ''}{reasons}."


def _baseline(variant: Variant) -> str:
    _, method = _key(variant.details[-1]) if variant.details else ("", "")
    return "float32" if method in FLOAT else "int8"


def _key(step: Mapping[str, object]) -> tuple[str, str]:
    return str(step.get("step")), str(step.get("method"))
