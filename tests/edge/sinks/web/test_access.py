"""Access control of a real server."""

from collections.abc import Iterator
from pathlib import Path

import pages
import pytest

httpx = pytest.importorskip("httpx")
exceptions = pytest.importorskip("websockets.exceptions")
pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pages.Page]:
    """A page that other machines can reach."""
    with pages.page(tmp_path_factory.mktemp("recordings"), host="0.0.0.0") as page:
        yield page


def local(page: pages.Page, path: str = "/") -> str:
    """An address of the public page that this machine can surely reach."""
    return f"http://127.0.0.1:{page.port}{path}"


def test_every_answer_has_the_headers_that_protect(page: pages.Page) -> None:
    for path in ("/", "/api/state", "/static/icon.svg", "/none"):
        headers = httpx.get(page.url + path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "'unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "camera=(self)" in headers["permissions-policy"]
        assert "server" not in headers
    assert httpx.get(page.url).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "LOCALHOST:8080", "[::1]:8080"])
def test_this_machine_needs_no_token_by_any_of_its_names(page: pages.Page, host: str) -> None:
    assert httpx.get(page.url, headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil", ""])
def test_another_name_is_refused_against_rebinding(page: pages.Page, host: str) -> None:
    for path in ("/", "/snapshot.jpg", "/static/icon.svg"):
        answer = httpx.get(page.url + path, headers={"host": host})
        assert answer.status_code == 403
        assert answer.text.count("\n") == 1
        assert "localhost" in answer.text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "://["])
def test_a_foreign_page_cannot_connect(page: pages.Page, origin: str) -> None:
    with pytest.raises(exceptions.InvalidStatus) as caught:
        pages.Client(page, origin=origin)
    assert caught.value.response.status_code == 403
    assert origin in caught.value.response.body.decode()


def test_the_page_itself_and_programs_can(page: pages.Page) -> None:
    for options in ({"origin": page.url}, {}):
        with pages.Client(page, **options) as client:
            assert client.next()["type"] == "hello"


def test_others_need_the_token(public: pages.Page) -> None:
    for path in ("/", "/api/state", "/stream.mjpg", "/snapshot.jpg", "/static/icon.svg"):
        for query, reason in (("", "no token"), ("?token=wrong", "wrong token"), ("?token=é", "")):
            answer = httpx.get(local(public, path + query))
            assert answer.status_code == 401
            assert reason in answer.text
            assert public.token not in answer.text
            assert "set-cookie" not in answer.headers


def test_the_right_token_becomes_a_cookie_and_leaves_the_address(public: pages.Page) -> None:
    with httpx.Client() as client:
        first = client.get(local(public, f"/?token={public.token}"))
        assert (first.status_code, first.headers["location"]) == (303, "/")
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert client.get(local(public)).status_code == 200
        assert client.get(local(public, "/api/state")).json()["task"] == "mean"


def test_another_program_may_give_the_token_each_time(public: pages.Page) -> None:
    answer = httpx.get(local(public, f"/snapshot.jpg?token={public.token}"))
    assert answer.headers["content-type"] == "image/jpeg"


def test_a_websocket_needs_it_too(public: pages.Page) -> None:
    assert "0.0.0.0" not in public.url
    from websockets.sync.client import connect

    address = f"ws://127.0.0.1:{public.port}/ws"
    for cookie in ("", f"edge_{public.port}=wrong", "edge=;;;"):
        with pytest.raises(exceptions.InvalidStatus) as caught:
            connect(address, additional_headers={"Cookie": cookie})
        assert caught.value.response.status_code == 401
    headers = {"Cookie": f"edge_{public.port}={public.token}"}
    with connect(address, additional_headers=headers) as socket:
        assert '"hello"' in socket.recv(timeout=10)


def test_the_token_is_new_each_time_and_long(public: pages.Page, tmp_path: Path) -> None:
    assert len(public.token) >= 32
    with pages.page(tmp_path, host="0.0.0.0") as other:
        assert other.token != public.token
