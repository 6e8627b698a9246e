"""Outputs that are masks, and the masks in pixels of the frame."""

from typing import Any

import mask_models
import numpy as np
import pytest
from errors import raises_code

from edge import interpreter
from edge.frame import Frame
from edge.interpreter import TensorSpec
from edge.tasks.segment.masks import (
    ClassMaskDecoder,
    MaskDecoder,
    ProbabilityAverage,
    ProbabilityMaskDecoder,
    enlarged_classes,
    match_decoder,
)

RED, BLUE, WHITE, BLACK = (0, 0, 255), (255, 0, 0), (255, 255, 255), (0, 0, 0)


def read(model: bytes, image: Any, **options: float) -> tuple[MaskDecoder, Any, Any]:
    runtime = interpreter.load(model, name="m.tflite", delegate="cpu", threads=1)
    reader = match_decoder(runtime, options.get("score", 0.5), options.get("smoothing", 0.0))
    assert reader is not None
    small = image[3::6, 4::8, ::-1].astype(np.float32) / 127.5 - 1
    outputs = runtime.invoke(np.ascontiguousarray(small[None]))
    mask, cover = reader(outputs[0], Frame(0, 0.0, image))
    assert mask.shape == image.shape[:2]
    assert mask.dtype == np.uint8
    return reader, mask, cover


@pytest.mark.parametrize("model", [mask_models.scores_model(), mask_models.classes_model(),
                                   mask_models.classes_model(mask_models.INT32)])  # fmt: skip
def test_classes_and_scores_give_a_class_for_each_pixel(model: bytes) -> None:
    reader, mask, cover = read(model, mask_models.halves(RED, BLUE))
    assert isinstance(reader, ClassMaskDecoder)
    assert reader.classes == 3
    assert cover is None
    assert (mask[:, :30] == 0).all()
    assert (mask[:, 34:] == 2).all()


@pytest.mark.parametrize("logits", [False, True])
def test_a_probability_gives_a_mask_and_a_cover(logits: bool) -> None:
    model = mask_models.soft_model(logits)
    reader, mask, cover = read(model, mask_models.halves(BLACK, WHITE))
    assert isinstance(reader, ProbabilityMaskDecoder)
    assert (mask[:, :28] == 0).all()
    assert (mask[:, 36:] == 1).all()
    assert cover[0, 0] < 20
    assert cover[0, -1] > 235
    assert (np.diff(cover[0].astype(int)) >= 0).all()


def test_the_threshold_moves_mask_and_cover() -> None:
    gray = mask_models.halves((160, 160, 160), (160, 160, 160))  # a probability of 0.56
    reader, mask, cover = read(mask_models.soft_model(), gray)
    assert (mask == 1).all()
    assert (cover > 127).all()
    strict = reader.with_threshold(0.7)
    assert strict.threshold == 0.7
    probability = np.full((1, 8, 8, 1), 0.56, np.float32)
    mask, cover = strict(probability, Frame(0, 0.0, gray))
    assert (mask == 0).all()
    assert cover is not None
    assert (cover < 127).all()


def test_sure_pixels_follow_at_once_and_doubtful_ones_slowly() -> None:
    average = ProbabilityAverage(0.2)
    first = np.array([[0.0, 0.4]], np.float32)
    assert average(first, 1.0).tolist() == first.tolist()
    sure, doubtful = average(np.array([[1.0, 0.6]], np.float32), 1.05)[0]
    assert sure == 1.0
    assert 0.4 < doubtful < 0.5
    later = average(np.array([[0.0, 0.6]], np.float32), 9.0)[0]
    assert later == pytest.approx([0.0, 0.6], abs=1e-6)
    again = average(np.array([[0.5, 0.5]], np.float32), 0.0)[0]  # a file that starts again
    assert again.tolist() == [0.5, 0.5]


def test_images_have_nothing_to_do_with_one_another() -> None:
    spec = TensorSpec("p", (1, 8, 8, 1), "float32", 0.0, 0)
    reader = ProbabilityMaskDecoder(spec, False, 0.5, ProbabilityAverage(100.0))
    gray = mask_models.halves(BLACK, BLACK)
    for value, expected in ((0.4, 0), (0.6, 1)):
        mask, _ = reader(np.full(spec.shape, value, np.float32), Frame(0, 0.0, gray, "a.jpg"))
        assert (mask == expected).all()


class _Runtime:
    def __init__(self, shape: tuple[int, ...], dtype: str, scale: float) -> None:
        self.inputs = (TensorSpec("in", (1, 8, 8, 3), "uint8", 1.0, 0),)
        self.outputs = (TensorSpec("out", shape, dtype, scale, 0),)
        self.file = interpreter.load(
            mask_models.soft_model(), name="m", delegate="cpu", threads=1
        ).file


@pytest.mark.parametrize(
    ("shape", "dtype", "scale", "kind"),
    [
        ((1, 33, 33), "uint8", 0.0, ClassMaskDecoder),
        ((1, 33, 33, 1), "int32", 0.0, ClassMaskDecoder),
        ((1, 33, 33, 21), "uint8", 0.1, ClassMaskDecoder),
        ((1, 33, 33, 2), "float32", 0.0, ClassMaskDecoder),
        ((1, 33, 33, 1), "uint8", 1 / 256, ProbabilityMaskDecoder),
        ((1, 33, 33), "float32", 0.0, ProbabilityMaskDecoder),
    ],
)
def test_masks_are_known_by_shape(
    shape: tuple[int, ...], dtype: str, scale: float, kind: type
) -> None:
    assert isinstance(match_decoder(_Runtime(shape, dtype, scale), 0.5, 0.0), kind)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 1000), (1, 1, 17, 3), (1, 1, 1, 1001), (1, 33, 33, 300)])
def test_other_outputs_are_not_taken_for_masks(shape: tuple[int, ...]) -> None:
    assert match_decoder(_Runtime(shape, "float32", 0.0), 0.5, 0.0) is None  # type: ignore[arg-type]


def test_classes_beyond_a_byte_are_refused() -> None:
    reader = match_decoder(_Runtime((1, 8, 8), "int32", 0.0), 0.5, 0.0)  # type: ignore[arg-type]
    assert reader is not None
    frame = Frame(0, 0.0, mask_models.halves(RED, BLUE))
    with raises_code("too-many-classes", found="256"):
        reader(np.full((1, 8, 8), 256, np.int32), frame)


def test_coarse_scores_are_enlarged_before_they_are_compared() -> None:
    """Edges lie where scores are equal, not between cells."""
    scores = np.zeros((2, 2, 3), np.int8)
    scores[:, 0, 0], scores[:, 1, 2] = 30, 90  # the third class is three times as sure
    mask = enlarged_classes(scores, (64, 8))
    assert mask.shape == (8, 64)
    assert set(np.unique(mask)) == {0, 2}
    # From the middle of one cell to that of the next are 32 pixels; three quarters are the third's.
    assert (mask[0] == 0).sum() == pytest.approx(16 + 8, abs=1)


def test_a_class_that_wins_no_cell_is_in_no_pixel() -> None:
    scores = np.array([[[10, 0, 9], [0, 10, 9]]], np.float32)
    assert set(np.unique(enlarged_classes(scores, (32, 4)))) == {0, 1}


def test_one_class_everywhere_needs_no_comparison() -> None:
    assert (enlarged_classes(np.ones((2, 2, 1), np.int8), (5, 3)) == 0).all()
