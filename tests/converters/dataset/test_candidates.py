"""Among many images the index finds the pairs that a comparison of all with all finds."""

import cv2
import numpy as np
import pytest

from converters.dataset import candidates
from converters.dataset.duplicates import confirmed_pairs, thumbnail


def images(count: int, rng: np.random.Generator) -> list[np.ndarray]:
    coarse = rng.integers(0, 256, (count, 8, 8, 3), np.uint8)
    return [cv2.resize(image, (64, 64), interpolation=cv2.INTER_CUBIC) for image in coarse]


@pytest.fixture
def small_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_COMPARED": 100, "_CELL": 16, "_BRANCHES": 4, "_SAMPLE": 64}.items():
        monkeypatch.setattr(candidates, name, value)


def test_the_copies_are_found_that_comparing_all_finds(request: pytest.FixtureRequest) -> None:
    originals = images(500, np.random.default_rng(0))
    cropped = [image[2:62, 1:61] for image in originals[:100]]
    thumbnails = np.array([thumbnail(image) for image in originals + cropped])
    exhaustive = confirmed_pairs(thumbnails, np.arange(600)).tolist()
    request.getfixturevalue("small_cells")
    assert confirmed_pairs(thumbnails, np.arange(600)).tolist() == exhaustive
    assert len(exhaustive) > 90


def test_each_image_is_compared_with_few_others(small_cells: None) -> None:
    vectors = np.random.default_rng(0).normal(size=(600, 8)).astype(np.float32)
    visits = np.zeros(600, np.int64)
    for members, others in candidates._neighborhoods(vectors):
        assert set(members) <= set(others)
        assert 100 <= len(others) <= 100 + 16
        visits[members] += 1
    assert (visits == candidates._CLUSTERINGS).all()


@pytest.mark.parametrize("equal", [0, 380, 400])
def test_cells_are_small_even_if_images_are_equal(small_cells: None, equal: int) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, 8)).astype(np.float32)
    vectors[:equal] = vectors[0]
    cells = candidates._cells(vectors, np.arange(400), rng)
    assert sorted(np.concatenate(cells).tolist()) == list(range(400))
    assert max(map(len, cells)) <= 16
