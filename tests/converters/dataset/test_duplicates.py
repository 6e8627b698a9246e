"""Grouping of duplicates: stars, never chains."""

import numpy as np

from converters.dataset.duplicates import confirmed_pairs, first_of_equals, star_groups, thumbnail


def stars(pairs: list[tuple[int, int]], count: int) -> list[int]:
    return star_groups(
        np.array(pairs, np.int64).reshape(-1, 2),
        np.arange(count),
        [str(index) for index in range(count)],
    ).tolist()


def test_a_chain_is_cut() -> None:
    groups = stars([(0, 1), (1, 2), (2, 3), (3, 4)], 5)
    assert groups == [1, 1, 1, 3, 3]


def test_the_image_with_most_partners_represents() -> None:
    assert stars([(0, 3), (1, 3), (2, 3)], 4) == [3, 3, 3, 3]


def test_equal_images_follow_their_first() -> None:
    equals = first_of_equals([b"x", b"y", b"x", b"x"], ["d", "b", "c", "a"])
    assert equals.tolist() == [3, 1, 3, 3]
    groups = star_groups(np.array([[1, 3]]), equals, list("dbca"))
    assert len(set(groups.tolist())) == 1


def test_no_image_one_image_and_flat_images() -> None:
    flat = thumbnail(np.full((50, 40, 3), 200, np.uint8))
    for count in (1, 2, 5):
        thumbnails = np.array([flat] * count)
        assert confirmed_pairs(thumbnails, np.arange(count)).shape == (0, 2)


def test_noise_is_unlike_other_noise() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (40, 64, 64, 3), np.uint8)
    thumbnails = np.array([thumbnail(image) for image in images])
    assert len(confirmed_pairs(thumbnails, np.arange(40))) == 0
