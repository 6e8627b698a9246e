"""Heads of detectors on outputs that are made by hand, so that the right boxes are known."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from errors import raises_code

from edge.interpreter import TensorSpec
from edge.tasks.detect.heads import head_config, match_head, yolo
from edge.tasks.detect.heads.yolo import Candidates, nms
from edge.tasks.model_config import read_model_config


def runtime(*shapes: tuple[int, ...], side: int = 320, scale: float = 0.0) -> Any:
    """A runtime with a square input and outputs of these shapes."""
    graph = SimpleNamespace(operators=(), outputs=())
    return SimpleNamespace(
        inputs=(TensorSpec("image", (1, side, side, 3), "uint8", 1 / 255, 0),),
        outputs=tuple(
            TensorSpec(f"out{i}", shape, "int8" if scale else "float32", scale, 0)
            for i, shape in enumerate(shapes)
        ),
        file=SimpleNamespace(main=graph),
    )


def logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def test_a_cell_of_a_grid_becomes_the_box_that_darknet_means() -> None:
    actual = runtime((1, 20, 20, 255), (1, 10, 10, 255))
    head = match_head(actual)
    assert isinstance(head, yolo.AnchorGridHead)
    assert head.classes == 80
    fine = np.full((1, 20, 20, 3, 85), -20.0, np.float32)
    coarse = np.full((1, 10, 10, 3, 85), -20.0, np.float32)
    # Anchor (119, 199) of stride 32, cell in column 4 of row 6, its center in the cell's middle.
    coarse[0, 6, 4, 1, :5] = [0, 0, np.log(2), 0, logit(0.9)]
    coarse[0, 6, 4, 1, 5 + 16] = logit(0.8)
    outputs = (fine.reshape(1, 20, 20, 255), coarse.reshape(1, 10, 10, 255))
    got = head(outputs, 0.5)
    assert got.classes.tolist() == [16]
    assert got.scores == pytest.approx([0.72], abs=1e-3)
    center, size = np.array([4.5 / 10, 6.5 / 10]), np.array([238 / 320, 199 / 320])
    np.testing.assert_allclose(
        got.boxes[0], [*(center - size / 2), *(center + size / 2)], atol=1e-4
    )
    assert len(head(outputs, 0.8).scores) == 0


def test_rows_with_objectness_multiply_it() -> None:
    actual = runtime((1, 6300, 8))
    head = match_head(actual)
    assert isinstance(head, yolo.RowsHead)
    assert (head.objectness, head.transposed, head.classes) == (True, False, 3)
    rows = np.zeros((1, 6300, 8), np.float32)
    rows[0, 17] = [0.5, 0.5, 0.2, 0.4, 0.9, 0.1, 0.9, 0.2]
    got = head((rows,), 0.5)
    assert (got.classes.tolist(), got.scores.tolist()) == ([1], pytest.approx([0.81]))
    np.testing.assert_allclose(got.boxes, [[0.4, 0.3, 0.6, 0.7]], atol=1e-6)


@pytest.mark.parametrize("transposed", [False, True])
def test_rows_without_objectness_in_pixels_and_either_way_round(transposed: bool) -> None:
    shape = (1, 7, 2100) if transposed else (1, 2100, 7)
    head = match_head(runtime(shape))
    assert isinstance(head, yolo.RowsHead)
    assert (head.objectness, head.transposed, head.classes) == (False, transposed, 3)
    rows = np.zeros((1, 2100, 7), np.float32)
    rows[0, 3] = [160, 80, 64, 32, 0.1, 0.2, 0.7]
    got = head((rows.transpose(0, 2, 1) if transposed else rows,), 0.5)
    assert got.classes.tolist() == [2]
    np.testing.assert_allclose(got.boxes, [[0.4, 0.2, 0.6, 0.3]], atol=1e-6)


def test_quantized_rows_are_filtered_as_their_real_values_would_be() -> None:
    head = match_head(runtime((1, 2100, 6), scale=0.01))
    assert head is not None
    rows = np.zeros((1, 2100, 6), np.int8)
    rows[0, :3, :4] = [50, 50, 20, 20]
    rows[0, :3, 4] = [39, 40, 41]
    assert len(head((rows,), 0.395).scores) == 2


@pytest.mark.parametrize("shapes", [((1, 1000),), ((1, 17, 3),), ((1, 257, 257, 21),)])
def test_other_outputs_are_not_taken_for_a_detector(shapes: tuple[tuple[int, ...], ...]) -> None:
    assert match_head(runtime(*shapes)) is None


def test_suppression_keeps_the_best_of_a_class_and_other_classes() -> None:
    actual = Candidates(
        np.array([[0.1, 0.1, 0.5, 0.5], [0.12, 0.1, 0.5, 0.5], [0.1, 0.1, 0.5, 0.5],
                  [0.6, 0.6, 0.9, 0.9]], np.float32),
        np.array([0.7, 0.9, 0.6, 0.5], np.float32),
        np.array([0, 0, 1, 0]),
    )  # fmt: skip
    kept = nms(actual, 0.5)
    assert kept.scores.tolist() == pytest.approx([0.9, 0.6, 0.5])
    assert kept.classes.tolist() == [0, 1, 0]


def test_a_described_head(tmp_path: Any) -> None:
    path = tmp_path / "head.toml"
    path.write_text('head = "yolo-grid"\nanchors = { 32 = [[10, 10]] }\nletterbox = false\n')
    head = head_config.build_head(read_model_config(path), runtime((1, 10, 10, 7)), "m.tflite")
    assert (head.classes, head.letterbox) == (2, False)
    with raises_code("model-head-mismatch", expected="yolo-grid", found="1000"):
        head_config.build_head(read_model_config(path), runtime((1, 1000)), "m.tflite")
