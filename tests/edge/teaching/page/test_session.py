"""A session of teaching: its visitors, frames and lessons, without threads and without a page."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import color_photos
import pytest
from errors import raises_code
from full_disk import full_disk

import edge
from edge.errors import OutputError
from edge.frame import Frame
from edge.teaching.examples import Examples
from edge.teaching.page.learner import Learned, Learner, Outcome
from edge.teaching.page.session import RENEW_S, TeachingSession
from edge.teaching.teacher import Teacher

VISITOR, OTHER = 1, 2


@dataclass
class Desk:
    """A session with a clock that only the test moves, and lessons that it asks for."""

    teacher: Teacher
    now: float = 100.0
    requests: list[tuple[Examples, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = TeachingSession(
            self.teacher, lambda *request: self.requests.append(request), "fake", camera=False
        )

    def show(self, color: str, seconds: float = 0.0) -> str | None:
        """Show a color to the camera at 20 frames a second; return what the last one is taken for.

        At least one frame.
        """
        answer = None
        for _ in range(max(1, round(20 * seconds))):
            self.now += 0.05
            frame = Frame(round(20 * self.now), self.now, color_photos.image(color, 7))
            answer = self.session.take_frame(frame, self.now)
            self.session.tick(self.now)
        return None if answer is None else answer.best.label

    def hold(self, label: str, color: str, seconds: float, visitor: int = VISITOR) -> None:
        self.session.record(visitor, label, self.now)
        self.show(color, seconds)
        self.session.stop_recording(visitor)

    def learn(self) -> None:
        """Wait until learning is due, and learn as the learner's thread does."""
        for _ in range(3):
            self.now += 1.0
            self.session.tick(self.now)
            while self.requests:
                for outcome in outcomes_of(self.teacher, *self.requests.pop(0)):
                    self.session.take_outcome(outcome)

    def card(self, label: str) -> dict[str, object]:
        return next(dict(card) for card in self.session.view().cards if card["label"] == label)

    @property
    def rest(self) -> dict[str, object]:
        return dict(self.session.view().rest)


