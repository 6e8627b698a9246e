import numpy as np

from converters.tasks.classify.weak_classes import weak_classes
from converters.verification.quality import WeakClass
from converters.verification.verdict import MAX_NAMED

CLASSES = ("apple", "banana", "cherry")


def weak(*rows: tuple[int, ...]) -> tuple[WeakClass, ...]:
    return weak_classes(np.array(rows), CLASSES)


def test_a_class_that_is_taken_for_another_is_named_with_it() -> None:
    assert weak((20, 0, 0), (6, 14, 0), (0, 0, 20)) == (WeakClass("banana", "apple", 6, 20),)


def test_a_class_named_too_often_points_to_what_it_is_named_for() -> None:
    """Of 25 predictions of banana 5 are cherries: 5 of 100 cherries, whose recall is good."""
    assert weak((20, 0, 0), (0, 20, 0), (0, 5, 95)) == (WeakClass("cherry", "banana", 5, 100),)


def test_good_classes_and_single_mistakes_are_not_weak() -> None:
    assert weak((19, 1, 0), (0, 20, 0), (1, 0, 19)) == ()
    assert weak((2, 1, 0), (0, 3, 0), (0, 0, 3)) == ()
    assert weak((0, 0, 0), (0, 5, 0), (0, 0, 5)) == ()


def test_the_worst_come_first_and_no_more_than_fit_a_summary() -> None:
    confusion = 4 * np.eye(20, dtype=np.int64) + 2 * np.eye(20, k=1, dtype=np.int64)
    confusion[7, 8] = 9
    named = weak_classes(confusion, [f"class {index}" for index in range(20)])
    assert len(named) == MAX_NAMED
    assert (named[0].label, named[0].taken_for) == ("class 7", "class 8")
