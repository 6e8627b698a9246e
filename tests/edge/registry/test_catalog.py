"""The shipped registry, and invalid ones."""

import re

import pytest
from errors import raises_code

from edge.registry.catalog import entries, find, read
from edge.task_kinds import model_tasks

GOOD = """
[origins.here]
about = "A test"
url = "http://localhost/"
licence = "Apache-2.0"

[models.one]
task = "detect"
origin = "here"
input = "32x32"
model = { file = "one.tflite" }
"""


def test_every_url_is_pinned_to_a_commit_or_version():
    for entry in entries().values():
        for file in entry.files:
            assert re.search(r"/[0-9a-f]{40}/|/mediapipe-models/.+/\d+/[^/]+$", file.url), file.url
            assert file.url.startswith("https://")
            assert " " not in file.url


def test_every_file_has_a_checksum_or_is_marked_unverified():
    """Only models of MediaPipe, which pins no commit, are unverified at first; labels never."""
    for entry in entries().values():
        for file in entry.files:
            assert (file.checked == "first pull") == ("mediapipe-models" in file.url)
            assert (file.sha256 is None) or (file.blob is None)
        if entry.labels is not None:
            assert entry.labels.checked == "sha256"


def test_files_of_a_model_have_different_names():
    for entry in entries().values():
        names = [file.name for file in entry.files]
        assert len(set(names)) == len(names)
        if entry.edgetpu is not None:  # as edge.tasks.loading finds the one from the other
            assert entry.edgetpu.name == entry.model.name.replace(".tflite", "_edgetpu.tflite")


def test_every_task_has_a_model():
    assert {entry.task for entry in entries().values()} == set(model_tasks())
    assert all(re.fullmatch(r"\d+x\d+", entry.input) for entry in entries().values())
    assert all(entry.license for entry in entries().values())


def test_the_models_of_the_demos_are_in_the_registry():
    for name in (
        "mobilenet_v2_1.0_224_quant", "ssd_mobilenet_v1_coco", "deeplabv3_pascal",
        "selfie_segmenter", "movenet_lightning", "pose_landmarker_full",
    ):  # fmt: skip
        assert find(name).name == name


def test_the_nearest_name_is_suggested():
    with raises_code("unknown-model", found="inceptoin_v1", fix="'inception_v1'"):
        find("inceptoin_v1")
    with raises_code("unknown-model", fix="edge models list"):
        find("zzz")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[models.one]", "[models.one", "Expected"),
        ('task = "detect"', 'task = "guess"', "one: task is 'guess'"),
        ('task = "detect"', "", "one: no task"),
        ('input = "32x32"', "input = 32", "one: input is 32"),
        ('input = "32x32"', 'inptu = "32x32"', "one: unknown key 'inptu'"),
        ('origin = "here"', 'origin = "there"', "one: no origin 'there'"),
        ('url = "http://localhost/"', "", "origin here: no url"),
        ('{ file = "one.tflite" }', '"one.tflite"', "one: model is 'one.tflite'"),
        ('file = "one.tflite"', 'file = "one.tflite", blob = "12"', "one.model: blob is not 40"),
        ('file = "one.tflite"', 'file = "one.tflite", bytes = true', "one.model: bytes is True"),
        ('file = "one.tflite"', "bytes = 3", "one.model: no file"),
        ("[models.one]", "[modles.one]", "unknown key 'modles'"),
    ],
)
def test_an_invalid_registry_is_reported_with_its_location(tmp_path, old, new, reason):
    path = tmp_path / "models.toml"
    path.write_text(GOOD)
    assert list(read(path)) == ["one"]
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with raises_code("registry-damaged", found=reason) as caught:
        read(path)
    assert str(path) in caught.value.found


def test_a_missing_registry_is_reported(tmp_path):
    with raises_code("registry-damaged", found="absent.toml"):
        read(tmp_path / "absent.toml")
