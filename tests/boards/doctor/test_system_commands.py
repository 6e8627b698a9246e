"""Subprocesses: output, time limits and termination."""

import threading
import time

from streams import wait_until

from boards.doctor.system import MISSING, TIMED_OUT, CommandResult, CommandRunner


def test_output_and_exit_code_are_returned() -> None:
    answer = CommandRunner().run(("sh", "-c", "echo out; echo err >&2; exit 4"), 10)
    assert (answer.out, answer.err, answer.code) == ("out\n", "err\n", 4)


def test_a_missing_command_has_its_own_exit_code() -> None:
    assert CommandRunner().run(("no-such-command",), 10).code == MISSING


def test_a_command_that_hangs_is_killed_with_its_children() -> None:
    start = time.monotonic()
    answer = CommandRunner().run(("sh", "-c", "sleep 60 & sleep 60"), 0.2)
    assert time.monotonic() - start < 30  # a hang guard: the command sleeps for 60
    assert answer.code == TIMED_OUT


def test_stop_kills_all_commands_and_starts_no_more(tmp_path) -> None:  # type: ignore[no-untyped-def]
    commands, answers = CommandRunner(), list[CommandResult]()

    def run(number: int) -> None:
        script = f"touch {tmp_path / str(number)}; sleep 60 & sleep 60"
        answers.append(commands.run(("sh", "-c", script), 60))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(list(tmp_path.iterdir())) == 3)
    commands.stop()
    for thread in threads:
        thread.join(10)
    assert [answer.code for answer in answers] == [-9, -9, -9]
    assert commands.run(("touch", str(tmp_path / "late")), 10).code != 0
    assert not (tmp_path / "late").exists()
