"""Native log lines are hidden, unless they explain an unexpected failure."""

import os
import subprocess
import sys

import pytest

from edge import terminal

START = (
    "import os, sys; from edge.errors import ModelError; "
    "from edge.terminal import suppress_native_stderr\n"
)


def run(script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", START + script],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment},
    )  # fmt: skip


BLOCK = (
    "with suppress_native_stderr():\n"
    "    os.write(2, b'native\\n'); print('python', file=sys.stderr)\n"
)


def test_native_text_is_hidden_and_python_text_is_not() -> None:
    assert run(BLOCK + "os.write(2, b'after\\n')").stderr == "python\nafter\n"


def test_with_debug_nothing_is_hidden() -> None:
    assert run(BLOCK, EDGE_DEBUG="1").stderr == "native\npython\n"


@pytest.mark.parametrize(
    ("error", "shown"),
    [("MemoryError()", True), ("ModelError('a', 'b', 'c', code='model-failed')", False)],
)
def test_native_text_is_shown_for_unexpected_errors(error: str, shown: bool) -> None:
    done = run(f"with suppress_native_stderr():\n    os.write(2, b'native\\n'); raise {error}\n")
    assert ("native" in done.stderr) == shown
    assert "Traceback" in done.stderr


def test_overlapping_blocks_show_nothing_until_the_last_ends() -> None:
    script = (
        "a, b = suppress_native_stderr(), suppress_native_stderr()\n"
        "a.__enter__(); b.__enter__(); a.__exit__(None, None, None)\n"
        "os.write(2, b'chatter\\n'); b.__exit__(None, None, None); os.write(2, b'end\\n')\n"
    )
    assert run(script).stderr == "end\n"


def test_a_closed_stderr_works() -> None:
    done = subprocess.run(
        f'exec 2>&-; exec "{sys.executable}" -c "{START}with suppress_native_stderr(): print(1)"',
        shell=True, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1\n")


def test_long_downloads_and_counts_get_a_line_now_and_then_in_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now)
    with terminal.download_progress("m.tflite") as tell, terminal.count_progress("poses") as count:
        for second in range(41):
            now = float(second)
            tell(second * 250_000, 10_000_000)
            count(second, 40)
    lines = capsys.readouterr().err.replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert lines == [
        "m.tflite: 3.8 MB of 10.0 MB", "poses: 15 of 40",
        "m.tflite: 7.5 MB of 10.0 MB", "poses: 30 of 40",
    ]  # fmt: skip
