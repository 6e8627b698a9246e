"""The page over HTTP and WebSocket, with a camera of one color and without a browser."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import color_photos
import cv2
import numpy as np
import pytest
from errors import error_code
from teaching_page import ServedTeaching, TeachingClient, serving_page

import edge
from edge.teaching.page.messages import parse_command
from edge.teaching.teacher import Teacher

httpx = pytest.importorskip("httpx")
exceptions = pytest.importorskip("websockets.exceptions")
pytest.importorskip("edge.teaching.page.routes")


RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def page(teacher: Teacher, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedTeaching]:
    """A page on a folder with ten images each of "blue" and "red"."""
    with serving_page(teacher, monkeypatch) as page:
        yield page


def png(color: str = "red") -> bytes:
    return cv2.imencode(".png", color_photos.image(color))[1].tobytes()


def test_a_class_is_recorded_and_recognized_by_all_visitors(
    page: ServedTeaching, teacher: Teacher
) -> None:
    with TeachingClient(page) as one, TeachingClient(page) as two:
        one.until(lambda it: it.answer and it.answer[0][0] == "red")
        page.camera.color = "green"
        one.send("add-class", label="green")
        one.send("record", label="green")
        two.until(lambda it: it.state.get("recording") == "green")
        assert two.error("record", label="red") == "recording-in-use"
        two.until(lambda it: it.cards["green"]["count"] >= 5)
        one.send("stop")
        two.until(lambda it: it.state["recording"] is None and not it.state["learning"])
        two.until(lambda it: it.answer[0][0] == "green")
        one.until(lambda it: it.answer[0][0] == "green")
        two.send("rename", label="green", new="lime")
        for each in (one, two):
            each.until(lambda it: it.answer and it.answer[0][0] == "lime")
        one.send("rename", label="blue", new="sea")
        two.send("rename", label="blue", new="sky")  # as they both see "blue"
        for each in (one, two):  # answered after the names
            each.send("nonsense")
            each.until(lambda it: "invalid-message" in it.errors)
        codes = [code for code in one.errors + two.errors if code != "invalid-message"]
        assert codes == ["recording-in-use", "unknown-class"]
    done = page.end()
    assert done is not None
    assert sorted(done.counts) == sorted(teacher.labels)
    model = edge.Classifier.open(done.model)
    assert model.predict(color_photos.image("green", 99)).best.label == "lime"


def test_two_visitors_at_once_do_not_tear_the_state(page: ServedTeaching, teacher: Teacher) -> None:
    with TeachingClient(page) as one, TeachingClient(page) as two:
        for number in range(15):
            one.send("add-class", label=f"one {number}")
            two.send("add-class", label=f"two {number}")
            one.send("reorder", labels=["red", "blue"])  # too late, for the most part
            two.send("undo")
        one.send("add-class", label="the last one")
        for each in (one, two):
            each.until(lambda it: "the last one" in it.cards)
        one.until(lambda it: list(it.cards) == list(two.cards))
        folders = {path.name for path in teacher.photos.root.iterdir() if path.name != ".trash"}
        assert set(one.cards) == folders == set(teacher.labels)


def test_a_camera_that_vanishes_is_told_waited_for_and_costs_nothing(page: ServedTeaching) -> None:
    with TeachingClient(page) as one:
        one.until(lambda it: it.answer)
        one.send("record", label="red")
        one.until(lambda it: it.cards["red"]["count"] > 11)
        page.camera.unplugged = True
        one.until(lambda it: it.state["lost"])
        assert "no more frames" in one.state["lost"].lower()
        one.send("rename", label="blue", new="sky")
        one.until(lambda it: "sky" in it.cards and not it.state["learning"])
        kept = one.cards["red"]["count"]
        page.camera.unplugged = False
        one.until(lambda it: it.state["lost"] is None)
        one.answer = []
        one.until(lambda it: it.answer)
        assert one.cards["red"]["count"] >= kept


def test_a_visitor_that_leaves_while_recording_records_no_more(page: ServedTeaching) -> None:
    with TeachingClient(page) as two:
        with TeachingClient(page) as one:
            one.send("record", label="red")
            two.until(lambda it: it.state.get("recording") == "red")
        two.until(lambda it: it.state["recording"] is None)


def test_files_are_added_and_others_refused_one_by_one(
    page: ServedTeaching, teacher: Teacher
) -> None:
    def drop(name: str, content: bytes, label: str = "red") -> "httpx.Response":
        query = {"label": label, "name": name}
        return httpx.post(f"{page.address}/api/images", params=query, content=content)

    assert drop("mine.png", png()).json() == {"name": "mine.png"}
    assert drop("mine.png", png()).json() == {"name": "mine-2.png"}
    assert drop("../../evil.png", png()).json() == {"name": "evil.png"}
    for name, content in (("notes.txt", b"hello"), ("empty.jpg", b""), ("cut.png", png()[:60])):
        answer = drop(name, content)
        assert answer.status_code == 422
        assert name in answer.json()["message"]
    assert drop("a.png", png(), "gone").json()["code"] == "unknown-class"
    listed = httpx.get(f"{page.address}/api/images", params={"label": "red"}).json()
    assert [name for name, _ in listed[:3]] == ["evil.png", "mine-2.png", "mine.png"]
    assert len(list((teacher.photos.root / "red").iterdir())) == 13


def test_images_are_shown_small_and_large_and_nothing_else_is(
    page: ServedTeaching, teacher: Teacher
) -> None:
    large = np.full((600, 900, 3), 200, np.uint8)
    cv2.imwrite(str(teacher.photos.root / "red" / "large.png"), large)
    (teacher.photos.root / "secret.txt").write_text("no image")

    def shown(**query: str) -> "httpx.Response":
        return httpx.get(f"{page.address}/api/image", params=query)

    small = shown(label="red", name="large.png", size="thumbnail")
    assert "immutable" in small.headers["cache-control"]
    assert small.headers["content-type"] == "image/jpeg"
    pixels = cv2.imdecode(np.frombuffer(small.content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape == (107, 160, 3)
    assert len(shown(label="red", name="large.png", size="large").content) > len(small.content)
    for label, name in (
        ("..", "secret.txt"), ("red", "../secret.txt"), (".trash", "x.png"), ("red", "none.png"),
        ("", ""), ("red", ""), ("red", "\0"), ("red", "x" * 5000),
    ):  # fmt: skip
        assert shown(label=label, name=name).status_code == 404
    assert httpx.get(f"{page.address}/api/images", params={"label": "gone"}).status_code == 404


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_a_foreign_page_can_neither_connect_nor_send_files(
    page: ServedTeaching, origin: str
) -> None:
    with pytest.raises(exceptions.InvalidStatus):
        TeachingClient(page, origin=origin)
    query = {"label": "red", "name": "a.png"}
    answer = httpx.post(
        f"{page.address}/api/images", params=query, content=png(), headers={"origin": origin}
    )
    assert answer.status_code == 403
    assert httpx.get(page.address, headers={"host": "evil.example"}).status_code == 403


def test_others_need_the_token(teacher: Teacher, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving_page(teacher, monkeypatch, "0.0.0.0") as page:
        local = f"http://127.0.0.1:{page.address.rpartition(':')[2]}"
        for path in ("/", "/api/state", "/api/images?label=red", "/teach/app.js"):
            assert httpx.get(local + path).status_code == 401
        query = {"label": "red", "name": "a.png"}
        assert httpx.post(f"{local}/api/images", params=query, content=png()).status_code == 401
        token = page.url.partition("?")[2]
        with httpx.Client(base_url=local, follow_redirects=True) as client:
            assert client.get(f"/?{token}").status_code == 200
            assert client.get("/api/images", params={"label": "red"}).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", '{"type": 3}', '{"type": "delete-all"}', "[" * 100_000,
        '{"type": "rename", "label": "a"}', '{"type": "rename", "label": "a", "new": 1}',
        '{"type": "reorder", "labels": ["a", 1]}', '{"type": "undo", "more": 1}',
        '{"type": "reorder", "labels": "ab"}',
        json.dumps({"type": "add-class", "label": "x" * 2000}),
    ],
)  # fmt: skip
def test_nonsense_is_no_command(text: str) -> None:
    with pytest.raises(edge.UsageError) as caught:
        parse_command(text, 1)
    assert caught.value.code == "invalid-message"


def test_nonsense_is_answered_and_the_connection_stays(page: ServedTeaching) -> None:
    with TeachingClient(page) as one:
        assert one.error("delete-all") == "invalid-message"
        one.socket.send(b"\xff\xd8 no image")
        one.until(lambda it: "browser-camera-not-used" in it.errors)
        one.send("add-class", label="green")
        one.until(lambda it: "green" in it.cards)


def test_the_end_is_told_and_what_was_not_learned_yet_is(
    page: ServedTeaching, open_teacher: Callable[[], Teacher]
) -> None:
    with TeachingClient(page) as one:
        one.until(lambda it: it.answer)
        one.send("rename", label="blue", new="sky")
        one.until(lambda it: "sky" in it.cards)
        done = page.end()
        one.until(lambda it: it.ended)
    assert done is not None
    assert edge.Classifier.open(done.model).labels == ("sky", "red")
    assert open_teacher().labels == ("sky", "red")


def test_with_a_single_class_there_is_nothing_to_save(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = Teacher.open(tmp_path / "new", backbone=backbone, say=print)
    with serving_page(teacher, monkeypatch) as page:
        with TeachingClient(page) as one:
            one.until(lambda it: it.state)
            assert not one.cards
            one.send("add-class", label="red")
            one.send("record", label="red")
            one.until(lambda it: it.cards and it.cards["red"]["count"] > 2)
            one.until(lambda it: "Only red" in it.state["waiting"])
        assert page.end() is None
    assert not teacher.out.exists()


def test_many_classes_are_sent_once(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        color_photos.write(tmp_path / "many" / f"class {number:02d}", "red", 2, start=2 * number)
    teacher = Teacher.open(tmp_path / "many", backbone=backbone, say=print)
    with serving_page(teacher, monkeypatch) as page, TeachingClient(page) as one:
        one.until(lambda it: len(it.cards) == 40 and it.state["accuracy"] is not None and it.answer)
        one.send("rename", label="class 39", new="last")
        one.until(lambda it: "last" in it.cards)
        assert [card["label"] for card in one.state["cards"]] == ["last"]
        assert len(one.answer) == 40


def test_the_command_tells_what_is_missing_before_it_does_anything(
    run_here: RunEdge, photos: Path, backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("teach", photos, "--backbone", backbone, "--address", "127.0.0.1:0")
    for source, code in (("nosuch.mp4", "source-not-found"), ("telnet:x", "unknown-source")):
        done = run_here(*words, "--source", source)
        assert (done.returncode, error_code(done.stderr)) == (2, code)
    done = run_here("teach", photos, "--address", "what/ever")
    assert error_code(done.stderr) == "invalid-address"
    monkeypatch.setitem(sys.modules, "edge.teaching.page.routes", None)
    done = run_here(*words, "--source", "synthetic:")
    assert error_code(done.stderr) == "missing-package"
    assert "[web]" in done.stderr
    assert not (photos.parent / "photos-model").exists()
