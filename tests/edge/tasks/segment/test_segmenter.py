"""The task "segment": from labels and options to what is reported and drawn."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import mask_models
import numpy as np
import pytest
import tiny_models
from errors import raises_code

from edge.frame import Frame
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.results import Segmentation
from edge.tasks.segment.segmenter import Segmenter
from edge.tasks.task import TaskSettings

RED, GREEN, BLUE, WHITE, BLACK = (0, 0, 255), (0, 255, 0), (255, 0, 0), (255,) * 3, (0,) * 3
THREE = ("background", "dog", "cat")


@pytest.fixture
def open_segmenter(tmp_path: Path) -> Any:
    def make(model: bytes, labels: tuple[str, ...] | None = THREE, **options: Any) -> Segmenter:
        path = tmp_path / "m.tflite"
        path.write_bytes(
            write_metadata(model, ModelMetadata(labels=labels, mean=(127.5,), std=(127.5,)))
        )
        return Segmenter.open(path, delegate="cpu", threads=1, **options)

    return make


def seen(task: Segmenter, image: Any) -> Segmentation:
    frame = Frame(0, 0.0, image)
    return task.postprocess(task.runtime.invoke(*task.preprocess(frame)), frame)


def test_what_covers_how_much_and_where(open_segmenter: Any) -> None:
    task = open_segmenter(mask_models.scores_model())
    image = mask_models.halves(GREEN, RED)
    image[24:, 32:] = BLUE
    values = seen(task, image)
    dog, cat = values.segments
    assert (dog.label, dog.index, dog.box) == ("dog", 1, (0.0, 0.0, 32.0, 48.0))
    assert (cat.label, cat.index, cat.box) == ("cat", 2, (32.0, 24.0, 64.0, 48.0))
    assert (dog.share, cat.share) == (0.5, 0.25)
    assert values.summary() == "dog 50 %, cat 25 %"
    assert values.to_dict()["segments"][1] == {
        "label": "cat", "index": 2, "share": 0.25, "box": [32.0, 24.0, 64.0, 48.0],
    }  # fmt: skip
    assert (values.mask[10, 10], values.mask[10, 50], values.mask[40, 50]) == (1, 0, 2)


def test_only_the_classes_asked_for_while_the_mask_tells_all(open_segmenter: Any) -> None:
    image = mask_models.halves(GREEN, BLUE)
    task = open_segmenter(mask_models.scores_model(), classes=["cat"])
    values = seen(task, image)
    assert [item.label for item in values.segments] == ["cat"]
    assert set(np.unique(values.mask)) == {1, 2}
    assert task.settings() == TaskSettings(None, ("cat",), ("dog", "cat"))
    other = task.with_settings(TaskSettings(None, ("dog",), ()))
    assert [item.label for item in seen(other, image).segments] == ["dog"]
    every = task.with_settings(TaskSettings(None, None, ()))
    assert len(seen(every, image).segments) == 2
    with raises_code("unknown-class", fix="'cat'"):
        task.with_settings(TaskSettings(None, ("cats",), ()))


def test_the_background_may_have_any_place_among_the_labels(open_segmenter: Any) -> None:
    task = open_segmenter(mask_models.scores_model(), ("pet", "background", "border"))
    assert [item.label for item in seen(task, mask_models.halves(RED, GREEN)).segments] == ["pet"]


def test_a_list_without_the_background_gets_it(open_segmenter: Any) -> None:
    task = open_segmenter(mask_models.classes_model(), ("dog", "cat"))
    assert task.labels == THREE
    assert any("background" in note for note in task.notes)


def test_a_background_that_the_model_lacks_is_left_out(open_segmenter: Any) -> None:
    task = open_segmenter(mask_models.classes_model(), ("background", "road", "sky", "car"))
    assert task.labels == ("road", "sky", "car")
    assert any("background" in note for note in task.notes)
    assert len(seen(task, mask_models.halves(RED, GREEN)).segments) == 2


def test_without_labels_classes_are_numbered(open_segmenter: Any) -> None:
    task = open_segmenter(mask_models.classes_model(), None)
    assert task.labels == ("background", "class 1", "class 2")
    assert any("--labels" in note for note in task.notes)


@pytest.mark.parametrize("model", [mask_models.classes_model(), mask_models.scores_model()])
def test_labels_that_do_not_fit(open_segmenter: Any, model: bytes) -> None:
    with raises_code("labels-count-mismatch", expected="3 ", found="4 "):
        open_segmenter(model, ("a", "b", "c", "d"))


def test_people_of_the_selfie_model_are_called_so(open_segmenter: Any) -> None:
    task = open_segmenter(mask_models.soft_model(), ("selfie",))
    (person,) = seen(task, mask_models.halves(BLACK, WHITE)).segments
    assert (person.label, person.index) == ("person", 1)
    assert task.settings() == TaskSettings(0.5, None, ("person",))
    nobody = task.with_settings(TaskSettings(0.9, None, ()))
    assert seen(nobody, mask_models.halves(BLACK, WHITE)).segments == ()
    with raises_code("labels-count-mismatch", found="3 "):
        open_segmenter(mask_models.soft_model(), THREE)


def test_the_background_is_replaced_behind_the_classes(open_segmenter: Any) -> None:
    task = open_segmenter(mask_models.scores_model(), background="white", classes=["dog"])
    image = mask_models.halves(GREEN, BLUE)
    drawn = task.draw(image, seen(task, image))
    assert (drawn[:, :28] == GREEN).all()
    assert (drawn[:, 36:] == WHITE).all()
    soft = open_segmenter(mask_models.soft_model(), ("selfie",), background="green")
    image = mask_models.halves(BLACK, WHITE)
    drawn = soft.draw(image, seen(soft, image))
    assert (np.abs(drawn[:, 60].astype(int) - WHITE) < 25).all()
    assert drawn[0, 0].tolist() == pytest.approx([64, 177, 0], abs=15)


def test_of_a_soft_mask_the_background_can_be_kept_instead(open_segmenter: Any) -> None:
    image = mask_models.halves(BLACK, WHITE)
    model = mask_models.soft_model()
    kept = open_segmenter(model, ("selfie",), background="green", classes=["background"])
    drawn = kept.draw(image, seen(kept, image))
    assert drawn[0, 0].tolist() == pytest.approx(BLACK, abs=25)
    assert drawn[0, 60].tolist() == pytest.approx([64, 177, 0], abs=25)
    everything = kept.with_settings(TaskSettings(0.5, ("background", "person"), ()))
    assert np.abs(everything.draw(image, seen(everything, image)) - image).max() == 0


def test_people_are_kept_where_nothing_else_is_asked_for(open_segmenter: Any) -> None:
    labels = ("background", "person", "sofa")
    task = open_segmenter(mask_models.scores_model(), labels, background="white")
    assert task.classes == ("person",)
    assert open_segmenter(mask_models.scores_model(), labels).classes is None


def test_the_overlay_tints_what_is_covered_and_nothing_else(open_segmenter: Any) -> None:
    task = open_segmenter(mask_models.scores_model())
    image = mask_models.halves(RED, BLUE)
    drawn = task.draw(image.copy(), seen(task, image))
    assert (drawn[30:, :28] == RED).all()
    assert (drawn[30:, 36:60] != BLUE).any(axis=2).all()


@pytest.mark.parametrize(
    ("options", "code", "fields"),
    [
        ({"classes": ["dgo"]}, "unknown-class", {"fix": "'dog'"}),
        ({"threshold": 1.5}, "invalid-option-value", {"expected": "0 to 1"}),
        ({"smoothing": float("nan")}, "invalid-option-value", {"expected": "smoothing"}),
    ],
)
def test_bad_options(
    open_segmenter: Any, options: dict[str, Any], code: str, fields: dict[str, str]
) -> None:
    with raises_code(code, **fields):
        open_segmenter(mask_models.scores_model(), **options)


def test_a_model_of_another_task(open_segmenter: Any) -> None:
    with raises_code("model-wrong-task"):
        open_segmenter(tiny_models.color_model(), None)


def test_its_delegate_dies_and_the_model_beside_it_goes_on(open_segmenter: Any) -> None:
    task = open_segmenter(mask_models.scores_model())
    image = mask_models.halves(GREEN, RED)
    on_tpu = replace(task, path=task.path.with_name("m_edgetpu.tflite"))
    other = on_tpu.fallback_to_cpu()
    assert (other.path, other.runtime.delegate) == (task.path, "cpu")
    assert seen(other, image).segments == seen(task, image).segments != ()
    with raises_code("cpu-model-missing"):
        other.fallback_to_cpu()


@pytest.mark.parametrize(("value", "fits"), [(1, True), (255, True), (2, False)])
def test_a_class_without_a_label_does_not_vanish(
    open_segmenter: Any, value: int, fits: bool
) -> None:
    # The file does not contain the number of classes: only a mask shows one without a label.
    mask = np.zeros((1, 8, 8), np.int32)
    mask[0, :4] = value
    task = open_segmenter(tiny_models.constant_model(8, mask), labels=("background", "dog"))
    image = mask_models.halves(GREEN, RED)
    if fits:
        assert [segment.label for segment in seen(task, image).segments] == ["dog"] * (value == 1)
    else:
        with raises_code("labels-count-mismatch", expected="class 2", found="2 labels"):
            seen(task, image)
