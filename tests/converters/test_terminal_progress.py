"""What a user sees of long work."""

import io

import pytest

from converters import terminal_progress
from converters.progress import Progress, SilentProgress, StepStatus
from converters.terminal_progress import LINE_INTERVAL_S, TerminalProgress

MEASURED = StepStatus(3, 8, "training", expected=60, later=360)
UNKNOWN = StepStatus(3, 8, "training")


class Screen(io.StringIO):
    """A terminal in memory."""

    def isatty(self) -> bool:
        return True


class Clock:
    """The time, as the test sets it; ``monotonic`` in place of the module ``time``."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    clock = Clock()
    monkeypatch.setattr(terminal_progress, "time", clock)
    return clock


def line(shown: TerminalProgress) -> str:
    """The line that a terminal shows now."""
    return shown._render().plain


def test_a_terminal_shows_step_activity_and_the_time_left(clock: Clock) -> None:
    screen = Screen()
    shown = TerminalProgress(screen)
    with shown.step(MEASURED):
        clock.now += 12
        assert line(shown) == "Step 3 of 8: training  0:12, about 7 min left"
        for index, _ in enumerate(shown.track(range(20), 20, "computing embeddings")):
            if index == 5:
                assert "computing embeddings 25 %" in line(shown)
        shown.say("[kept] as it is")
    assert line(shown) == ""
    assert "[kept] as it is" in screen.getvalue()
    assert "Step 3 of 8: training" in screen.getvalue()
    assert screen.getvalue().count("\n") == 2  # of the sentence, and where the line is cleared


def test_a_line_never_exceeds_the_terminal(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = TerminalProgress(Screen())
    with shown.step(MEASURED), shown.working("ranking the channels of all blocks"):
        assert len(line(shown)) <= 40
        assert line(shown).endswith("…  0:00, about 7 min left")


def test_nothing_is_estimated_that_was_not_measured(clock: Clock) -> None:
    shown = TerminalProgress(Screen())
    with shown.step(UNKNOWN):
        clock.now += 600
        assert line(shown) == "Step 3 of 8: training  10:00"
    with shown.step(StepStatus(3, 8, "training", expected=60, later=None)):
        assert line(shown) == "Step 3 of 8: training  0:00"


def test_a_step_that_takes_longer_than_ever_has_no_estimate(clock: Clock) -> None:
    shown = TerminalProgress(Screen())
    with shown.step(MEASURED):
        clock.now += 61
        assert line(shown).endswith("about 6 min left")
        clock.now += 60
        assert "left" not in line(shown)


def test_the_pace_of_an_activity_tells_its_end_only(clock: Clock) -> None:
    shown = TerminalProgress(Screen())
    with shown.step(UNKNOWN):
        for index, _ in enumerate(shown.track(range(40), 40, "computing embeddings")):
            if index == 10:
                assert line(shown).endswith("25 %  0:10, about 30 s for this")
            clock.now += 1


def test_a_pace_below_that_of_earlier_runs_counts(clock: Clock) -> None:
    shown = TerminalProgress(Screen())
    with shown.step(MEASURED):
        for index, _ in enumerate(shown.track(range(40), 40, "computing embeddings")):
            if index == 10:
                assert line(shown).endswith("about 16 min left")
            clock.now += 20


def test_a_file_gets_a_line_per_step_and_others_now_and_then(clock: Clock) -> None:
    text = io.StringIO()
    shown = TerminalProgress(text)
    with shown.step(MEASURED):
        for _ in shown.track(range(8), 8, "embedding"):
            clock.now += LINE_INTERVAL_S / 4
    with shown.step(UNKNOWN):
        shown.say("done")
    assert text.getvalue().splitlines() == [
        "Step 3 of 8: training (about 7 min left)",
        "Step 3 of 8: training, embedding 50 % (about 6 min left)",
        "Step 3 of 8: training, embedding 100 % (about 6 min left)",
        "Step 3 of 8: training",
        "done",
    ]


def test_work_without_steps_is_shown_on_a_terminal_only(clock: Clock) -> None:
    text = io.StringIO()
    for stream in (Screen(), text):
        shown = TerminalProgress(stream)
        with shown.working("compiling"):
            clock.now += 3
            assert line(shown) == "compiling  0:03"
    assert text.getvalue() == ""


@pytest.mark.parametrize("make", [SilentProgress, TerminalProgress])
def test_a_failure_inside_passes_through(make: type[Progress]) -> None:
    with pytest.raises(KeyboardInterrupt), make().step(UNKNOWN), make().working("training"):
        raise KeyboardInterrupt
