"""The public names of ``edge``: one table, one class for each task."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import api_stub
import cv2
import mask_models
import numpy as np
import pytest
import tiny_models
from errors import raises_code

import edge

TASKS = ("Classifier", "Detector", "Tracker", "PoseEstimator", "Segmenter", "PoseMatcher")
RED = np.full((48, 64, 3), (0, 0, 255), np.uint8)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "colors.tflite"
    path.write_bytes(tiny_models.color_classifier())
    return path


def test_the_stub_is_generated_from_the_table() -> None:
    assert api_stub.stub(edge).read_text() == api_stub.render(edge), "run: make snapshot"


def test_every_public_name_exists_and_is_listed() -> None:
    for name in edge.__all__:
        assert getattr(edge, name) is not None
    assert set(edge.__all__) <= set(dir(edge))
    with pytest.raises(AttributeError):
        edge.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", TASKS)
def test_tasks_open_and_predict_alike(name: str) -> None:
    task = getattr(edge, name)
    parameters = inspect.signature(task.open).parameters
    common = {"threshold", "delegate", "threads"}
    assert common <= {key for key, value in parameters.items() if value.kind is value.KEYWORD_ONLY}
    assert parameters["threshold"].default is None
    assert list(inspect.signature(task.predict).parameters) == ["self", "image"]


def test_a_path_and_an_array_give_the_same_result(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "red.png"
    cv2.imwrite(str(path), RED)
    task = edge.Classifier.open(model)
    assert task.predict(RED) == task.predict(path) == task.predict(str(path))
    assert task.predict(RED).best.label == "red"
    np.testing.assert_array_equal(edge.read_image(path), RED)


def test_single_images_are_independent(model: Path) -> None:
    task = edge.Classifier.open(model, smoothing=100)
    assert task.predict(RED).best.label == "red"
    assert task.predict(RED[..., ::-1]).best.label == "blue"


def test_a_name_that_is_no_model_is_an_error() -> None:
    with raises_code("unknown-model", found="'no_such_model'"):
        edge.Classifier.open("no_such_model")


def test_a_result_draws_a_copy(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "mask.tflite"
    path.write_bytes(mask_models.scores_model())
    for task in (edge.Classifier.open(model), edge.Segmenter.open(path)):
        image = np.full((48, 64, 3), (0, 255, 0), np.uint8)
        drawn = task.predict(image).draw(image)
        assert (drawn.shape, drawn.dtype) == (image.shape, np.uint8)
        assert (drawn != image).any()
        assert (image == (0, 255, 0)).all()


@pytest.mark.parametrize(
    "result",
    [
        edge.Detections((edge.Detection("cat", 0, 0.9, (5, 5, 40, 30)),)),
        edge.TrackedDetections(
            (edge.Detection("cat", 0, 0.9, (5, 5, 40, 30), 1),), (), {1: ((9, 9), (20, 30))}
        ),
        edge.Poses((edge.Pose(0.9, tuple(
            edge.Keypoint(name, x, 20.0, 0.9)
            for name, x in (("left_shoulder", 10), ("left_elbow", 30))
        )),)),
        edge.MatchedPoses(()),
    ],
)  # fmt: skip
def test_every_kind_of_result_can_be_drawn(result: Any) -> None:
    drawn = result.draw(RED)
    assert drawn.shape[0] == RED.shape[0]
    assert drawn.shape != RED.shape or (drawn != RED).any()


def test_a_stream_yields_frames_with_their_results(model: Path) -> None:
    task = edge.Classifier.open(model)
    outputs = list(edge.stream(task, "synthetic:64x48?frames=7"))
    assert [output.frame.index for output in outputs] == list(range(7))
    assert all(output.frame.image.shape == (48, 64, 3) for output in outputs)
    assert all(isinstance(output.result, edge.Classification) for output in outputs)
    assert len(list(edge.stream(task, "synthetic:64x48", frames=3))) == 3


def test_a_stream_closes_its_source_when_the_loop_ends(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge import session

    closed = []

    def open_source(uri: str, options: edge.SourceOptions) -> edge.Source:
        source = edge.open_source(uri, options)
        close = source.close
        monkeypatch.setattr(source, "close", lambda: (closed.append(uri), close()))
        return source

    monkeypatch.setattr(session, "open_source", open_source)
    task = edge.Classifier.open(model)
    for _ in edge.stream(task, "synthetic:64x48"):
        break
    assert closed == ["synthetic:64x48"]
    closed.clear()
    with pytest.raises(ZeroDivisionError):
        for output in edge.stream(task, "synthetic:64x48"):
            output.frame.index / 0
    assert closed == ["synthetic:64x48"]


def test_a_stream_checks_its_source_before_the_first_frame(model: Path) -> None:
    task = edge.Classifier.open(model)
    with raises_code("source-needs-web-sink"):
        next(edge.stream(task, "browser"))
    with raises_code("unknown-source"):
        next(edge.stream(task, "sinthetic:"))


@pytest.mark.parametrize(
    "image", [None, b"x", [[1]], RED[..., 0], RED[:0], RED.astype(float), np.dstack([RED, RED])]
)
def test_only_images_are_predicted_and_drawn_on(model: Path, image: Any) -> None:
    task = edge.Classifier.open(model)
    result = task.predict(RED)
    with raises_code("invalid-image-array"):
        task.predict(image)
    with raises_code("invalid-image-array"):
        result.draw(image)


def test_a_result_is_drawn_on_an_image_file(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "red.png"
    cv2.imwrite(str(path), RED)
    result = edge.Classifier.open(model).predict(path)
    np.testing.assert_array_equal(result.draw(path), result.draw(RED))


def test_a_mask_is_drawn_only_on_an_image_of_its_size() -> None:
    result = edge.Segmentation((), np.zeros((48, 64), np.uint8))
    assert result.draw(RED).shape == RED.shape
    with raises_code("invalid-image-array"):
        result.draw(RED[:20])


@pytest.mark.parametrize("options", [{"top": 0}, {"threads": 0}, {"threads": -1}])
def test_counts_are_at_least_one(model: Path, options: dict[str, int]) -> None:
    with raises_code("invalid-option-value"):
        edge.Classifier.open(model, **options)


def test_a_string_is_not_a_list_of_names(model: Path) -> None:
    task = edge.Classifier.open(model)
    with raises_code("not-a-list", found="the string 'red'", fix="use ['red']"):
        task.with_settings(replace(task.settings(), classes="red"))
    with raises_code("not-a-list"):
        edge.PoseEstimator.open(model, count="squat")
    with raises_code("not-a-list"):
        edge.run(task, "synthetic:64x48?frames=1", "none")


def test_the_text_of_a_task_leaves_out_its_labels(model: Path) -> None:
    text = repr(edge.Classifier.open(model))
    assert "colors.tflite" in text
    assert "green" not in text
