"""Files of exercises: what they may say, and what is answered otherwise."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from edge.tasks.pose import exercises

GOOD = "[lunge]\nstart = { left_knee = [150, 180] }\nend = { left_knee = [0, 110] }\n"


def test_an_exercise_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(GOOD)
    (lunge,) = exercises.read(path)
    assert lunge.name == "lunge"
    assert lunge.start == {"left_knee": (150.0, 180.0)}
    assert lunge.hold == {}


def test_all_none_and_some_are_chosen() -> None:
    known = exercises.read()
    assert exercises.chosen(known, ["all"]) == known
    assert exercises.chosen(known, ["none"]) == exercises.chosen(known, []) == ()
    assert [one.name for one in exercises.chosen(known, ["push_up"])] == ["push_up"]
    with pytest.raises(UsageError, match="did you mean 'squat'"):
        exercises.chosen(known, ["squad"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "none in"),
        ("[lunge", "own.toml ("),
        ("lunge = 3", "no table"),
        ("[lunge]\nstart = { knee = [1, 2] }\n", "without end"),
        (GOOD + "strat = { knee = [1, 2] }", "did you mean 'start'"),
        (GOOD.replace("left_knee = [0", "left_knie = [0"), "did you mean 'left_knee'"),
        (GOOD.replace("[0, 110]", "[0, 110, 3]"), "not [least, greatest]"),
        (GOOD.replace("[0, 110]", '["0", 110]'), "not [least, greatest]"),
        (GOOD.replace("[0, 110]", "[110, 0]"), "not rising"),
        (GOOD.replace("[0, 110]", "[0, 181]"), "not rising"),
        (GOOD.replace("[0, 110]", "[nan, 110]"), "not rising"),
        (GOOD.replace("[0, 110]", "[0, 160]"), "no angle that tells them apart"),
        (GOOD.replace("{ left_knee = [0, 110] }", "3"), "no table"),
    ],
)
def test_what_cannot_be_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        exercises.read(path)
    assert said in str(error.value)
    assert "edge demo pose --help" in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        exercises.read(tmp_path / "none.toml")
