import dataclasses
import gzip
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from errors import raises_code

from converters import tflite
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import SilentProgress
from converters.tasks.classify.predictions import predict
from converters.tasks.classify.quality import accuracy_loss, measure_quality
from converters.tf import keras
from converters.tflite import Variant
from converters.verification.evaluate import (
    EvaluatedVariant,
    Predictions,
    file_facts,
    measure,
    own_threads,
    verdict_on,
)
from converters.verification.sanity import check_informative
from converters.verification.verdict import Verdict
from edge.interpreter import load

Answers = tuple[Predictions, ...]
Evaluated = tuple[EvaluatedVariant, ...]


def answers(variants: Sequence[Variant], dataset: Dataset, split: Split) -> Answers:
    return tuple(predict(variant, dataset, split, SilentProgress()) for variant in variants)


@pytest.fixture(scope="module")
def answered(micro_variants: tuple[Variant, ...], shapes: Dataset, shapes_split: Split) -> Answers:
    return answers(micro_variants, shapes, shapes_split)


@pytest.fixture(scope="module")
def evaluated(answered: Answers, shapes: Dataset, shapes_split: Split) -> Evaluated:
    qualities = [measure_quality(each, answered[0], shapes, shapes_split) for each in answered]
    facts = [file_facts(each.variant) for each in answered]
    return measure(answered, qualities, facts, SilentProgress(), threads=(1, 2))


def judged(chosen: Predictions, reference: Predictions, dataset: Dataset, split: Split) -> Verdict:
    truth = dataset.labels[split.test]
    right = [scored.test.argmax(1) == truth for scored in (reference, chosen)]
    loss = accuracy_loss(right[0], right[1], truth, dataset.classes)
    return verdict_on(chosen, reference, loss, dataset, split, 2.0)


def test_every_variant_is_measured_on_every_test_image(
    evaluated: Evaluated,
    micro_variants: tuple[Variant, ...],
    shapes: Dataset,
    shapes_split: Split,
) -> None:
    assert [variant.name for variant in evaluated] == ["float32", "float16", "int8"]
    truth = shapes.labels[shapes_split.test]
    for entry, variant in zip(evaluated, micro_variants, strict=True):
        metrics, predictions = entry.metrics, entry.predictions
        assert predictions.test.shape == (len(shapes_split.test), 3)
        assert predictions.validation.shape == (len(shapes_split.validation), 3)
        accuracy = (predictions.test.argmax(1) == truth).mean()
        assert metrics.quality.value == pytest.approx(accuracy)
        assert entry.variant is variant
        assert metrics.bytes == len(variant.content)
        assert metrics.gzip_bytes == pytest.approx(len(gzip.compress(variant.content)), abs=32)


def test_times_of_each_number_of_threads_name_what_ran(evaluated: Evaluated) -> None:
    for metrics in (entry.metrics for entry in evaluated):
        assert [timed.threads for timed in metrics.latencies] == [1, 2]
        for timed in metrics.latencies:
            assert 0 < timed.p50_ms <= timed.p95_ms
            assert timed.interpreter.startswith("ai-edge-litert ")
            assert timed.delegate == "cpu"
        assert metrics.latency.threads == 2


def test_the_last_number_of_threads_is_the_interpreters_own(
    micro_variants: tuple[Variant, ...],
) -> None:
    own = load(micro_variants[0].content, name="float32").threads
    assert own_threads()[-1] == own
    assert own_threads()[0] == 1


def test_the_file_itself_is_looked_at(evaluated: Evaluated) -> None:
    float32, _, int8 = (entry.metrics for entry in evaluated)
    assert int8.cost.multiply_adds == float32.cost.multiply_adds > 1e6
    assert 0 <= int8.cost.sparsity < 0.2
    assert float32.edgetpu["status"] == "none" and float32.edgetpu["cpu"]
    assert int8.edgetpu["status"] == "full" and not int8.edgetpu["cpu"]


def test_verdict_of_a_good_conversion(
    answered: Answers, shapes: Dataset, shapes_split: Split
) -> None:
    verdict = judged(answered[2], answered[0], shapes, shapes_split)
    assert verdict.variant == "int8"
    assert verdict.status in {"pass", "not-proven"}
    assert abs(verdict.drop) < 15


def test_float32_is_not_held_against_itself(
    answered: Answers, shapes: Dataset, shapes_split: Split
) -> None:
    verdict = judged(answered[0], answered[0], shapes, shapes_split)
    assert (verdict.status, verdict.drop) == ("pass", 0)
    assert verdict.interval == (0, 0)


def test_a_file_that_says_the_same_of_every_image_is_not_chosen(
    answered: Answers,
) -> None:
    same = np.repeat(answered[2].test[:1], len(answered[2].test), axis=0)
    deaf = dataclasses.replace(answered[2], test=same)
    with raises_code("scores-constant", found="30 images in int8", kind="ConversionError"):
        check_informative(deaf.variant.name, deaf.test)


def test_the_training_side_is_not_touched(
    answered: Answers, micro_variants: tuple[Variant, ...], shapes: Dataset, shapes_split: Split
) -> None:
    pixels = shapes.pixels.copy()
    pixels[shapes_split.train] = 0
    again = answers(micro_variants, dataclasses.replace(shapes, pixels=pixels), shapes_split)
    for before, after in zip(answered, again, strict=True):
        np.testing.assert_allclose(before.test, after.test, atol=1e-5)
        np.testing.assert_allclose(before.validation, after.validation, atol=1e-5)


def test_a_damaged_int8_fails_and_names_classes_and_layers(
    answered: Answers, shapes: Dataset, shapes_split: Split
) -> None:
    float32, _, int8 = answered
    # The truth is what float32 says: it is always right, and the damaged int8 often wrong.
    labels = shapes.labels.copy()
    labels[shapes_split.test] = float32.test.argmax(1)
    relabelled = dataclasses.replace(shapes, labels=labels)
    broken = Variant("int8", damage(int8.variant.content, "block_3_expand"))
    (predictions,) = answers([broken], relabelled, shapes_split)
    verdict = judged(predictions, float32, relabelled, shapes_split)
    assert verdict.status == "fail"
    assert verdict.drop > 10
    assert set(verdict.classes) <= set(shapes.classes) and verdict.classes
    noise = [snr for _, snr in verdict.layers]
    assert noise == sorted(noise) and noise[0] < 10


def test_no_model_is_made_of_nonsense(
    micro_model_and_variants: tuple[Any, tuple[Variant, ...]], shapes: Dataset, shapes_split: Split
) -> None:
    model = keras().models.clone_model(micro_model_and_variants[0])
    model.set_weights(micro_model_and_variants[0].get_weights())
    head = model.get_layer("head")
    head.set_weights([np.nan * array for array in head.get_weights()])
    nonsense = Variant("float32", tflite.to_float32(model))
    with raises_code("scores-not-finite", found="60 of 60", kind="ConversionError"):
        predict(nonsense, shapes, shapes_split, SilentProgress())


def damage(content: bytes, layer: str) -> bytes:
    """The file with the weights of one layer reversed within their bytes."""
    from damaged import reverse_weights

    return reverse_weights(content, layer)
