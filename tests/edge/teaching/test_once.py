import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import color_photos
import pytest
import tiny_models
from errors import error_code, raises_code

import edge

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_command_learns_and_tells_how_well(
    run_here: RunEdge, photos: Path, backbone: Path
) -> None:
    done = run_here("teach", photos, "--once", "--backbone", backbone, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["accuracy"] == 1.0
    assert [each["count"] for each in told["classes"]] == [10, 10]
    convert = shlex.split(told["next_steps"][-1]["command"])
    assert convert[:4] == ["edge", "convert", str(photos), "-o"]
    assert not Path(convert[4]).exists()  # the model's folder is taken
    model = photos.parent / "photos-model" / "model.tflite"
    assert told["model"] == str(model)
    assert edge.Classifier.open(model).predict(color_photos.image("red", 77)).best.label == "red"


@pytest.mark.parametrize(
    "options",
    [("--source", "browser"), ("--source", "0"), ("--size", "640x480"), ("--fps", "5"),
     ("--rotate", "90"), ("--hflip",), ("--exposure", "3"), ("--address", "0.0.0.0")],
)  # fmt: skip
def test_options_of_camera_and_page_are_refused_without_them(
    run_here: RunEdge, photos: Path, options: tuple[str, ...]
) -> None:
    done = run_here("teach", photos, "--once", *options)
    assert (done.returncode, error_code(done.stderr)) == (2, "conflicting-options")
    assert options[0] in done.stderr
    assert not (photos.parent / "photos-model").exists()


def test_the_folder_is_a_data_set_of_the_builtin_backbone(photos: Path) -> None:
    result = edge.teach(photos, say=print)
    classifier = edge.Classifier.open(result.model.parent)
    assert (classifier.preprocessing.width, classifier.preprocessing.height) == (160, 160)
    assert classifier.predict(color_photos.image("blue", 77)).best.label == "blue"


@pytest.mark.parametrize(("inside", "named"), [(".", "."), ("red", ".."), ("red", "../.")])
def test_the_folder_may_be_where_one_is(
    photos: Path, backbone: Path, monkeypatch: pytest.MonkeyPatch, inside: str, named: str
) -> None:
    monkeypatch.chdir(photos / inside)
    result = edge.teach(named, backbone=backbone, say=print)
    assert result.model.samefile(photos.parent / "photos-model" / "model.tflite")


def test_a_weak_class_gets_a_hint(photos: Path, backbone: Path) -> None:
    color_photos.write(photos / "crimson", "red", 10, start=500)
    result = edge.teach(photos, backbone=backbone, say=print)
    hints = {each.label: each.hint for each in result.assessment.classes}
    assert "crimson" in hints["crimson"]
    assert "are taken for red" in hints["crimson"]
    assert not hints["blue"]


def test_broken_images_are_left_out_and_told(photos: Path, backbone: Path) -> None:
    (photos / "red" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much")
    notes: list[str] = []
    result = edge.teach(photos, backbone=backbone, say=notes.append)
    assert result.counts == {"blue": 10, "red": 10}
    assert any("broken.jpg" in note for note in notes)


def test_one_image_per_class_is_learned_and_not_judged(tmp_path: Path, backbone: Path) -> None:
    for label in ("red", "green"):
        color_photos.write(tmp_path / "few" / label, label, 1)
    result = edge.teach(tmp_path / "few", backbone=backbone, say=print)
    assert result.assessment.accuracy is None
    assert edge.Classifier.open(result.model).predict(
        color_photos.image("green", 9)
    ).best.label == ("green")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "float32"])
def test_any_classifier_is_a_backbone(photos: Path, tmp_path: Path, dtype: str) -> None:
    backbone = tmp_path / "any.tflite"
    backbone.write_bytes(tiny_models.color_model(dtype))
    result = edge.teach(photos, backbone=backbone, say=print)
    assert edge.Classifier.open(result.model).predict(color_photos.image("red", 77)).best.label == (
        "red"
    )


def test_an_earlier_result_is_a_backbone(photos: Path, backbone: Path, tmp_path: Path) -> None:
    edge.teach(photos, tmp_path / "first", backbone=backbone, say=print)
    result = edge.teach(photos, tmp_path / "second", backbone=tmp_path / "first", say=print)
    assert result.assessment.accuracy == 1.0


def test_forgotten_classes_are_not_learned(photos: Path, backbone: Path) -> None:
    color_photos.write(photos / "green", "green", 4)
    result = edge.teach(photos, backbone=backbone, forget=["blue"], say=print)
    assert list(result.counts) == ["green", "red"]
    assert not (photos / "blue").exists()


def test_a_detector_has_no_embedding(run_here: RunEdge, photos: Path, tmp_path: Path) -> None:
    detector = tmp_path / "detector.tflite"
    detector.write_bytes(tiny_models.ssd_model())
    done = run_here("teach", photos, "--once", "--backbone", detector)
    assert (done.returncode, error_code(done.stderr)) == (2, "model-without-embedding")
    assert not (photos.parent / "photos-model").exists()


def test_a_compiled_backbone_needs_its_device(photos: Path, tmp_path: Path) -> None:
    compiled = tmp_path / "extractor_edgetpu.tflite"
    compiled.write_bytes(tiny_models.compiled_extractor(0.02))
    with pytest.raises(edge.DelegateError):
        edge.teach(photos, backbone=compiled, say=print)


def test_an_empty_class_is_told(photos: Path, backbone: Path) -> None:
    (photos / "green").mkdir()
    with raises_code("empty-class", found="green"):
        edge.teach(photos, backbone=backbone, say=print)


def test_one_class_waits_for_the_second(photos: Path, backbone: Path) -> None:
    for path in (photos / "blue").iterdir():
        path.unlink()
    (photos / "blue").rmdir()
    with raises_code("too-few-classes", found="red"):
        edge.teach(photos, backbone=backbone, say=print)


def test_folders_that_are_no_data_set(photos: Path, backbone: Path, tmp_path: Path) -> None:
    with raises_code("dataset-not-found"):
        edge.teach(tmp_path / "nowhere", backbone=backbone)
    with raises_code("no-class-folders"):
        edge.teach(photos / "red", backbone=backbone)
    with raises_code("no-class-folders", found="blue"):
        edge.teach(photos.parent, tmp_path.parent / "elsewhere", backbone=backbone)
    (tmp_path / "phone" / "cup").mkdir(parents=True)
    (tmp_path / "phone" / "cup" / "1.heic").write_bytes(b"0")
    with raises_code("image-format-unsupported", found="HEIC"):
        edge.teach(tmp_path / "phone", backbone=backbone)
