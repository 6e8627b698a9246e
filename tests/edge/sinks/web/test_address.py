"""Addresses of the page."""

import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from errors import raises_code

from edge.installation import install_command
from edge.sinks import open_sink
from edge.sinks.web import address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("", "127.0.0.1", 8080),
        ("0.0.0.0", "0.0.0.0", 8080),
        ("0.0.0.0:80", "0.0.0.0", 80),
        (":9000", "127.0.0.1", 9000),
        ("9000", "127.0.0.1", 9000),
        ("board.local:0", "board.local", 0),
        ("[::1]:8081", "::1", 8081),
        ("[::]", "::", 8080),
    ],
)
def test_parses_addresses(text: str, host: str, port: int) -> None:
    parsed = address.parse_address(text)
    assert (parsed.host, parsed.port, parsed.recordings) == (host, port, Path("recordings"))


def test_a_folder_for_recordings() -> None:
    assert address.parse_address("?recordings=/data/clips").recordings == Path("/data/clips")
    assert address.parse_address("[::1]:80?recordings=a").recordings == Path("a")


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("//0.0.0.0:80", "web:127.0.0.1:8080"),
        ("host:port", "web:127.0.0.1:8080"),
        ("::1", "web:127.0.0.1:8080"),
        ("localhost:99999", "65535"),
        ("?recording=x", "'recordings=DIR'"),
        ("?recordings=", "'recordings=DIR'"),
    ],
)
def test_an_invalid_address_says_how_to_write_it(text: str, fix: str) -> None:
    with raises_code("invalid-address", found=f"web:{text}", fix=fix):
        address.parse_address(text)


def test_a_port_in_use_suggests_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with raises_code("port-in-use", expected=f"port {port}", fix="web:127.0.0.1:0"):
            address.listen(address.parse_address(f"127.0.0.1:{port}"))


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_a_host_that_is_not_this_machine(host: str) -> None:
    with raises_code("host-not-available", expected=host, fix="web:0.0.0.0"):
        address.listen(address.parse_address(f"{host}:0"))


def test_is_loopback() -> None:
    assert all(map(address.is_loopback, ("127.0.0.1", "127.0.1.1", "::1")))
    assert not any(map(address.is_loopback, ("0.0.0.0", "192.168.1.7", "::", "fe80::1%eth0")))


def test_page_url_and_local_host(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address.page_url("127.0.0.1", 8080) == "http://127.0.0.1:8080"
    assert address.page_url("::1", 80) == "http://[::1]:80"
    assert "0.0.0.0" not in address.page_url("0.0.0.0", 8080)
    reached = [address.local_host(bound) for bound in ("0.0.0.0", "::", "192.168.1.7", "::1")]
    assert reached == ["127.0.0.1", "127.0.0.1", "192.168.1.7", "[::1]"]

    def unreachable(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    assert address.page_url("0.0.0.0", 80) == f"http://{socket.gethostname()}:80"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, live: Any) -> None:
    monkeypatch.delitem(sys.modules, "edge.sinks.web.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with raises_code("missing-package", found="uvicorn", fix="[web]") as error:
        open_sink("web:0", live.context)
    assert error.value.fix == install_command("web")
