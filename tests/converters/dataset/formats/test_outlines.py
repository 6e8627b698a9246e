"""Outlines are filled as the COCO API fills them, to the pixel, and broken ones are refused."""

import numpy as np
import pytest
from errors import raises_code
from pycocotools import mask as coco_masks

from converters.dataset.formats.outlines import Brush, Polygons, RunLengths

rng = np.random.default_rng(5)


def random_mask(at: int) -> np.ndarray:
    height, width = rng.integers(1, 70, 2)
    mask = rng.random((height, width)) < rng.random()
    if at % 3 == 0:
        mask[:] = False
        mask[height // 4 : height // 2 + 1, width // 3 :] = True
    return mask


@pytest.mark.parametrize("at", range(20))
def test_run_lengths_are_those_of_coco(at: int) -> None:
    mask = random_mask(at)
    height, width = mask.shape
    packed = coco_masks.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    flat = np.concatenate(([False], mask.T.ravel()))
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    lengths = np.diff(np.concatenate(([0], changes, [mask.size])))
    for runs in (packed, tuple(lengths.tolist())):
        outline = RunLengths(height, width, runs)
        assert np.array_equal(outline.fill((width, height), (width, height)), mask)


def test_long_runs_take_several_characters() -> None:
    mask = np.zeros((400, 700), np.uint8)
    mask[3:, 100:650] = 1
    mask[rng.random(mask.shape) < 0.001] = 0
    packed = coco_masks.encode(np.asfortranarray(mask))["counts"].decode()
    assert np.array_equal(RunLengths(400, 700, packed).fill((700, 400), (700, 400)), mask)


@pytest.mark.parametrize("at", range(40))
def test_polygons_are_filled_as_by_coco(at: int) -> None:
    width, height = rng.integers(2, 90, 2).tolist()
    beyond = 0.3 * (at % 2)
    points = rng.uniform(-beyond, 1 + beyond, (rng.integers(3, 12), 2)) * max(width, height)
    if at % 5 == 0:
        points = np.round(points)
    packed = coco_masks.frPyObjects([points.ravel().tolist()], height, width)
    expected = coco_masks.decode(packed)[..., 0] > 0
    size = width, height
    assert np.array_equal(Polygons((points,)).fill(size, size), expected)
    twice = Polygons((points / 2,)).fill((width / 2, height / 2), size)
    assert np.array_equal(twice, expected)


def test_polygons_of_an_object_are_joined() -> None:
    square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], np.float64)
    outline = Polygons((square, square + 5))
    assert outline.bounds() == (0, 0, 9, 9)
    assert np.count_nonzero(outline.fill((10, 10), (10, 10))) == 32


def test_a_brush_is_read() -> None:
    # Written by label-studio-brush-rle-rs for the rows 0 255 255 and 0 0 255.
    data = bytes([0, 0, 0, 24, 57, 27, 252, 96, 19, 255, 206, 1, 31, 248])
    outline = Brush(2, 3, data)
    assert outline.fill((100, 100), (3, 2)).tolist() == [[False, True, True], [False, False, True]]
    assert np.allclose(outline.bounds(), (100 / 3, 0, 100, 100))


def test_values_of_a_brush_may_be_listed_one_by_one() -> None:
    bits = f"{16:032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in (3, 4, 8, 16))
    values = [0, 0, 0, 0, 9, 9, 9, 255]
    bits += f"000{len(values) - 1:03b}" + "".join(f"{value:08b}" for value in values)
    bits += f"100{7:03b}{0:08b}"
    bits += "0" * (-len(bits) % 8)
    data = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    assert Brush(2, 2, data).fill((100, 100), (2, 2)).tolist() == [[False, True], [False, False]]
    for end in (3, 9, len(data) - 2):
        with raises_code("outline-invalid"):
            Brush(2, 2, data[:end]).fill((100, 100), (2, 2))
    with raises_code("outline-invalid", expected="36"):
        Brush(3, 3, data).fill((100, 100), (3, 3))


@pytest.mark.parametrize(
    "runs",
    ["", "o", "~", "\x00", "5" * 40, "oooooooooooo1", (), (1, 2), (-1, 26), (2**62,) * 4,
     (2**70, 1), ("a",), ((1, 2), (3, 4)), (None, 3)],
)  # fmt: skip
def test_broken_run_lengths_are_refused(runs: "str | tuple[int, ...]") -> None:
    with raises_code("outline-invalid"):
        RunLengths(5, 5, runs).fill((5, 5), (5, 5))


def test_a_polygon_far_outside_is_refused_before_it_is_followed() -> None:
    points = np.array([[0, 0], [1e8, 0], [1e8, 1e8]], np.float64)
    with raises_code("outline-invalid"):
        Polygons((points,)).fill((5, 5), (5, 5))


@pytest.mark.parametrize("at", range(20))
def test_bounds_of_run_lengths_are_those_of_their_pixels(at: int) -> None:
    mask = np.zeros(rng.integers(1, 30, 2), bool)
    top, left = (rng.integers(0, side) for side in mask.shape)
    mask[top : top + rng.integers(1, 9), left : left + rng.integers(1, 9)] = at % 4 > 0
    height, width = mask.shape
    packed = coco_masks.encode(np.asfortranarray(mask.astype(np.uint8)))
    outline = RunLengths(height, width, packed["counts"].decode())
    if mask.any():
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        expected = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert outline.bounds() == expected
    else:
        assert outline.bounds() is None


def test_outlines_of_a_far_larger_image_are_refused_before_they_are_unpacked() -> None:
    with raises_code("outline-invalid", found="10000 x 13000"):
        RunLengths(13_000, 10_000, (130_000_000,)).fill((10_000, 13_000), (30, 40))


def test_areas_are_those_of_what_is_filled() -> None:
    square = np.array([[0, 0], [8, 0], [8, 5], [0, 5]], np.float64)
    assert Polygons((square, square[::-1])).area() == 80
    assert RunLengths(4, 5, (3, 7, 10)).area() == 7
