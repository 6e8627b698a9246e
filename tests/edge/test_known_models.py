"""Known models are remembered in the cache by their content."""

import pytest
from errors import raises_code

import edge
from edge import known_models
from edge.known_models import RECORD

CONTENT, OTHER = b"a model", b"another model"


def known(content, interpreter="odd 1.0"):
    return known_models.is_known(known_models.digest(content), interpreter)


def forget(monkeypatch):
    """What another process knows is what the cache holds."""
    monkeypatch.setattr(known_models, "_here", set())


def test_trust_holds_for_every_interpreter_and_process(none_known, monkeypatch, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(CONTENT)
    assert not known(CONTENT)
    edge.trust_model(path)
    forget(monkeypatch)
    assert known(CONTENT)
    assert not known(OTHER)


def test_a_file_that_ran_is_known_to_its_interpreter(none_known, monkeypatch):
    known_models.remember(known_models.digest(CONTENT), "odd 1.0")
    known_models.remember(known_models.digest(OTHER), "odd 1.0")
    forget(monkeypatch)
    assert known(CONTENT)
    assert known(OTHER)
    assert not known(CONTENT, "odd 2.0")


def test_the_record_is_limited(none_known, monkeypatch):
    monkeypatch.setattr(known_models, "MAX_LINES", 3)
    for number in range(5):
        known_models.remember(f"{number}")
    lines = (none_known / RECORD).read_text().splitlines()
    assert [line[0] for line in lines] == ["2", "3", "4"]


@pytest.mark.parametrize("damage", [b"\xff\xfe\x00", b""])
def test_a_damaged_record_is_written_again(none_known, monkeypatch, damage):
    none_known.mkdir()
    (none_known / RECORD).write_bytes(damage)
    known_models.trust_model(CONTENT)
    forget(monkeypatch)
    assert known(CONTENT)


def test_without_a_cache_it_holds_for_this_process(none_known, monkeypatch):
    none_known.write_text("a file where the folder should be")
    known_models.trust_model(CONTENT)
    assert known(CONTENT)
    forget(monkeypatch)
    assert not known(CONTENT)


def test_trust_in_no_file(tmp_path):
    with raises_code("model-unreadable", found="absent"):
        known_models.trust_model(tmp_path / "absent.tflite")
