"""Status and logs of a service whose camera needs a password."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from boards.deploy import run_command, status
from boards.deploy.ssh import BoardAddress

CAMERA = "rtsp://adm1n:s3cr#et/t00@192.0.2.7/live?token=t0ken"
LOG = (
    f"edge[7]: {CAMERA}: source lost (no more frames), reconnecting",
    "edge[7]: note: web: open http://192.0.2.9:8080/?token=page",
)


class FakeConnection:
    """A board that runs a demo on the camera."""

    async def run(self, script: str, variables: dict[str, str]) -> Any:
        words = ("demo", "classify", "--source", CAMERA, "--sink", "web:0.0.0.0")
        command = run_command.script(words).splitlines()[-1].removeprefix("exec ")
        return SimpleNamespace(values={"ActiveState": "active", "run": command})

    async def follow(self, words: str, *, as_root: bool) -> AsyncIterator[str]:
        for line in LOG:
            yield line


@pytest.fixture(autouse=True)
def _board(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def connect(*_: object) -> AsyncIterator[FakeConnection]:
        yield FakeConnection()

    async def probe(*_: object) -> Any:
        return SimpleNamespace(
            root="/opt", systemctl={"JOURNAL": "journalctl"}, system="", model="", free_kib=0
        )

    monkeypatch.setattr(status, "connect", connect)
    monkeypatch.setattr(status, "probe", probe)


@pytest.mark.parametrize("as_json", [False, True])
def test_the_status_hides_the_password(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    address = BoardAddress.parse("pi@board")
    read = asyncio.run(status.read(address, None, lambda _: None))
    assert status.show([address], [read], as_json) == 0
    shown = capsys.readouterr().out
    assert "rtsp://***@192.0.2.7/live?token=***" in shown
    assert not [part for part in ("adm1n", "s3cr", "t00", "t0ken") if part in shown]


def test_the_log_hides_the_password_but_not_the_address_of_the_page() -> None:
    async def lines() -> list[str]:
        address = BoardAddress.parse("pi@board")
        return [line async for line in status.journal(address, 5, False, None)]

    lost, page = asyncio.run(lines())
    assert lost.startswith("edge[7]: rtsp://***@192.0.2.7/live?token=***")
    assert page == LOG[1]
