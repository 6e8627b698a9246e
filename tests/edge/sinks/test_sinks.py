"""A sink by what the user wrote."""

from pathlib import Path
from typing import Any

import pytest
from errors import raises_code

from edge.sinks import SINKS, open_sink, resolve


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("window", ("window", "")),
        ("out.mkv", ("video", "out.mkv")),
        ("a folder/Out.MP4", ("video", "a folder/Out.MP4")),
        ("10:30.avi", ("video", "10:30.avi")),
        ("video:out.mkv", ("video", "out.mkv")),
        ("jsonl:-", ("jsonl", "-")),
        ("jsonl:/tmp/a:b.jsonl", ("jsonl", "/tmp/a:b.jsonl")),
        ("frames:out", ("frames", "out")),
        ("mqtt://host:1884/a/b", ("mqtt", "//host:1884/a/b")),
        ("none", ("none", "")),
    ],
)
def test_what_is_meant(uri: str, expected: tuple[str, str]) -> None:
    assert resolve(uri) == expected


@pytest.mark.parametrize("uri", ["", "out.webm", "http://host/out.mkv", "windows", "gstreamer:x"])
def test_an_unknown_sink_names_those_there_are(uri: str) -> None:
    with raises_code("unknown-sink") as caught:
        resolve(uri)
    assert all(scheme in caught.value.expected for scheme in SINKS)


def test_a_slip_of_the_pen_is_answered_with_the_right_word() -> None:
    with raises_code("unknown-sink", fix="'jsonl'"):
        resolve("json:out.jsonl")


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("jsonl:", "missing-address"),
        ("frames:", "missing-address"),
        ("mqtt:", "invalid-address"),
        ("none:x", "unexpected-address"),
        ("text:x", "unexpected-address"),
        ("video:x.webm", "unsupported-video-format"),
    ],
)
def test_an_address_that_is_none_says_what_one_looks_like(uri: str, code: str, stream: Any) -> None:
    with raises_code(code):
        open_sink(uri, stream.context)


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "jsonl:out.jsonl"])
def test_a_missing_folder_is_said_before_anything_starts(
    name: str, tmp_path: Path, stream: Any
) -> None:
    scheme, colon, file = name.rpartition(":")
    uri = f"{scheme}{colon}{tmp_path / 'missing' / file}"
    with raises_code("output-directory-missing", fix="mkdir -p"):
        open_sink(uri, stream.context)
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "jsonl:out.mkv"])
def test_a_folder_in_its_place_is_said(name: str, tmp_path: Path, stream: Any) -> None:
    (tmp_path / name.rpartition(":")[2]).mkdir()
    uri = name.replace("out", str(tmp_path / "out"))
    with raises_code("output-is-directory"):
        open_sink(uri, stream.context)


def test_nothing_takes_everything(stream: Any, output: Any) -> None:
    sink = open_sink("none", stream.context)
    assert not sink.wants_images
    sink.write(output())
    sink.close()
