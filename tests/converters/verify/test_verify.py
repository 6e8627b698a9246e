import dataclasses
import gzip
from typing import Any

import numpy as np
import pytest

from converters.compress import quantise
from converters.compress.quantise import Variant
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import Silent
from converters.tf import keras
from converters.verify import Verified, verify
from edge.errors import ConversionError


@pytest.fixture(scope="module")
def verified(micro_variants: tuple[Variant, ...], shapes: Dataset, shapes_split: Split) -> Verified:
    return verify(micro_variants, shapes, shapes_split, 2.0, Silent(), threads=1)


def test_every_variant_is_measured_on_every_test_picture(
    verified: Verified, micro_variants: tuple[Variant, ...], shapes: Dataset, shapes_split: Split
) -> None:
    assert [m.name for m in verified.variants] == ["float32", "float16", "int8"]
    truth = shapes.labels[shapes_split.test]
    for measured, variant in zip(verified.variants, micro_variants, strict=True):
        said = measured.scores.argmax(1)
        assert measured.scores.shape == (len(truth), 3)
        assert measured.accuracy == pytest.approx((said == truth).mean())
        assert measured.interval[0] < measured.accuracy < measured.interval[1]
        assert measured.confusion.sum() == len(truth)
        assert np.trace(measured.confusion) == (said == truth).sum()
        assert measured.bytes == len(variant.content)
        assert measured.gzip_bytes == pytest.approx(len(gzip.compress(variant.content)), abs=32)


def test_figures_of_a_class(verified: Verified, shapes: Dataset) -> None:
    measured = verified.variants[2]
    for index, figures in enumerate(measured.per_class):
        assert figures.label == shapes.classes[index]
        assert figures.support == measured.confusion[index].sum()
        hits = measured.confusion[index, index]
        assert figures.recall == pytest.approx(hits / figures.support)
        assert figures.precision == pytest.approx(hits / measured.confusion[:, index].sum())


def test_agreement_is_with_float32(verified: Verified) -> None:
    reference, _, int8 = verified.variants
    assert reference.agreement == 1.0
    same = (int8.scores.argmax(1) == reference.scores.argmax(1)).mean()
    assert int8.agreement == pytest.approx(same)


def test_latency_names_what_ran(verified: Verified) -> None:
    for measured in verified.variants:
        assert 0 < measured.latency.p50_ms <= measured.latency.p95_ms
        assert measured.latency.interpreter.startswith("ai-edge-litert ")
        assert (measured.latency.delegate, measured.latency.threads) == ("cpu", 1)


def test_verdict_of_a_good_conversion(verified: Verified) -> None:
    assert verified.verdict.status in {"pass", "warn"}
    assert abs(verified.verdict.drop) < 15


def test_only_the_test_side_is_touched(
    verified: Verified, micro_variants: tuple[Variant, ...], shapes: Dataset, shapes_split: Split
) -> None:
    pixels = shapes.pixels.copy()
    pixels[np.concatenate([shapes_split.train, shapes_split.validation])] = 0
    other = dataclasses.replace(shapes, pixels=pixels)
    again = verify(micro_variants, other, shapes_split, 2.0, Silent(), threads=1)
    for before, after in zip(verified.variants, again.variants, strict=True):
        np.testing.assert_allclose(before.scores, after.scores, atol=1e-5)


def test_a_damaged_int8_fails_and_names_classes_and_layers(
    micro_variants: tuple[Variant, ...], shapes: Dataset, shapes_split: Split
) -> None:
    float32, float16, int8 = micro_variants
    # The truth is what float32 says: it is always right, and the damaged int8 often wrong.
    said = verify(micro_variants, shapes, shapes_split, 2.0, Silent()).variants[0].scores
    labels = shapes.labels.copy()
    labels[shapes_split.test] = said.argmax(1)
    broken = Variant("int8", damage(int8.content, "block_3_expand"))
    verified = verify(
        (float32, float16, broken), dataclasses.replace(shapes, labels=labels), shapes_split, 2.0,
        Silent(),
    )  # fmt: skip
    assert verified.verdict.status == "fail"
    assert verified.verdict.drop > 10
    assert set(verified.verdict.classes) <= set(shapes.classes) and verified.verdict.classes
    noise = [snr for _, snr in verified.verdict.layers]
    assert noise == sorted(noise) and noise[0] < 10


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda kernel, bias: [kernel * np.nan, bias], "NaN or infinity for 30 of 30 pictures"),
        (lambda kernel, bias: [kernel * 0, bias], "the same scores for all 30 test pictures"),
    ],
)
def test_no_model_is_made_of_nonsense(
    micro_model_and_variants: tuple[Any, tuple[Variant, ...]],
    shapes: Dataset,
    shapes_split: Split,
    spoil: Any,
    message: str,
) -> None:
    model = keras().models.clone_model(micro_model_and_variants[0])
    model.set_weights(micro_model_and_variants[0].get_weights())
    head = model.get_layer("head")
    head.set_weights(spoil(*head.get_weights()))
    nonsense = Variant("float32", quantise.float32(model))
    with pytest.raises(ConversionError, match=message):
        verify((nonsense, micro_variants_int8(micro_model_and_variants)), shapes, shapes_split,
               2.0, Silent())  # fmt: skip


def micro_variants_int8(made: tuple[Any, tuple[Variant, ...]]) -> Variant:
    return made[1][2]


def damage(content: bytes, layer: str) -> bytes:
    """The file with the weights of one layer reversed within their bytes."""
    from damaged import reverse_weights

    return reverse_weights(content, layer)