def outcomes_of(teacher: Teacher, examples: Examples, strength: float) -> list[Outcome]:
    """A model, and its assessment."""
    outcomes: list[Outcome] = []
    assessed = threading.Event()

    def deliver(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if not isinstance(outcome, Learned):
            assessed.set()

    learner = Learner(teacher.extractor, deliver)
    learner.start(examples, strength)
    assert assessed.wait(20)
    learner.close()
    return outcomes


@pytest.fixture
def desk(tmp_path: Path, backbone: Path) -> Desk:
    """A session in a folder that does not exist yet."""
    return Desk(Teacher.open(tmp_path / "things", backbone=backbone, say=print))


@pytest.fixture
def taught(desk: Desk) -> Desk:
    """The same, with the classes "red" and "blue" recorded and learned."""
    for color in ("red", "blue"):
        desk.session.add_class(color, desk.now)
        desk.hold(color, color, 1.0)
    desk.learn()
    return desk


def test_two_things_are_shown_and_recognized(desk: Desk) -> None:
    assert "Name the first thing" in str(desk.rest["waiting"])
    desk.session.add_class("red", desk.now)
    assert "Hold the button of red" in str(desk.rest["waiting"])
    desk.hold("red", "red", 1.0)
    desk.learn()
    assert desk.show("red") is None
    assert "Only red so far" in str(desk.rest["waiting"])
    assert desk.rest["learned"] is None
    desk.session.add_class("blue", desk.now)
    assert "show blue" in str(desk.rest["waiting"])
    desk.hold("blue", "blue", 1.0)
    desk.learn()
    assert desk.rest["waiting"] == ""
    assert desk.show("red", 1) == "red"
    assert desk.show("blue", 1) == "blue"
    model = desk.teacher.out / "model.tflite"
    assert edge.Classifier.open(model).predict(color_photos.image("blue", 50)).best.label == "blue"
    assert desk.session.saved


def test_frames_are_recorded_ten_times_a_second_while_the_button_is_held(desk: Desk) -> None:
    desk.session.add_class("red", desk.now)
    desk.hold("red", "red", 2.0)
    assert desk.card("red")["count"] == 20
    desk.show("red", 1.0)
    assert desk.card("red")["count"] == 20


def test_a_recording_that_nobody_renews_ends(desk: Desk) -> None:
    desk.session.add_class("red", desk.now)
    desk.session.record(VISITOR, "red", desk.now)
    assert desk.rest["recording"] == "red"
    desk.show("red", RENEW_S / 2)
    desk.session.record(VISITOR, "red", desk.now)
    desk.show("red", RENEW_S / 2 + 0.5)
    assert desk.rest["recording"] == "red"
    desk.show("red", RENEW_S)
    assert desk.rest["recording"] is None


def test_a_second_visitor_waits_while_one_records(taught: Desk) -> None:
    taught.session.record(VISITOR, "red", taught.now)
    with raises_code("recording-in-use", found="red"):
        taught.session.record(OTHER, "blue", taught.now)
    taught.session.stop_recording(OTHER)
    assert taught.rest["recording"] == "red"
    taught.session.stop_recording(VISITOR)
    taught.session.record(OTHER, "blue", taught.now)
    assert taught.rest["recording"] == "blue"


def test_a_recording_is_undone_as_a_whole(taught: Desk) -> None:
    taught.hold("red", "red", 1.5)
    assert taught.card("red")["count"] == 25
    assert taught.rest["undo"] == "recording 15 images of red"
    taught.session.undo(taught.now)
    assert taught.card("red")["count"] == 10
    assert taught.rest["undo"] == "recording 10 images of blue"


def test_every_change_can_be_undone(taught: Desk) -> None:
    def state() -> list[tuple[object, object]]:
        return [(card["label"], card["count"]) for card in taught.session.view().cards]

    session, states = taught.session, [state()]
    name = str(taught.teacher.images("red")[0].name)
    for change in (
        lambda: session.rename("red", "crimson", taught.now),
        lambda: session.remove_images("crimson", [name], taught.now),
        lambda: session.reorder(["blue", "crimson"], taught.now),
        lambda: session.add_class("none of these", taught.now),
        lambda: session.remove_class("blue", taught.now),
    ):
        change()
        states.append(state())
    assert len({str(each) for each in states}) == len(states)
    for expected in reversed(states[:-1]):
        session.undo(taught.now)
        assert state() == expected
    taught.learn()
    assert taught.show("blue", 1) == "blue"


def test_the_answer_follows_a_new_name_a_new_order_and_a_removed_class(taught: Desk) -> None:
    taught.session.rename("red", "tomato", taught.now)
    taught.session.reorder(["blue", "tomato"], taught.now)
    taught.learn()
    assert taught.show("red", 1) == "tomato"
    assert (taught.teacher.out / "labels.txt").read_text().split() == ["blue", "tomato"]
    taught.session.remove_class("blue", taught.now)
    assert taught.show("red") is None, "a single class is no answer"
    assert "Only tomato" in str(taught.rest["waiting"])


def test_a_class_that_is_recorded_can_be_renamed_or_removed(taught: Desk) -> None:
    taught.session.record(VISITOR, "red", taught.now)
    taught.session.rename("red", "tomato", taught.now)
    taught.show("red", 0.5)
    assert taught.card("tomato")["count"] == 15
    taught.session.remove_class("tomato", taught.now)
    taught.show("red", 0.5)
    assert [card["label"] for card in taught.session.view().cards] == ["blue"]


def test_accuracy_and_hints_stand_on_the_cards(taught: Desk) -> None:
    taught.session.add_class("crimson", taught.now)
    taught.hold("crimson", "red", 1.0)
    taught.learn()
    assert (taught.card("blue")["correct"], taught.card("blue")["tested"]) == (10, 10)
    hints = f"{taught.card('crimson')['hint']} {taught.card('red')['hint']}"
    assert "are taken for" in hints
    assert taught.rest["accuracy"] is not None


def test_nothing_of_these_is_suggested_until_there_is_such_a_class(taught: Desk) -> None:
    assert taught.rest["suggestion"] == "none of these"
    taught.session.add_class("empty table", taught.now)
    assert taught.rest["suggestion"] is None


def test_image_files_are_kept_and_others_refused_by_name(taught: Desk, tmp_path: Path) -> None:
    color_photos.write(tmp_path, "red", 1)
    content = (tmp_path / "000.png").read_bytes()
    assert taught.session.add_file(content, "mine.png", "red", taught.now) == "mine.png"
    assert (taught.teacher.photos.root / "red" / "mine.png").read_bytes() == content
    with raises_code("image-undecodable", found="notes.txt"):
        taught.session.add_file(b"hello", "notes.txt", "red", taught.now)
    with raises_code("unknown-class"):
        taught.session.add_file(content, "mine.png", "gone", taught.now)
    assert taught.card("red")["count"] == 11


@pytest.mark.parametrize("name", ["a/b", "", "   ", "..", ".trash", "x" * 300, "red"])
def test_names_that_are_no_folder_or_taken_are_refused(taught: Desk, name: str) -> None:
    with pytest.raises(edge.EdgeError):
        taught.session.add_class(name, taught.now)
    with pytest.raises(edge.EdgeError):
        taught.session.rename("blue", name, taught.now)
    assert [card["label"] for card in taught.session.view().cards] == ["red", "blue"]


def test_a_full_disk_ends_the_recording_and_is_shown(taught: Desk) -> None:
    before = taught.teacher.images("red")
    with full_disk():
        taught.session.record(VISITOR, "red", taught.now)
        taught.show("red", 0.5)
        assert taught.rest["recording"] is None
        assert "writable" in str(taught.rest["problem"])
        assert taught.show("blue", 1) == "blue", "the stream goes on"
    assert taught.teacher.images("red") == before
    taught.hold("red", "red", 0.5)
    assert taught.rest["problem"] is None
    assert taught.card("red")["count"] == 15


def test_a_model_that_cannot_be_written_is_told_and_used(taught: Desk) -> None:
    taught.session.rename("red", "tomato", taught.now)
    with full_disk():
        taught.learn()
    assert "writable" in str(taught.rest["problem"])
    assert not taught.session.saved
    assert taught.show("red", 1) == "tomato"


def test_a_folder_that_becomes_read_only_loses_nothing(
    taught: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("shutil.move", refuse)
        patch.setattr(Path, "write_bytes", refuse)
        for change in (
            lambda: taught.session.rename("red", "tomato", taught.now),
            lambda: taught.session.remove_class("red", taught.now),
            lambda: taught.session.undo(taught.now),
        ):
            with pytest.raises(OutputError):
                change()
        taught.session.record(VISITOR, "red", taught.now)
        taught.show("red", 0.5)
        assert taught.rest["recording"] is None
        assert "permission denied" in str(taught.rest["problem"])
    assert [(card["label"], card["count"]) for card in taught.session.view().cards] == [
        ("red", 10), ("blue", 10),
    ]  # fmt: skip


def test_a_camera_that_is_gone_is_told(taught: Desk) -> None:
    taught.session.tick(taught.now, "No more frames; it is waited for")
    assert taught.rest["lost"] == "No more frames; it is waited for"
    taught.session.tick(taught.now, None)
    assert taught.rest["lost"] is None


def test_a_folder_with_images_is_learned_at_once(open_teacher: Callable[[], Teacher]) -> None:
    desk = Desk(open_teacher())
    desk.learn()
    assert desk.show("red", 1) == "red"
    assert desk.session.saved


def test_what_changes_while_it_learns_is_learned_next(taught: Desk) -> None:
    taught.hold("red", "red", 0.5)
    taught.now += 1
    taught.session.tick(taught.now)
    (request,) = taught.requests
    taught.requests.clear()
    taught.session.rename("red", "tomato", taught.now)
    for outcome in outcomes_of(taught.teacher, *request):
        taught.session.take_outcome(outcome)
    assert not taught.session.saved
    taught.learn()
    assert taught.session.saved
    assert taught.show("red", 1) == "tomato"


def test_the_view_changes_only_with_what_it_shows(taught: Desk) -> None:
    view = taught.session.view()
    taught.show("red", 0.5)
    assert taught.session.view() is view


def test_a_card_shows_the_newest_images_and_all_can_be_had(desk: Desk) -> None:
    desk.session.add_class("red", desk.now)
    desk.hold("red", "red", 2.9)
    desk.session.record(VISITOR, "red", desk.now)
    desk.show("red", 0.6)
    shown, every = desk.card("red")["images"], desk.session.images("red")
    assert isinstance(shown, list)
    assert len(every) == desk.card("red")["count"]
    assert (len(shown), shown) == (30, every[:30])
    assert every[0][0] > every[-1][0], "the newest first"
