"""What a recipe did not gain is said, with the reason."""

from dataclasses import replace
from typing import Any

from conversion import RECIPES, Conversion

from converters.selection.recipe_feedback import WHY, gain, with_gains
from converters.tflite import Variant
from converters.verification.metrics import Metrics

PRUNED = ({"step": "prune", "method": "magnitude"}, {"step": "quantize", "method": "int8"})
TRAINED = ({"step": "quantize", "method": "qat"},)
SPARSE = ({"step": "prune", "method": "xnnpack"}, {"step": "quantize", "method": "sparse"})


def measured(name: str, ms: float, gzipped: int, accuracy: float = 0.9) -> Metrics:
    """A measured file of which only this is of interest."""
    any_file = Conversion().stages()["verified"].variants[0]
    latencies = (replace(any_file.latency, p50_ms=ms),)
    return replace(
        any_file, name=name, latencies=latencies, gzip_bytes=gzipped, accuracy=accuracy, gain=None
    )


INT8 = measured("int8", 3.4, 2_000_000)


def test_what_is_quicker_needs_no_excuse() -> None:
    assert gain(measured("channels-50", 2.1, 1_500_000, 0.88), INT8, PRUNED) is None


def test_zeros_that_no_kernel_skips_give_size_alone() -> None:
    said = gain(measured("magnitude-75", 3.4, 800_000, 0.89), INT8, PRUNED)
    assert said is not None
    for part in ("int8", "smaller", "1.00×", "0.40×", "-1.0 points", WHY["prune", "magnitude"]):
        assert part in said
    assert "accurate" not in said


def test_accuracy_by_chance_does_not_hide_that_pruning_gained_no_time() -> None:
    said = gain(measured("magnitude-75", 3.5, 800_000, 0.91), INT8, PRUNED)
    assert said is not None and "smaller and more accurate" in said


def test_training_for_int8_is_for_accuracy() -> None:
    assert gain(measured("qat", 3.4, 2_000_000, 0.91), INT8, TRAINED) is None
    said = gain(measured("qat", 3.4, 2_000_000), INT8, TRAINED)
    assert said is not None
    assert "smaller" not in said and "more accurate" not in said
    assert WHY["quantize", "qat"] in said


def test_a_recipe_in_float_is_held_against_float32() -> None:
    float32 = measured("float32", 6.6, 8_000_000)
    files: tuple[tuple[Metrics, Any, str], ...] = (
        (float32, (), ""),
        (INT8, (), ""),
        (measured("sparse-xnnpack", 6.7, 4_000_000), SPARSE, "sparse-xnnpack"),
    )
    variants = tuple(Variant(m.name, b"", recipe, (), steps) for m, steps, recipe in files)
    judged = with_gains(tuple(m for m, _, _ in files), variants)
    assert [m.gain for m in judged[:2]] == [None, None]
    for part in ("1.02×", "float32", WHY["prune", "xnnpack"]):
        assert part in str(judged[2].gain)


def test_the_files_that_are_always_made_get_no_sentence() -> None:
    stages = Conversion(recipes=tuple(RECIPES)).stages()
    judged = with_gains(stages["verified"].variants, stages["variants"])
    assert [m.name for m in judged if m.gain] == ["magnitude-75"]
