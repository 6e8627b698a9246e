"""Raw outputs by level become boxes; models with other outputs are left to other heads."""

import numpy as np
import pytest

from edge.interpreter import TensorSpec
from edge.tasks.detect.heads import levels


def spec(name: str, shape: tuple[int, ...], scale: float = 0.0, zero_point: int = 0) -> TensorSpec:
    dtype = "int8" if scale else "float32"
    return TensorSpec(name=name, shape=shape, dtype=dtype, scale=scale, zero_point=zero_point)


SPECS = (
    spec("boxes/16", (1, 4, 4, 4)),
    spec("classes/16", (1, 4, 4, 3)),
    spec("boxes/32", (1, 2, 2, 4)),
    spec("classes/32", (1, 2, 2, 3)),
)


def empty() -> list[np.ndarray]:
    return [np.full(each.shape, -9.0, np.float32) for each in SPECS]


def test_a_box_is_where_its_code_says() -> None:
    """Code of SSD with scales of 4 against an anchor of 4 cells around the cell's middle."""
    head = levels.match(SPECS, (64, 64))
    assert head is not None and head.classes == 3
    outputs = empty()
    outputs[1][0, 1, 2, 2] = 0.0
    outputs[0][0, 1, 2] = [0.5, -0.25, 4 * np.log(0.25), 4 * np.log(0.5)]
    found = head(tuple(outputs), 0.4)
    assert found.classes.tolist() == [2] and found.scores.tolist() == [0.5]
    # Middle of the cell: x 40, y 24; 0.5 and -0.25 cells from there; 16 high and 32 wide.
    np.testing.assert_allclose(found.boxes[0] * 64, [20, 24, 52, 40], atol=1e-4)


def test_quantized_outputs_are_decoded_alike() -> None:
    scaled = tuple(spec(each.name, each.shape, 0.05, -10) for each in SPECS)
    real = empty()
    rng = np.random.default_rng(0)
    for array in real:
        array[:] = rng.uniform(-3, 3, array.shape)
    codes = [np.clip(np.rint(a / 0.05) - 10, -128, 127).astype(np.int8) for a in real]
    exact = [(c.astype(np.float32) + 10) * np.float32(0.05) for c in codes]
    first, second = levels.match(scaled, (64, 64)), levels.match(SPECS, (64, 64))
    assert first is not None and second is not None
    quantized, expected = first(tuple(codes), 0.3), second(tuple(exact), 0.3)
    assert len(expected.scores) > 10
    np.testing.assert_allclose(quantized.boxes, expected.boxes, atol=1e-5)
    np.testing.assert_allclose(quantized.scores, expected.scores, atol=1e-5)


def test_the_order_of_outputs_does_not_matter() -> None:
    shuffled = levels.match(SPECS[::-1], (64, 64))
    assert shuffled is not None
    outputs = empty()
    outputs[3][0, 1, 0, 1] = 2.0
    outputs[2][0, 1, 0] = 0.0
    found = shuffled(tuple(outputs[::-1]), 0.5)
    np.testing.assert_allclose(found.boxes[0] * 64, [16 - 64, 48 - 64, 16 + 64, 48 + 64])


def test_a_score_that_is_no_number_is_kept_for_the_detector_to_report() -> None:
    head = levels.match(SPECS, (64, 64))
    outputs = empty()
    outputs[1][0, 0, 0, 0] = np.nan
    assert head is not None
    assert np.isnan(head(tuple(outputs), 0.5).scores).all()


def test_anchors_decode_the_same_boxes() -> None:
    """They are what TFLite_Detection_PostProcess decodes with."""
    table = levels.anchors(64, (16, 32))
    assert table.shape == (20, 4)
    rng = np.random.default_rng(1)
    coded = rng.uniform(-2, 2, (16, 4)).astype(np.float32)
    y, x, height, width = coded.T / 4
    anchor = table[:16]
    middle = np.stack([x * anchor[:, 3] + anchor[:, 1], y * anchor[:, 2] + anchor[:, 0]], axis=1)
    extent = np.stack([np.exp(width) * anchor[:, 3], np.exp(height) * anchor[:, 2]], axis=1)
    rows, columns = np.divmod(np.arange(16), 4)
    decoded = levels.decode(coded, np.stack([columns, rows], axis=1), 16) / 64
    np.testing.assert_allclose(
        decoded, np.concatenate([middle - extent / 2, middle + extent / 2], axis=1), atol=1e-5
    )


@pytest.mark.parametrize(
    "specs",
    [
        SPECS[:3],
        (spec("boxes/16", (1, 4, 4, 4)), spec("boxes/32", (1, 2, 2, 4))),
        (spec("boxes/16", (1, 8, 8, 4)), spec("classes/16", (1, 8, 8, 3))),
        (spec("boxes/0", (1, 4, 4, 4)), spec("classes/0", (1, 4, 4, 3))),
        (*SPECS[:2], SPECS[2], spec("classes/32", (1, 2, 2, 5))),
        (spec("output_0", (1, 4, 4, 4)), spec("output_1", (1, 4, 4, 3))),
    ],
)
def test_other_outputs_are_no_levels(specs: tuple[TensorSpec, ...]) -> None:
    assert levels.match(specs, (64, 64)) is None
