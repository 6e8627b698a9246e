from collections.abc import Callable
from pathlib import Path

import color_photos
import numpy as np
import pytest
from errors import raises_code
from full_disk import full_disk

import edge
from edge.modelfile.labels import read_labels
from edge.teaching.examples import EXAMPLES_FILE
from edge.teaching.teacher import Teacher

OpenTeacher = Callable[[], Teacher]


def counted_embeddings(teacher: Teacher, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    calls: list[object] = []
    runtime, invoke = teacher.extractor.runtime, teacher.extractor.runtime.invoke
    monkeypatch.setattr(
        type(runtime), "invoke", lambda self, *a: (calls.append(self), invoke(*a))[1]
    )
    return calls


def test_a_new_class_is_recognized_as_soon_as_it_was_learned(teacher: Teacher) -> None:
    assert teacher.predict(color_photos.image("red", 99)).best.label == "red"
    for seed in range(5):
        teacher.add(color_photos.image("green", seed), "green")
    teacher.learn()
    assert teacher.predict(color_photos.image("green", 99)).best.label == "green"
    assert teacher.predict(color_photos.image("blue", 99)).best.label == "blue"


def test_the_saved_file_has_labels_and_is_what_predicts(teacher: Teacher) -> None:
    model = teacher.save()
    assert model == teacher.out / "model.tflite"
    assert read_labels(teacher.out / "labels.txt") == ("blue", "red")
    classifier = edge.Classifier.open(model)
    assert classifier.labels == ("blue", "red")
    image = color_photos.image("red", 99)
    assert classifier.predict(image).best == teacher.predict(image).best


def test_the_model_alone_can_be_saved(teacher: Teacher, tmp_path: Path) -> None:
    model = teacher.save(tmp_path / "colors.tflite")
    assert edge.Classifier.open(model).labels == ("blue", "red")
    assert not teacher.out.exists()


def test_images_are_whole_files_in_the_folder_of_their_class(teacher: Teacher) -> None:
    path = teacher.add(color_photos.image("green"), "green")
    assert path.parent == teacher.photos.root / "green"
    assert edge.read_image(path).shape == (24, 32, 3)
    assert teacher.counts == {"blue": 10, "red": 10, "green": 1}


def test_a_session_goes_on_where_it_was(
    teacher: Teacher, open_teacher: OpenTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher.reorder(["red", "blue"])
    teacher.learn()
    teacher.save()
    teacher.add(color_photos.image("red", 50), "red")  # and then the program is killed
    calls = counted_embeddings(teacher, monkeypatch)
    again = open_teacher()
    assert again.labels == ("red", "blue")
    assert again.counts == {"red": 11, "blue": 10}
    assert len(calls) == 1  # the one that was not saved


def test_classes_without_images_are_kept_by_their_embeddings(
    teacher: Teacher, open_teacher: OpenTeacher, notes: list[str]
) -> None:
    teacher.save()
    teacher.photos.remove_class("blue")
    again = open_teacher()
    assert again.counts == {"blue": 10, "red": 10}
    assert any("--forget blue" in note for note in notes)
    again.add(color_photos.image("green"), "green")
    assert again.predict(color_photos.image("blue", 99)).best.label == "blue"
    again.forget("blue")
    again.learn()
    again.save()
    assert open_teacher().labels == ("green", "red") or open_teacher().labels == ("red", "green")


def test_embeddings_of_another_backbone_are_not_used(
    teacher: Teacher, photos: Path, tmp_path: Path
) -> None:
    import tiny_models

    teacher.save()
    other = tmp_path / "other.tflite"
    other.write_bytes(tiny_models.color_model("uint8"))
    again = Teacher.open(photos, backbone=other, say=print)
    assert {each.dtype for each in [again.examples.codes]} == {np.dtype(np.uint8)}
    assert again.predict(color_photos.image("red", 99)).best.label == "red"


def test_a_damaged_file_of_embeddings_costs_only_time(
    teacher: Teacher, open_teacher: OpenTeacher
) -> None:
    teacher.save()
    file = teacher.out / EXAMPLES_FILE
    file.write_bytes(file.read_bytes()[:-200])
    assert open_teacher().counts == {"blue": 10, "red": 10}


def test_what_was_done_can_be_undone(teacher: Teacher) -> None:
    assert teacher.undo() is None
    teacher.remove("red", ["000.png", "001.png"])
    teacher.rename("blue", "sky")
    teacher.forget("sky")
    added = teacher.add(color_photos.image("green"), "green")
    assert teacher.counts == {"red": 8, "green": 1}

    teacher.undo()
    assert not added.exists()
    teacher.undo()
    assert teacher.counts["sky"] == 10
    teacher.undo()
    assert (teacher.photos.root / "blue" / "003.png").exists()
    teacher.undo()
    assert teacher.counts == {"blue": 10, "red": 10, "green": 0}
    assert [path.name for path in teacher.images("red")][:2] == ["000.png", "001.png"]
    assert teacher.undo() is None


def test_removed_images_are_kept_and_are_no_class(
    teacher: Teacher, open_teacher: OpenTeacher
) -> None:
    teacher.remove("red", ["000.png"])
    assert (teacher.photos.root / ".trash" / "red" / "000.png").exists()
    assert open_teacher().counts == {"blue": 10, "red": 9}


def test_names_that_are_not_there_are_told(teacher: Teacher) -> None:
    with raises_code("unknown-class", found="rde", fix="red"):
        teacher.forget("rde")
    with raises_code("unknown-image", found="nothing.png"):
        teacher.remove("red", ["nothing.png"])
    with raises_code("label-taken", found="blue"):
        teacher.rename("red", "blue")
    with raises_code("invalid-label", found="a/b"):
        teacher.rename("red", "a/b")
    with raises_code("unknown-class"):
        teacher.reorder(["red"])
    assert teacher.counts == {"blue": 10, "red": 10}


def test_one_class_is_not_enough(teacher: Teacher) -> None:
    teacher.forget("blue")
    with raises_code("too-few-classes", found="red"):
        teacher.learn()
    with raises_code("too-few-classes"):
        teacher.save()


def test_a_full_disk_keeps_the_earlier_model(teacher: Teacher) -> None:
    before = teacher.save().read_bytes()
    teacher.add(color_photos.image("green"), "green")
    teacher.learn()
    with full_disk(), raises_code("output-not-writable"):
        teacher.save()
    with full_disk(), raises_code("output-not-writable"):
        teacher.add(color_photos.image("green", 1), "green")
    assert (teacher.out / "model.tflite").read_bytes() == before
    assert teacher.counts["green"] == 1
    assert not list(teacher.photos.root.rglob("*.partial"))


def test_two_hundred_classes(teacher: Teacher, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    patterns = [rng.integers(0, 256, (4, 4, 3)).astype(np.uint8) for _ in range(200)]
    for number, pattern in enumerate(patterns):
        for _ in range(2):
            teacher.add(pattern, f"pattern {number}")
    assert teacher.assess().accuracy == pytest.approx(1, abs=0.05)
    teacher.learn()
    classifier = edge.Classifier.open(teacher.save())
    assert len(classifier.labels) == 202
    right = [classifier.predict(p).best.label == f"pattern {i}" for i, p in enumerate(patterns)]
    assert np.mean(right) > 0.9


@pytest.mark.parametrize("where", [".", "inside", ".."])
def test_the_model_does_not_go_among_the_images(photos: Path, backbone: Path, where: str) -> None:
    with raises_code("output-overlaps-input"):
        Teacher.open(photos, photos / where, backbone=backbone)


def test_a_result_of_convert_is_not_overwritten(photos: Path, backbone: Path) -> None:
    out = photos.parent / "out"
    out.mkdir()
    (out / "report.json").write_text("{}")
    with raises_code("output-folder-not-empty", found="edge convert"):
        Teacher.open(photos, out, backbone=backbone)
