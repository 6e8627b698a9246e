"""Files of exercises: what they may say, and what is answered otherwise."""

from pathlib import Path

import pytest
from errors import raises_code

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
    assert [item.name for item in exercises.chosen(known, ["push_up"])] == ["push_up"]
    with raises_code("unknown-exercise", fix="'squat'"):
        exercises.chosen(known, ["squad"])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", "own.toml"),
        ("lunge = 3", "lunge = 3"),
        ("[lunge]\nstart = { knee = [1, 2] }\n", "no end"),
        (GOOD + "strat = { knee = [1, 2] }", "'start'"),
        (GOOD.replace("left_knee = [0", "left_knie = [0"), "'left_knee'"),
        (GOOD.replace("[0, 110]", "[0, 110, 3]"), "[0, 110, 3]"),
        (GOOD.replace("[0, 110]", '["0", 110]'), "['0', 110]"),
        (GOOD.replace("[0, 110]", "[110, 0]"), "[110, 0]"),
        (GOOD.replace("[0, 110]", "[0, 181]"), "[0, 181]"),
        (GOOD.replace("[0, 110]", "[nan, 110]"), "[nan, 110]"),
        (GOOD.replace("[0, 110]", "[0, 160]"), "no angle"),
        (GOOD.replace("{ left_knee = [0, 110] }", "3"), "= 3"),
    ],
)
def test_what_cannot_be_is_one_clear_line(tmp_path: Path, text: str, values: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with raises_code("invalid-config", found=values, fix="edge demo pose --help"):
        exercises.read(path)


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    broken = tmp_path / "own.toml"
    broken.write_text("[lunge")
    for path, code in (
        (broken, "invalid-toml"),
        (tmp_path / "none.toml", "file-unreadable"),
    ):
        with raises_code(code, found=str(path), fix="edge demo pose --help"):
            exercises.read(path)
