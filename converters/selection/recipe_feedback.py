"""Feedback on recipes: a sentence where one gained nothing, with the reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from converters.compression import methods
from converters.tflite import Variant
from converters.verification.evaluate import EvaluatedVariant

ENOUGH = 0.95
"""Share of the other latency or size that counts as a gain: less may be chance."""


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
    """Explain a gain over ``baseline`` that was not achieved; None where it was.

    The aim is latency, or accuracy for a recipe without a pruning step.
    """
    metrics, other = evaluated.metrics, baseline.metrics
    time = metrics.latency.p50_ms / other.latency.p50_ms
    packed = metrics.gzip_bytes / other.gzip_bytes
    points = 100 * (metrics.quality.value - other.quality.value)
    keys = [_key(step) for step in evaluated.variant.details]
    pruned = any(kind == "prune" for kind, _ in keys)
    if time <= ENOUGH or (points > 0 and not pruned):
        return None
    figures = (
        f"{time:.2f}× the latency, {packed:.2f}× the gzipped size, {points:+.1f} points of "
        f"{metrics.quality.metric.name}"
    )
    benefits = (("smaller", packed <= ENOUGH), ("more accurate", points > 0))
    only = " and ".join(word for word, holds in benefits if holds)
    verdict = f"Not faster than {baseline.name}" if only else f"No improvement over {baseline.name}"
    if only:
        verdict += f", only {only}"
    reasons = "; ".join(dict.fromkeys(_reasons(keys)))
    return f"{verdict} ({figures}){': ' if reasons else ''}{reasons}."


def _baseline(variant: Variant) -> str:
    method = methods.by_key().get(_key(variant.details[-1])) if variant.details else None
    return "float32" if method is not None and method.computes_in == "float32" else "int8"


def _reasons(keys: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield why steps may gain no speed, from the records of their methods."""
    records = methods.by_key()
    for key in keys:
        if key in records and records[key].no_speedup_because is not None:
            yield str(records[key].no_speedup_because)


def _key(step: Mapping[str, object]) -> tuple[str, str]:
    return str(step.get("step")), str(step.get("method"))
