"""Downloads from a server that behaves, and from one that does not."""

import socket
import threading

import pytest
from errors import raises_code
from file_server import Served

from edge.errors import OutputError
from edge.registry import download

CONTENT = bytes(range(256)) * 2_000


@pytest.fixture
def part(tmp_path):
    return tmp_path / ".file.partial"


def fetch(server, part, *, resume=True, seen=None):
    seen = [] if seen is None else seen
    return download.download(
        f"{server.url}/file", part, lambda *step: seen.append(step), resume=resume
    )


def test_a_download_reports_its_progress(server, part):
    server.served["/file"] = Served(CONTENT)
    seen = []
    assert fetch(server, part, seen=seen) is False
    assert part.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [got for got, _ in seen] == sorted(got for got, _ in seen)


def test_a_truncated_response_is_resumed(server, part):
    server.served["/file"] = Served(CONTENT, breaks=[100_000, 1])
    fetch(server, part)
    assert part.read_bytes() == CONTENT
    assert [span for _, span in server.requests] == [None, "bytes=100000-", "bytes=100001-"]


def test_a_partial_file_is_resumed(server, part):
    server.served["/file"] = Served(CONTENT)
    part.write_bytes(CONTENT[:300_000])
    assert fetch(server, part) is True
    assert part.read_bytes() == CONTENT
    assert server.requests == [("/file", "bytes=300000-")]


def test_a_complete_partial_file_is_kept(server, part):
    server.served["/file"] = Served(CONTENT)
    part.write_bytes(CONTENT)
    fetch(server, part)
    assert part.read_bytes() == CONTENT


def test_a_partial_file_longer_than_the_remote_is_discarded(server, part):
    server.served["/file"] = Served(CONTENT)
    part.write_bytes(CONTENT + b"more")
    fetch(server, part)
    assert part.read_bytes() == CONTENT


def test_without_ranges_it_restarts(server, part):
    server.served["/file"] = Served(CONTENT, ranges=False, breaks=[100_000])
    fetch(server, part)
    assert part.read_bytes() == CONTENT


def test_without_ranges_that_always_break_it_gives_up(server, part):
    server.served["/file"] = Served(CONTENT, ranges=False, breaks=[50_000] * 50)
    with raises_code("download-failed", found="50,000 of 512,000"):
        fetch(server, part)
    assert len(server.requests) == 1 + download.ATTEMPTS


def test_a_file_that_changed_in_between_is_not_mixed(server, part):
    """What cannot be checked afterwards is continued by its tag only."""
    changed = Served(CONTENT, breaks=[100_000])
    server.served["/file"] = changed

    def progress(received, total):
        if received == 100_000 and changed.tag == '"v1"':
            changed.tag, changed.content = '"v2"', CONTENT[::-1]

    download.download(f"{server.url}/file", part, progress, resume=False)
    assert part.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("tag", [None, 'W/"v1"'])
def test_without_a_strong_etag_an_unverifiable_file_restarts(server, part, tag):
    server.served["/file"] = Served(CONTENT, tag=tag, breaks=[100_000])
    fetch(server, part, resume=False)
    assert part.read_bytes() == CONTENT
    assert [span for _, span in server.requests] == [None, None]


def test_not_found_names_the_url_and_alternatives(server, part):
    with raises_code(
        "download-failed", expected=f"{server.url}/file", found="HTTP 404", fix=download.MIRROR
    ):
        fetch(server, part)
    assert len(server.requests) == 1
    assert not part.exists()


def test_a_temporary_server_error_is_retried(server, part):
    server.served["/file"] = Served(CONTENT, statuses=[503, 429])
    fetch(server, part)
    assert part.read_bytes() == CONTENT


def test_a_lasting_server_error_is_reported(server, part):
    server.served["/file"] = Served(CONTENT, statuses=[500] * 50)
    with raises_code("download-failed", found="HTTP 500"):
        fetch(server, part)


def test_a_redirect_is_followed(server, part):
    server.served["/file"] = Served(b"", redirect="/elsewhere")
    server.served["/elsewhere"] = Served(CONTENT)
    fetch(server, part)
    assert part.read_bytes() == CONTENT


def test_a_redirect_loop_is_reported(server, part):
    server.served["/file"] = Served(b"", redirect="/file")
    with raises_code("download-failed", found="HTTP 302"):
        fetch(server, part)


def test_a_stalled_connection_is_retried(server, part, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT_S", 0.2)
    stalled = Served(CONTENT, release=threading.Event())
    server.served["/file"] = stalled

    def progress(received, total):
        if received:
            stalled.release = None  # the next request is answered

    download.download(f"{server.url}/file", part, progress, resume=True)
    assert part.read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_a_slow_server_is_waited_for(server, part, monkeypatch):
    """Patience is for a server that says nothing, not for the whole file."""
    server.served["/file"] = slow = Served(CONTENT, release=threading.Event())
    threading.Timer(0.3, slow.release.set).start()
    monkeypatch.setattr(download, "TIMEOUT_S", 5.0)
    fetch(server, part)
    assert part.read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_a_download_without_a_content_length(server, part):
    server.served["/file"] = Served(CONTENT, declared=False)
    seen = []
    fetch(server, part, seen=seen)
    assert part.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), None)


def test_offline(part):
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/file"
        with raises_code("download-failed", found="refused", fix=download.MIRROR):
            download.download(url, part, lambda *_: None, resume=True)


@pytest.mark.parametrize("url", ["nonsense", "gopher://x/y", "http://[::1", "http://127.0.0.1:x/"])
def test_an_invalid_url(part, url):
    with raises_code("download-failed"):
        download.download(url, part, lambda *_: None, resume=True)


def test_a_folder_that_cannot_be_written_to(server, tmp_path):
    server.served["/file"] = Served(CONTENT)
    with pytest.raises(OutputError):
        fetch(server, tmp_path / "absent" / "part")


def test_a_file_url(tmp_path, part):
    (tmp_path / "a file").write_bytes(CONTENT)
    url = (tmp_path / "a file").as_uri()
    download.download(url, part, lambda *_: None, resume=False)
    assert part.read_bytes() == CONTENT
    with raises_code("download-failed", found="No such file"):
        download.download(url + "x", part, lambda *_: None, resume=False)
