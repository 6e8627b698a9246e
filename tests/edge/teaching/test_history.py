import pytest

from edge.teaching.history import ChangeHistory


def test_changes_are_undone_from_the_last_one() -> None:
    undone: list[str] = []
    history = ChangeHistory()
    history.add("one", lambda: undone.append("one"))
    history.add("two", lambda: undone.append("two"))
    assert history.last == "two"
    assert history.undo() == "two"
    assert history.last == "one"
    assert history.undo() == "one"
    assert (history.undo(), undone) == (None, ["two", "one"])


def test_joined_changes_are_undone_together_the_last_one_first() -> None:
    undone: list[int] = []
    history = ChangeHistory()
    for number in range(3):
        history.add(f"{number}", lambda number=number: undone.append(number))  # type: ignore[misc]
    history.join("all but the first")
    assert history.undo() == "all but the first"
    assert undone == [2, 1]
    assert history.last == "0"


def test_what_fails_is_undone_later_and_nothing_twice() -> None:
    undone: list[str] = []
    full = [True]

    def revert() -> None:
        if full[0]:
            raise OSError
        undone.append("first")

    history = ChangeHistory()
    history.add("first", revert)
    history.add("second", lambda: undone.append("second"))
    history.join("both")
    with pytest.raises(OSError):
        history.undo()
    assert history.last == "both"
    full[0] = False
    assert history.undo() == "both"
    assert undone == ["second", "first"]
