"""Training decides as documented, says why, and hands on a flat softmax classifier."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import micro_files
import numpy as np
import pytest
from errors import raises_code

from converters.backbone import weights
from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.progress import SilentProgress
from converters.tasks.classify import finetune, head
from converters.tasks.classify.train import train
from converters.training.augment import Augmentation
from converters.training.config import TrainedModel, TrainingOptions
from converters.writer.classifier import ClassifierNetwork
from converters.writer.float_files import to_float32

T = TypeVar("T")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def frozen(backbone: Backbone, shapes: Dataset, shapes_split: Split, cache: Path) -> TrainedModel:
    options = TrainingOptions(fine_tune="never", dropout=0.4, epochs=7)
    return train(backbone, shapes, shapes_split, options, cache, SilentProgress())


@pytest.fixture
def room_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frozen head is never good enough for "auto"."""
    monkeypatch.setattr(finetune, "GOOD_ENOUGH", 1.1)


class Counting(SilentProgress):
    """Progress that keeps how much there was to do."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}

    def track(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:
        self.totals[what] = self.totals.get(what, 0) + total
        return super().track(items, total, what)


def network(trained: TrainedModel) -> ClassifierNetwork:
    assert isinstance(trained.network, ClassifierNetwork)
    return trained.network


def scores(trained: TrainedModel, dataset: Dataset, indices: object) -> np.ndarray:  # type: ignore[type-arg]
    """Of its file, which takes no time to write; the tf_keras model takes seconds to build."""
    return micro_files.scores(to_float32(network(trained).folded()), dataset.pixels[indices])


def test_the_frozen_classifier_knows_images_it_never_saw(
    frozen: TrainedModel, shapes: Dataset, shapes_split: Split
) -> None:
    assert frozen.method == "frozen"
    predicted = scores(frozen, shapes, shapes_split.test).argmax(1)
    assert np.mean(predicted == shapes.labels[shapes_split.test]) > 0.6  # chance: 0.33
    assert frozen.validation_quality > 0.6


def test_the_classifier_is_flat_and_ends_in_a_softmax(
    frozen: TrainedModel, shapes: Dataset, shapes_split: Split
) -> None:
    model = network(frozen).to_keras()
    assert not any(hasattr(layer, "layers") for layer in model.layers)
    assert model.layers[-1].name == "head"
    assert model.output_shape == (None, 3)
    inputs = shapes.preprocessing.normalize(shapes.pixels[shapes_split.test])
    from_model = np.asarray(model(inputs, training=False))
    np.testing.assert_allclose(from_model.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(from_model, scores(frozen, shapes, shapes_split.test), atol=1e-4)


def test_options_without_effect_are_named(frozen: TrainedModel) -> None:
    assert any("--epochs, --dropout" in note for note in frozen.notes)


def test_details_are_for_the_report(frozen: TrainedModel) -> None:
    assert frozen.details["embeddings"] == {"computed": 60, "cached": 0}
    assert frozen.details["head"]["C"] > 0
    assert [curve.x_label for curve in frozen.curves] == ["C (larger: weaker regularization)"]


def test_few_test_images_are_joined_by_a_cross_validation_of_all(
    frozen: TrainedModel, shapes: Dataset, shapes_split: Split
) -> None:
    validated = frozen.cross_validation
    assert validated is not None
    parts = (shapes_split.train, shapes_split.validation, shapes_split.test)
    assert validated.images == sum(map(len, parts)) == np.sum(validated.confusion)
    assert validated.accuracy > 0.6
    assert validated.interval[0] < validated.accuracy


@pytest.mark.parametrize(
    ("module", "limit", "value"),
    # 30 images, 60 with their mirror images; a head on the images alone that is good enough
    [(head, "_MAX_ROWS", 50), (finetune, "GOOD_ENOUGH", 0.5)],
)
def test_views_that_the_head_leaves_out_are_not_embedded(
    backbone: Backbone,
    shapes: Dataset,
    shapes_split: Split,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    limit: str,
    value: float,
) -> None:
    monkeypatch.setattr(module, limit, value)
    progress = Counting()
    options = TrainingOptions(fine_tune="never")
    trained = train(backbone, shapes, shapes_split, options, tmp_path, progress)
    parts = (shapes_split.train, shapes_split.validation, shapes_split.test)
    assert progress.totals["Computing embeddings"] == sum(map(len, parts))  # once each
    assert trained.details["head"]["views"] == ["image"]


def test_auto_leaves_a_good_head_alone(
    backbone: Backbone,
    shapes: Dataset,
    shapes_split: Split,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finetune, "GOOD_ENOUGH", 0.5)
    trained = train(backbone, shapes, shapes_split, TrainingOptions(), cache, SilentProgress())
    assert trained.method == "frozen"
    assert any("Not fine-tuned" in note for note in trained.notes)
    assert "fine_tuning" not in trained.details


@pytest.mark.usefixtures("room_for_more", "untraced")
def test_auto_does_not_start_beyond_the_budget(
    backbone: Backbone, shapes: Dataset, shapes_split: Split, cache: Path
) -> None:
    options = TrainingOptions(budget=0.001)
    trained = train(backbone, shapes, shapes_split, options, cache, SilentProgress())
    assert trained.method == "frozen"
    assert any("0.001 s" in note and "--budget" in note for note in trained.notes)
    assert trained.details["fine_tuning"]["epochs"] == 0


@pytest.mark.usefixtures("room_for_more", "untraced")
def test_auto_keeps_the_frozen_head_where_tuning_is_no_better(
    backbone: Backbone,
    shapes: Dataset,
    shapes_split: Split,
    cache: Path,
    frozen: TrainedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harmful = replace(finetune._TUNING_CONFIG, learning_rate=3.0)
    monkeypatch.setattr(finetune, "_TUNING_CONFIG", harmful)
    options = TrainingOptions(epochs=1, budget=600)
    trained = train(backbone, shapes, shapes_split, options, cache, SilentProgress())
    assert trained.method == "frozen"
    assert any("Fine-tuning discarded" in note for note in trained.notes)
    np.testing.assert_allclose(
        scores(trained, shapes, shapes_split.test),
        scores(frozen, shapes, shapes_split.test),
        atol=1e-5,
    )


@pytest.mark.usefixtures("untraced")
def test_always_tunes_all_but_batch_norm(
    backbone: Backbone, shapes: Dataset, shapes_split: Split, cache: Path
) -> None:
    options = TrainingOptions(fine_tune="always", epochs=2)
    trained = train(backbone, shapes, shapes_split, options, cache, SilentProgress())
    assert trained.method == "fine-tuned"
    assert trained.details["fine_tuning"]["epochs"] == 2
    assert trained.details["fine_tuning"]["seconds_per_step"] > 0
    assert len(trained.curves[1].series["validation accuracy"]) == 2
    before, after = backbone.arrays, network(trained).weights

    def moved(name: str) -> float:
        pairs = zip(before[name], after[name], strict=True)
        return max(float(np.abs(a - b).max()) for a, b in pairs)

    assert moved("Conv1") > 0
    assert moved("block_9_project") > 0
    assert moved("block_9_project_BN") == 0
    best = trained.details["fine_tuning"]["best_epoch"] - 1
    assert trained.validation_quality == trained.curves[1].series["validation accuracy"][best]
    predicted = scores(trained, shapes, shapes_split.validation).argmax(1)
    measured = np.mean(predicted == shapes.labels[shapes_split.validation])
    assert measured == pytest.approx(trained.validation_quality)  # the best was restored


@pytest.fixture(scope="module")
def from_scratch(shapes: Dataset, shapes_split: Split, cache: Path, seed: int) -> TrainedModel:
    """A short run that is judged on what it learned from: 12 steps generalize by luck alone."""
    untrained = weights.load("none", 0.35, 96, seed)
    options = TrainingOptions(
        epochs=12,
        seed=seed,
        fine_tune="always",
        dropout=0.0,
        augmentation=Augmentation.parse("none"),
    )
    sides = replace(shapes_split, validation=shapes_split.train)
    return train(untrained, shapes, sides, options, cache, SilentProgress())


def test_random_weights_are_trained_from_scratch(from_scratch: TrainedModel) -> None:
    assert from_scratch.method == "scratch"
    losses = from_scratch.curves[0].series["training loss"]
    assert losses[-1] < 0.6 * losses[0]
    assert any("--fine-tune" in note for note in from_scratch.notes)


def test_a_short_training_from_scratch_predicts_what_it_learned(
    from_scratch: TrainedModel,
) -> None:
    """Also outside training, where BatchNorm uses its moving averages."""
    assert from_scratch.validation_quality > 0.8


def test_options_out_of_range_are_errors() -> None:
    with raises_code("unknown-option-value", fix="--fine-tune auto"):
        TrainingOptions(fine_tune="sometimes")
    with raises_code("option-out-of-range", expected="--dropout"):
        TrainingOptions(dropout=1.0)
