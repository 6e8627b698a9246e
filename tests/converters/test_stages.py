"""From a trained network to files: what happens between the stages."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import written_backbone
from conversion import Conversion
from damaged import zero_weights
from errors import raises_code

from converters.compression import accuracy_control
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import SilentProgress
from converters.selection.plan import CompressionPlan
from converters.selection.select import Limits, select_variant
from converters.stages import (
    apply_accuracy_control,
    evaluate,
    judge_selected,
    preferred_variant,
    recipe_context,
)
from converters.task import TrainingResult
from converters.tasks.classify.task import TASK
from converters.tflite import Variant
from converters.training.config import TrainedModel
from converters.training.cross_validation import CrossValidationSummary
from converters.verification.evaluate import EvaluatedVariant
from converters.verification.verdict import Verdict
from converters.writer.classifier import ClassifierNetwork
from edge.modelfile import metadata
from edge.modelwriter.heads import LinearLayer

Made = tuple[Any, tuple[Variant, ...]]


@pytest.fixture(scope="module")
def learned(micro_model_and_variants: Made, shapes: Dataset, shapes_split: Split) -> TrainingResult:
    """The micro model; the truth is what it says, so that float32 is always right."""
    model, _ = micro_model_and_variants
    inputs = shapes.preprocessing.normalize(np.asarray(shapes.pixels))
    labels = model.predict(inputs, verbose=0).argmax(1)
    return TrainingResult(
        task=TASK,
        dataset=replace(shapes, labels=labels),
        path=Path("shapes"),
        split=shapes_split,
        weights={"provenance": {"source": "test"}},
        trained=TrainedModel(None, "frozen", 1.0, ()),
        seed=0,
    )


@pytest.fixture(scope="module")
def remedied(
    learned: TrainingResult, micro_model_and_variants: Made
) -> tuple[EvaluatedVariant, ...]:
    """The variants after accuracy control of an int8 file that predicts one class always.

    ``max_drop`` is wide, so that a few layers in float do on every processor.
    """
    model, (float32, float16, int8) = micro_model_and_variants
    broken = replace(int8, content=zero_weights(int8.content, "head"))
    plan = CompressionPlan(max_drop=20)
    variants = evaluate((float32, float16, broken), learned, plan, SilentProgress())
    context = recipe_context(learned, model, SilentProgress())
    return apply_accuracy_control(variants, lambda: context, learned, plan, SilentProgress())


def test_an_int8_that_loses_too_much_gets_a_remedy_measured_alike(
    remedied: tuple[EvaluatedVariant, ...],
) -> None:
    names = [variant.name for variant in remedied]
    assert names == ["float32", "float16", "int8", accuracy_control.NAME]
    int8, better = (evaluated.metrics for evaluated in remedied[2:])
    assert better.quality.value > int8.quality.value
    assert better.latencies and better.edgetpu["status"] in ("none", "partly")
    controlled_int8 = remedied[3].variant
    (step,) = controlled_int8.details
    assert step["method"] == "float"
    assert step["layers"][0] in controlled_int8.notes[0] and "Edge TPU" in controlled_int8.notes[0]


def test_the_remedy_takes_the_place_of_int8(remedied: tuple[EvaluatedVariant, ...]) -> None:
    assert preferred_variant(remedied, CompressionPlan()) == accuracy_control.NAME
    assert preferred_variant(remedied, CompressionPlan(preferred="float16")) == "float16"
    choice = select_variant(
        remedied, CompressionPlan().limits, preferred_variant(remedied, CompressionPlan())
    )
    assert choice.chosen == accuracy_control.NAME


@pytest.fixture(scope="module")
def network(shapes: Dataset, shapes_split: Split) -> ClassifierNetwork:
    """A MobileNetV2 that tells the shapes apart."""
    pixels, labels = shapes.pixels[shapes_split.train], shapes.labels[shapes_split.train]
    head = written_backbone.classifier(np.asarray(pixels), labels).head
    assert head is not None
    return ClassifierNetwork(written_backbone.weights(), written_backbone.SIZE, head)


def with_network(learned: TrainingResult, network: ClassifierNetwork) -> TrainingResult:
    return replace(learned, trained=replace(learned.trained, network=network))


def test_a_network_that_says_the_same_of_every_image_is_no_model(
    learned: TrainingResult, network: ClassifierNetwork
) -> None:
    head = LinearLayer(0 * network.head.kernel, 0 * network.head.bias)
    spoilt = with_network(learned, replace(network, head=head))
    with raises_code("scores-constant", found="30 images"):
        TASK.calibrate(spoilt, SilentProgress())


@pytest.fixture(scope="module")
def sound(learned: TrainingResult, micro_model_and_variants: Made) -> tuple[EvaluatedVariant, ...]:
    """The files as they were made."""
    return evaluate(micro_model_and_variants[1], learned, CompressionPlan(), SilentProgress())


def test_an_int8_that_keeps_its_accuracy_is_left_alone(
    sound: tuple[EvaluatedVariant, ...], learned: TrainingResult, micro_model_and_variants: Made
) -> None:
    material = recipe_context(learned, micro_model_and_variants[0], SilentProgress())
    assert (
        apply_accuracy_control(
            sound, lambda: material, learned, CompressionPlan(max_drop=50), SilentProgress()
        )
        is sound
    )


@pytest.mark.parametrize(("lost_on", "remedied"), [("validation", True), ("test", False)])
def test_the_test_side_does_not_decide_about_a_remedy(
    sound: tuple[EvaluatedVariant, ...],
    learned: TrainingResult,
    micro_model_and_variants: Made,
    monkeypatch: pytest.MonkeyPatch,
    lost_on: str,
    remedied: bool,
) -> None:
    class AskedError(Exception):
        pass

    def called(*_: object) -> None:
        raise AskedError

    monkeypatch.setattr(accuracy_control, "apply_accuracy_control", called)
    float32, float16, int8 = sound
    wrong = {lost_on: np.roll(getattr(int8.predictions, lost_on), 1, axis=1)}  # none is right
    poor = (float32, float16, replace(int8, predictions=replace(int8.predictions, **wrong)))
    material = recipe_context(learned, micro_model_and_variants[0], SilentProgress())
    with pytest.raises(AskedError) if remedied else nullcontext():
        assert (
            apply_accuracy_control(
                poor, lambda: material, learned, CompressionPlan(max_drop=50), SilentProgress()
            )
            is poor
        )


def test_a_task_without_a_remedy_keeps_its_int8_and_reports_it(
    sound: tuple[EvaluatedVariant, ...], learned: TrainingResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(learned.task), "recoverable", False)
    float32, float16, int8 = sound
    wrong = np.roll(int8.predictions.validation, 1, axis=1)
    poor = replace(int8, predictions=replace(int8.predictions, validation=wrong))
    variants, sentences = (float32, float16, poor), list[str]()
    progress = SilentProgress()
    monkeypatch.setattr(type(progress), "say", lambda self, sentence: sentences.append(sentence))
    kept = apply_accuracy_control(
        variants, lambda: pytest.fail("no context"), learned, CompressionPlan(), progress
    )
    assert kept is variants
    assert any("no remedy" in sentence for sentence in sentences)


def test_a_threshold_is_stored_where_it_is_reached(
    learned: TrainingResult, micro_model_and_variants: Made
) -> None:
    _, (float32, *_) = micro_model_and_variants
    (with_one,) = evaluate((float32,), learned, CompressionPlan(precision=0.9), SilentProgress())
    assert with_one.threshold is not None and with_one.threshold.met
    about = metadata.read(with_one.variant.content)
    assert about is not None
    assert about.threshold == pytest.approx(with_one.threshold.score)
    assert about.labels == learned.dataset.classes
    (without,) = evaluate((float32,), learned, CompressionPlan(), SilentProgress())
    plain = metadata.read(without.variant.content)
    assert plain is not None and plain.threshold is None


def test_an_unreached_precision_leaves_no_threshold_in_the_file(
    learned: TrainingResult, micro_model_and_variants: Made
) -> None:
    _, (float32, *_) = micro_model_and_variants
    labels = (learned.dataset.labels + 1) % 3  # every answer is wrong
    hopeless = replace(learned, dataset=replace(learned.dataset, labels=labels))
    (evaluated,) = evaluate((float32,), hopeless, CompressionPlan(precision=0.9), SilentProgress())
    assert evaluated.threshold is not None and not evaluated.threshold.met
    about = metadata.read(evaluated.variant.content)
    assert about is not None and about.threshold is None


def test_a_network_is_calibrated_once(learned: TrainingResult, network: ClassifierNetwork) -> None:
    sharp = LinearLayer(network.head.kernel * 9, network.head.bias * 9)
    first = TASK.calibrate(with_network(learned, replace(network, head=sharp)), SilentProgress())
    assert first.temperature > 1
    np.testing.assert_allclose(
        first.network.head.kernel * first.temperature, sharp.kernel, rtol=1e-5
    )
    again = replace(with_network(learned, first.network), calibrated=True)
    assert TASK.calibrate(again, SilentProgress()).temperature == 1
    assert TASK.calibrate(again, SilentProgress()).network is first.network


CONFUSED = CrossValidationSummary(
    0.9, (0.8, 0.95), 60, 5, 3, ((20, 0, 0), (0, 20, 0), (0, 6, 14))
)  # fmt: skip


def judged(validated: CrossValidationSummary | None, min_accuracy: float) -> Verdict:
    """float32 is right about all nine test images; its interval begins at 96 %."""
    result, training = Conversion().result(), Conversion(validated=validated).training()
    float32 = result.variants[0]
    plan = CompressionPlan(limits=Limits(min_quality=min_accuracy))
    return judge_selected(float32, float32.predictions, training, plan)


def test_the_accuracy_is_judged_by_the_cross_validated_head_where_there_is_one() -> None:
    assert judged(None, 0.95).status == "pass"
    alone = judged(None, 0.97)
    assert alone.status == "not-proven" and "from 9 test images" in alone.reason
    assert judged(CONFUSED, 0.79).status == "pass"
    strict = judged(CONFUSED, 0.85)
    assert strict.status == "not-proven" and "from 60 cross-validated images" in strict.reason


def test_weak_classes_are_counted_in_as_many_images_as_there_are() -> None:
    scored = Conversion().result().variants[0].predictions
    (weak,) = TASK.weak_classes(scored, Conversion(validated=CONFUSED).training())
    assert (weak.label, weak.taken_for, weak.count, weak.images) == ("triangle", "square", 6, 20)
    training = Conversion().training()
    assert TASK.weak_classes(scored, training) == ()
    turned = replace(
        scored,
        validation=np.roll(scored.validation, 1, axis=1),
        test=np.roll(scored.test, 1, axis=1),
    )
    counted = sum(weak.count for weak in TASK.weak_classes(turned, training))
    assert counted == len(training.split.validation) + len(training.split.test)
