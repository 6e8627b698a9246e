"""Several boards at once: canaries, results and progress."""

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from errors import error_code
from rich.console import Console
from ssh_board import SshBoard

from boards.deploy import fleet
from boards.deploy.ssh import BoardAddress
from boards.deploy.steps import StepCallback

from .conftest import RUN, Edge


def test_a_failing_canary_stops_the_others(
    edge: Edge, boards: Callable[[int], list[SshBoard]], out: Path
) -> None:
    first, second, third = boards(3)
    hosts = [emulated.address for emulated in (first, second, third)]
    first.stand_in("getconf", "echo 32\n")
    result = edge("deploy", out, *hosts, "--run", RUN, "--canary", 1, "--json")
    rows = json.loads(result.out)
    assert result.code == 2
    assert rows[0]["error"]["kind"] == "BoardError"
    assert rows[0]["error"]["code"] == "board-architecture-unsupported"
    assert [row["code"] for row in rows[1:]] == ["earlier-board-failed"] * 2
    assert not second.root.joinpath("releases").exists()

    first.bin.joinpath("getconf").rename(third.bin / "getconf")
    result = edge("deploy", out, *hosts, "--run", RUN, "--canary", 1)
    assert result.code == 2
    assert first.running == second.running != ""
    (failed,) = [
        line for line in result.err.splitlines() if line.startswith(hosts[2]) and "[" in line
    ]
    assert error_code(failed) == "board-architecture-unsupported"
    assert result.out.splitlines()[-1].startswith("2 of 3 boards ")


def test_a_duplicate_board_is_refused(edge: Edge, workstation: object, out: Path) -> None:
    result = edge("deploy", out, "pi@a", "pi@a", "--run", RUN)
    assert (result.code, error_code(result.err)) == (2, "duplicate-board")
    assert "pi@a" in result.err


def test_an_unexpected_exception_does_not_stop_the_others() -> None:
    ended = []

    async def work(address: BoardAddress, on_step: StepCallback) -> str:
        if address.host == "odd":
            raise ZeroDivisionError
        await asyncio.sleep(0.05)
        ended.append(address.host)
        return "runs"

    addresses = [BoardAddress("odd"), BoardAddress("even")]
    with pytest.raises(ZeroDivisionError), fleet.progress_view(addresses) as screen:
        asyncio.run(fleet.run_on_all(addresses, work, screen, lambda word: (word, True)))
    assert ended == ["even"]


def test_the_table_shows_the_step_of_each_board(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [BoardAddress.parse(name) for name in ("pi@one", "pi@two", "pi@three")]
    screen = fleet.ProgressTable(addresses)
    screen.step(addresses[0], "environment")
    screen.done(addresses[1], "refused", False)
    page = io.StringIO()
    Console(file=page, width=80).print(screen.draw())
    lines = [line.split() for line in page.getvalue().splitlines()]
    assert lines[1:] == [
        ["pi@one", "environment", "0", "s"],
        ["pi@two", "refused", "0", "s"],
        ["pi@three", "waiting"],
    ]
