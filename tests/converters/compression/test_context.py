from dataclasses import replace

import numpy as np
import pytest

from converters.compression.context import calibration_set
from converters.dataset.audit import Dataset, ImageRecord
from converters.dataset.split import Split
from edge.preprocessing import Preprocessing


@pytest.fixture
def uneven() -> tuple[Dataset, Split]:
    """100, 20 and 3 training images; each image's pixels hold its own number."""
    labels = np.repeat([0, 1, 2], [130, 30, 5])
    number = np.arange(len(labels))
    pixels = np.broadcast_to(number[:, None, None, None], (len(labels), 2, 2, 3)).astype(np.uint8)
    train = np.concatenate([number[:100], number[130:150], number[160:163]])
    rest = np.setdiff1d(number, train)
    dataset = Dataset(
        "uneven",
        ("a", "b", "c"),
        tuple(
            ImageRecord(f"{i}.png", label, None, f"content {i}")
            for i, label in enumerate(labels.tolist())
        ),
        Preprocessing(2, 2),
        pixels,
        labels,
        number,
        None,  # type: ignore[arg-type]
    )
    return dataset, Split(train, rest[::2], rest[1::2], seed=0, given=False)


def numbers(images: np.ndarray) -> list[int]:
    return [int(p[0, 0, 0]) for p in images]


def test_classes_are_balanced(uneven: tuple[Dataset, Split]) -> None:
    dataset, split = uneven
    drawn = numbers(calibration_set(dataset, split, seed=0, size=43))
    assert np.bincount(dataset.labels[drawn]).tolist() == [20, 20, 3]
    assert len(set(drawn)) == 43


def test_all_are_taken_when_there_are_few(uneven: tuple[Dataset, Split]) -> None:
    dataset, split = uneven
    drawn = numbers(calibration_set(dataset, split, seed=0, size=500))
    assert sorted(drawn) == split.train.tolist()


def test_only_the_training_side_is_used(uneven: tuple[Dataset, Split]) -> None:
    dataset, split = uneven
    for seed in range(5):
        assert set(numbers(calibration_set(dataset, split, seed, 60))) <= set(split.train.tolist())


def test_the_seed_decides_and_order_of_files_does_not(uneven: tuple[Dataset, Split]) -> None:
    dataset, split = uneven
    first = numbers(calibration_set(dataset, split, seed=1, size=30))
    assert first == numbers(calibration_set(dataset, split, seed=1, size=30))
    assert first != numbers(calibration_set(dataset, split, seed=2, size=30))
    of_first_class = [n for n in first if n < 100]
    assert max(of_first_class) > 30, "the first images of the folder, not a random draw"


def test_an_added_image_replaces_at_most_one(uneven: tuple[Dataset, Split]) -> None:
    dataset, split = uneven
    before = set(numbers(calibration_set(dataset, split, seed=0, size=43)))
    for added in (100, 150):
        wider = replace(split, train=np.sort(np.append(split.train, added)))
        after = set(numbers(calibration_set(dataset, wider, seed=0, size=43)))
        assert after - before <= {added} and len(before - after) <= 1


def test_fewer_places_than_classes(uneven: tuple[Dataset, Split]) -> None:
    dataset, split = uneven
    drawn = numbers(calibration_set(dataset, split, seed=0, size=2))
    assert len(set(dataset.labels[drawn])) == 2
