"""What a user sees of long work."""

import io
import time

import pytest

from converters.progress import Progress, SilentProgress, TerminalProgress


class Screen(io.StringIO):
    """A terminal in memory."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_what_goes_on_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = Screen()
    shown = TerminalProgress(text)
    with shown.working("training"):
        assert list(shown.track("abc", 3, "embedding")) == ["a", "b", "c"]
        shown.say("[kept] as it is")
    assert "training" in text.getvalue()
    assert "embedding" in text.getvalue()
    assert "[kept] as it is" in text.getvalue()


def test_a_file_gets_sentences_only() -> None:
    text = io.StringIO()
    shown = TerminalProgress(text)
    with shown.working("training"):
        assert list(shown.track("abc", 3, "embedding")) == ["a", "b", "c"]
        shown.say("done")
    assert text.getvalue().strip() == "done"


@pytest.mark.parametrize("make", [SilentProgress, TerminalProgress])
def test_a_failure_inside_passes_through(make: type[Progress]) -> None:
    with pytest.raises(KeyboardInterrupt), make().working("training"):
        raise KeyboardInterrupt


def test_time_left_is_shown_once_the_pace_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = Screen()
    for _ in TerminalProgress(text).track(range(4), 4, "recovering"):
        time.sleep(0.15)
    assert "left" in text.getvalue()
