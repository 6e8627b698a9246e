"""Work in the background is waited for, and goes on in the order in which it was begun."""

import threading

import pytest

from converters import background


def test_results_come_when_they_are_asked_for() -> None:
    gate, order = threading.Event(), []

    def first() -> str:
        gate.wait(10)
        order.append("first")
        return "done"

    waiting = background.begin(first)
    background.begin(lambda: order.append("second"))
    assert order == []
    gate.set()
    background.finish()
    assert order == ["first", "second"]
    assert waiting() == waiting() == "done"


def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    waiting = background.begin(lambda: 1 / 0)
    background.finish()
    with pytest.raises(ZeroDivisionError):
        waiting()
