import numpy as np
from errors import raises_code

from edge.teaching.classes import TaughtClasses
from edge.teaching.examples import Example


def classes() -> TaughtClasses:
    example = Example("00", np.zeros(3, np.int8))
    return TaughtClasses({"cup": {"1.jpg": example}, "bowl": {}, "spoon": {"2.jpg": example}})


def test_another_class_is_an_error_that_names_the_nearest() -> None:
    with raises_code("unknown-class", found="cups", fix="cup"):
        classes()["cups"]


def test_classes_without_examples_are_not_learned() -> None:
    assert classes().examples().labels == ("cup", "spoon")


def test_a_renamed_class_keeps_its_place() -> None:
    renamed = classes()
    renamed.rename("bowl", "plate")
    assert list(renamed) == ["cup", "plate", "spoon"]


def test_classes_that_are_not_named_in_an_order_come_last() -> None:
    ordered = classes()
    ordered.sort(["spoon", "fork", "cup", "spoon"])
    assert list(ordered) == ["spoon", "cup", "bowl"]
