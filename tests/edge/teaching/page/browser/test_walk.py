"""Whoever teaches with the page of ``edge teach``, from an empty folder to a model on disk."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import color_photos
import pytest
from web_stream import OpenPage, Served, serving

import edge

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("edge.teaching.page.routes", reason="the extra 'web' is not installed")
expect = sync_api.expect

Teach = Callable[..., AbstractContextManager[Served]]

HOSTILE = "<img src=x onerror=alert(1)>"
ENOUGH = 5  # images of a class

COLOR = (
    "(() => { const [red, , blue] = document.getElementById('image').getContext('2d')"
    ".getImageData(300, 20, 1, 1).data; return red > blue ? 'red' : 'blue' })()"
)


@pytest.fixture
def teaching(tmp_path: Path, backbone: Path) -> Teach:
    """Serves the folder "things" at a port, 0 for a free one, until the block ends."""

    @contextmanager
    def teaching(port: int = 0, source: str = "browser") -> Iterator[Served]:
        words = ("teach", tmp_path / "things", "--backbone", backbone)
        with serving(*words, "--source", source, "--address", f"127.0.0.1:{port}") as running:
            yield running

    return teaching


class Teaching:
    """What a visitor does on the page."""

    def __init__(self, page: "sync_api.Page") -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def card(self, name: str) -> "sync_api.Locator":
        return self.page.locator(".class").filter(
            has=self.page.get_by_role("textbox", name=f"Name of {name}", exact=True)
        )

    def add(self, name: str) -> None:
        self.page.locator("#add-name").fill(name)
        self.page.get_by_role("button", name="Add class").click()
        expect(self.card(name)).to_be_visible()

    def count(self, name: str) -> int:
        return int(self.card(name).locator(".count").inner_text().split()[0])

    def until_it_shows(self, color: str) -> None:
        """The camera has just begun to show a color, for 3 s."""
        other = "blue" if color == "red" else "red"
        end = time.monotonic() + 30
        for awaited in (other, color):
            while self.page.evaluate(COLOR) != awaited:
                assert time.monotonic() < end
                self.page.wait_for_timeout(20)

    def until_it_has(self, name: str, count: int) -> None:
        end = time.monotonic() + 20
        while self.count(name) < count:
            assert time.monotonic() < end
            self.page.wait_for_timeout(20)

    def hold(self, name: str, color: str) -> None:
        """Hold the button of a class while the camera shows a color."""
        self.until_it_shows(color)
        button = self.card(name).get_by_role("button", name="Hold to record")
        button.hover()
        self.page.mouse.down()
        self.until_it_has(name, ENOUGH)
        self.page.mouse.up()
        expect(self.page.locator("#recording")).to_be_hidden()


def learned(page: "sync_api.Page") -> None:
    expect(page.locator("#model-text.busy")).to_have_count(0)
    expect(page.locator("#model-text")).to_contain_text("Learned from")


def test_two_things_are_shown_named_and_never_lost(
    teaching: Teach, open_page: OpenPage, tmp_path: Path
) -> None:
    with teaching() as running:
        page, port = open_page(running.url), running.port
        at = Teaching(page)
        page.get_by_role("button", name="Use this camera").click()
        expect(page.locator("#link")).to_have_text("Live")
        record_two_things(at)
        rename_delete_and_undo_beside_another(at, Teaching(open_page(running.url)))
        add_files(at, tmp_path / "files")
        shown = [card.inner_text() for card in page.locator(".class .count").all()]
        page.reload()
        expect(page.locator(".class .count")).to_have_text(shown)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
        expect(page.locator("#link")).to_have_text("Reconnecting")
    with teaching(port) as again:
        expect(page.locator(".class .count")).to_have_text(shown)
        page.get_by_role("button", name="Use this camera").click()
        expect(page.locator("#verdict")).to_contain_text("tomato")
        expect(page.locator("#verdict")).to_contain_text("sea")
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(20) == 0
        expect(page.locator("#link")).to_have_text("Ended")
    model = edge.Classifier.open(tmp_path / "things-model")
    assert model.labels == ("tomato", "sea")
    assert model.predict(color_photos.image("red", 5)).best.label == "tomato"
    assert {path.name for path in (tmp_path / "things").iterdir()} == {"tomato", "sea", ".trash"}
    assert not at.complaints


def record_two_things(at: Teaching) -> None:
    page = at.page
    expect(page.locator("#waiting")).to_contain_text("Name the first thing")
    at.add("tomato")
    at.hold("tomato", "red")
    expect(page.locator("#waiting")).to_contain_text("Only tomato so far")
    at.add("sky")
    page.locator("h1").click()  # digits that are typed into a field record nothing
    at.until_it_shows("blue")
    page.keyboard.down("2")
    at.until_it_has("sky", ENOUGH)
    page.keyboard.up("2")
    learned(page)
    expect(page.locator("#verdict")).to_contain_text("tomato")
    expect(page.locator("#verdict")).to_contain_text("sky")
    expect(page.locator("#suggestion")).to_contain_text("none of these")


def rename_delete_and_undo_beside_another(at: Teaching, other: Teaching) -> None:
    page, before = at.page, at.count("sky")
    expect(other.card("sky").locator(".count")).to_have_text(f"{before} images")
    name = at.card("sky").get_by_role("textbox")
    name.fill("sea")
    name.press("Enter")
    expect(other.card("sea")).to_be_visible()
    expect(page.locator("#verdict")).to_contain_text("sea")
    expect(page.locator("#undo")).to_have_attribute("title", "Undo renaming sky to sea (Z)")
    at.card("sea").locator(".thumbs li").first.hover()
    at.card("sea").get_by_role("button", name="Delete image").first.click()
    for each in (at, other):
        expect(each.card("sea").locator(".thumbs li")).to_have_count(before - 1)
    other.page.keyboard.press("z")
    for each in (at, other):
        expect(each.card("sea").locator(".count")).to_have_text(f"{before} images")
    other.page.close()


def add_files(at: Teaching, folder: Path) -> None:
    """Choose two images and two files that are none, and drop a third."""
    page, before = at.page, at.count("tomato")
    color_photos.write(folder, "red", 2)
    (folder / f"{HOSTILE}.txt").write_text("no image")
    (folder / "empty.jpg").write_bytes(b"")
    with page.expect_file_chooser() as chooser:
        at.card("tomato").get_by_role("button", name="Add image files").click()
    chooser.value.set_files(sorted(folder.iterdir()))
    refused = at.card("tomato").locator(".refused li")
    expect(refused).to_have_count(2)
    expect(refused.filter(has_text="onerror")).to_be_visible()
    expect(refused.filter(has_text="empty.jpg")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    expect(at.card("tomato").locator(".count")).to_have_text(f"{before + 2} images")
    drop_text(page, ".class >> nth=1", "note.txt")
    expect(at.card("sea").locator(".refused li")).to_contain_text("note.txt")
    learned(page)


def drop_text(page: "sync_api.Page", target: str, name: str) -> None:
    """Drop a text file on an element."""
    script = (
        "name => { const data = new DataTransfer(); data.items.add(new File(['text'], name));"
        " return data }"
    )
    data = page.evaluate_handle(script, name)
    page.dispatch_event(target, "drop", {"dataTransfer": data})


def test_classes_are_ordered_removed_and_all_of_many_images_shown_on_a_phone(
    teaching: Teach, open_page: OpenPage, tmp_path: Path
) -> None:
    color_photos.write(tmp_path / "things" / HOSTILE, "blue", 2)
    color_photos.write(tmp_path / "things" / "many", "red", 45)
    for number in range(10):
        color_photos.write(tmp_path / "things" / f"class {number}", "green", 1, start=number)
    with teaching(source="synthetic:320x240@15") as running:
        page = open_page(running.url, viewport={"width": 390, "height": 844}, has_touch=True)
        at = Teaching(page)
        expect(page.locator("#link")).to_have_text("Live")
        expect(page.locator(".class")).to_have_count(12)
        names = page.locator(".class .name")
        expect(names.first).to_have_value(HOSTILE)
        assert page.locator("img[src=x]").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

        many = at.card("many")
        expect(many.locator(".thumbs li")).to_have_count(30)
        many.get_by_role("button", name="All 45").click()
        expect(many.locator(".thumbs li")).to_have_count(45)
        many.locator(".open").first.click()
        viewer = page.get_by_role("dialog")
        expect(viewer).to_contain_text("many · 044.png")
        viewer.get_by_role("button", name="Delete image").click()
        expect(viewer).to_be_hidden()
        expect(many.locator(".thumbs li")).to_have_count(44)

        many.locator("summary").click()
        many.get_by_role("button", name="Move earlier").click()
        expect(names.nth(-2)).to_have_value("many")
        many.locator("summary").click()
        many.get_by_role("button", name="Remove class").click()
        expect(page.locator(".class")).to_have_count(11)
        page.get_by_role("button", name="Undo").click()
        expect(names.nth(-2)).to_have_value("many")
        expect(many.locator(".count")).to_have_text("44 images")

        button = many.get_by_role("button", name="Hold to record")
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        expect(page.locator("#stage")).to_be_in_viewport()
        button.focus()
        page.keyboard.down("Space")
        expect(page.locator("#recording-text")).to_contain_text("many · ")
        page.keyboard.up("Space")
        expect(page.locator("#recording")).to_be_hidden()
        assert not at.complaints
