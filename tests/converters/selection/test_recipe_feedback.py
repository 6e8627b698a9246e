"""Feedback on recipes: a sentence and a reason where one gained no speed."""

from dataclasses import replace

from conversion import RECIPES, Conversion

from converters.compression import methods
from converters.selection.recipe_feedback import gain, with_gains
from converters.tflite import Variant
from converters.verification.evaluate import EvaluatedVariant

PRUNED = ({"step": "prune", "method": "magnitude"}, {"step": "quantize", "method": "int8"})
TRAINED = ({"step": "quantize", "method": "qat"},)
SPARSE = ({"step": "prune", "method": "xnnpack"}, {"step": "quantize", "method": "sparse"})


ANY = Conversion().result().variants[0]


def evaluated(
    name: str,
    ms: float,
    gzipped: int,
    accuracy: float = 0.9,
    steps: tuple[dict[str, str], ...] = (),
) -> EvaluatedVariant:
    """An evaluated variant of which only this matters; ``steps`` make it that of a recipe."""
    variant = Variant(name, b"", name if steps else "", (), steps)
    metrics = replace(
        ANY.metrics,
        latencies=(replace(ANY.metrics.latency, p50_ms=ms),),
        gzip_bytes=gzipped,
        quality=replace(ANY.metrics.quality, value=accuracy),
    )
    return EvaluatedVariant(replace(ANY.predictions, variant=variant), metrics)


def reason(kind: str, name: str) -> str:
    return str(methods.find(kind, name).no_speedup_because)


INT8 = evaluated("int8", 3.4, 2_000_000)


def test_what_is_quicker_needs_no_excuse() -> None:
    assert gain(evaluated("channels-50", 2.1, 1_500_000, 0.88, steps=PRUNED), INT8) is None


def test_zeros_that_no_kernel_skips_give_size_alone() -> None:
    sentence = gain(evaluated("magnitude-75", 3.4, 800_000, 0.89, steps=PRUNED), INT8)
    assert sentence is not None
    for part in ("int8", "smaller", "1.00×", "0.40×", "-1.0 points", reason("prune", "magnitude")):
        assert part in sentence
    assert "accurate" not in sentence


def test_accuracy_by_chance_does_not_hide_that_pruning_gained_no_time() -> None:
    sentence = gain(evaluated("magnitude-75", 3.5, 800_000, 0.91, steps=PRUNED), INT8)
    assert sentence is not None and "smaller and more accurate" in sentence


def test_training_for_int8_is_for_accuracy() -> None:
    assert gain(evaluated("qat", 3.4, 2_000_000, 0.91, steps=TRAINED), INT8) is None
    sentence = gain(evaluated("qat", 3.4, 2_000_000, steps=TRAINED), INT8)
    assert sentence is not None
    assert "smaller" not in sentence and "more accurate" not in sentence
    assert reason("quantize", "qat") in sentence


def test_a_recipe_in_float_is_held_against_float32() -> None:
    float32 = evaluated("float32", 6.6, 8_000_000)
    sparse = evaluated("sparse-xnnpack", 6.7, 4_000_000, steps=SPARSE)
    judged = with_gains((float32, INT8, sparse))
    assert [m.gain for m in judged[:2]] == [None, None]
    for part in ("1.02×", "float32", reason("prune", "xnnpack")):
        assert part in str(judged[2].gain)


def test_the_files_that_are_always_made_get_no_sentence() -> None:
    judged = with_gains(Conversion(recipes=tuple(RECIPES)).result().variants)
    assert [m.name for m in judged if m.gain] == ["magnitude-75"]
