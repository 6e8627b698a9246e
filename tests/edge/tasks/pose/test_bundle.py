"""Bundles of MediaPipe's models, and what is said where one cannot be had."""

import io
import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import tiny_models
from errors import raises_code

from edge import registry
from edge.errors import ModelError
from edge.installation import install_command
from edge.modelfile import metadata
from edge.tasks.pose import bundle, landmarker
from edge.tasks.pose.estimator import PoseEstimator


def without_mediapipe(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bundle, landmarker):
        monkeypatch.setattr(module, "installed", lambda: None)


def without_models(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As MediaPipe is from version 1 on."""
    monkeypatch.setattr(bundle, "installed", lambda: "1.2.2")
    actual = SimpleNamespace(submodule_search_locations=[str(folder)])
    monkeypatch.setattr(bundle.util, "find_spec", lambda _: actual)


def test_a_bundle_is_a_zip_that_says_how_pixels_are_normalized() -> None:
    detector, landmarks = tiny_models.color_model(), tiny_models.color_model("float32")
    created = bundle.pack_pose_bundle(detector, landmarks)
    assert created == bundle.pack_pose_bundle(detector, landmarks)  # byte by byte
    with zipfile.ZipFile(io.BytesIO(created)) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.read("pose_detector.tflite") == detector
        about = metadata.read(archive.read("pose_landmarks_detector.tflite"))
    assert about is not None
    assert (about.mean, about.std) == ((0.0,), (255.0,))


def test_what_is_no_model_is_not_packed() -> None:
    with pytest.raises(ModelError):
        bundle.pack_pose_bundle(tiny_models.color_model(), b"nothing")


@pytest.mark.parametrize(
    ("files", "values"),
    [
        ({"hand_detector.tflite": b"x"}, "hand_detector.tflite"),
        ({}, "nothing"),
        (None, "hand.task"),
    ],
)
def test_a_task_of_another_kind(
    tmp_path: Path, files: dict[str, bytes] | None, values: str
) -> None:
    path = tmp_path / "hand.task"
    if files is None:
        path.write_bytes(b"no zip")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    with raises_code("invalid-pose-bundle", found=values, fix="edge models export pose"):
        PoseEstimator.open(path)


def test_a_task_where_mediapipe_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_mediapipe(monkeypatch)
    path = tmp_path / "pose.task"
    path.write_bytes(bundle.pack_pose_bundle(*2 * [tiny_models.color_model("float32")]))
    with raises_code("missing-package", fix="[pose]") as error:
        PoseEstimator.open(path)
    assert error.value.fix.startswith(install_command("pose"))


def test_there_is_no_edge_tpu_for_a_task(tmp_path: Path) -> None:
    path = tmp_path / "pose.task"
    path.write_bytes(bundle.pack_pose_bundle(*2 * [tiny_models.color_model("float32")]))
    with raises_code("model-not-for-edgetpu", fix="movenet_lightning"):
        PoseEstimator.open(path, delegate="edgetpu")


@pytest.mark.parametrize("cut", [0, 1000])
def test_a_damaged_bundle_in_the_cache_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path / "cache"))
    without_models(monkeypatch, tmp_path)
    model = tiny_models.color_model("float32")
    for name in ("pose_detection/pose_detection", "pose_landmark/pose_landmark_full"):
        file = tmp_path / f"modules/{name}.tflite"
        file.parent.mkdir(parents=True)
        file.write_bytes(model)
    path = bundle.wheel_bundle()
    right = path.read_bytes()
    assert right == bundle.pack_pose_bundle(model, model)
    path.write_bytes(right[:cut])
    assert bundle.wheel_bundle().read_bytes() == right
    path.write_bytes(right.replace(model[100:140], bytes(40), 1))
    assert bundle.wheel_bundle().read_bytes() == right


def test_exporting_where_the_models_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_models(monkeypatch, tmp_path)
    with raises_code("package-without-models", fix="edge models export pose -o"):
        bundle.wheel_bundle()
    without_mediapipe(monkeypatch)
    with raises_code("missing-package", fix="[pose]") as error:
        bundle.wheel_bundle()
    assert error.value.fix == install_command("pose")


@pytest.mark.parametrize("installed", [True, False])
def test_movenet_takes_over_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, movenet_file: object, installed: bool
) -> None:
    if installed:
        without_models(monkeypatch, tmp_path)
    else:
        without_mediapipe(monkeypatch)
    model = movenet_file(np.zeros((17, 3)))  # type: ignore[operator]
    monkeypatch.setattr(
        registry, "resolve_model", lambda name, *_: {"movenet_lightning": model}[name]
    )
    (note,) = PoseEstimator.open(threads=1).notes
    assert "MoveNet" in note
    assert ("edge models export pose" if installed else "pip install") in note


def test_a_bundle_that_was_pulled_is_taken_where_mediapipe_carries_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path / "cache"))
    without_models(monkeypatch, tmp_path)
    with raises_code("package-without-models", fix="edge models pull pose_landmarker_full"):
        bundle.default_bundle()
    pulled = tmp_path / "cache/models/pose_landmarker_full/pose_landmarker_full.task"
    pulled.parent.mkdir(parents=True)
    pulled.touch()
    assert bundle.default_bundle() == pulled
    without_mediapipe(monkeypatch)
    with raises_code("missing-package"):  # nothing could run it
        bundle.default_bundle()


def test_something_else_that_is_called_mediapipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landmarker, "installed", lambda: "1.2.2")
    monkeypatch.setitem(sys.modules, "mediapipe", ModuleType("mediapipe"))
    path = tmp_path / "pose.task"
    path.write_bytes(bundle.pack_pose_bundle(*2 * [tiny_models.color_model("float32")]))
    with raises_code("package-broken", found="1.2.2"):
        PoseEstimator.open(path)


def test_neither_of_them_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object) -> Path:
        raise ModelError("movenet_lightning", "no network", "use a file", code="download-failed")

    without_mediapipe(monkeypatch)
    monkeypatch.setattr(registry, "resolve_model", offline)
    with raises_code("download-failed", kind="ModelError", found="no network") as caught:
        PoseEstimator.open()
    assert "no MediaPipe" in caught.value.found
    assert install_command("pose") in caught.value.found
    assert caught.value.fix == "use a file"
