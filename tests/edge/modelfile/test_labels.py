"""Labels come from many kinds of files, and must fit the model."""

import pytest
from errors import raises_code

from edge.modelfile.labels import find_labels, fit_labels, read_labels


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        (b"cat\ndog\n", ("cat", "dog")),
        (b"\xef\xbb\xbfcat\r\ndog\r\n\r\n", ("cat", "dog")),
        ("blå\nröd".encode("utf-16"), ("blå", "röd")),
        (b"0 cat\n1 dog\n", ("cat", "dog")),
        (b"0: cat\n1: big dog\n", ("cat", "big dog")),
        (b"0  person\n2  car\n", ("person", "class 1", "car")),
        (b"1 euro\n2 euro\n", ("1 euro", "2 euro")),
        (b"7 up\n3 musketeers\n", ("7 up", "3 musketeers")),
        (b"0\n1\n2\n", ("0", "1", "2")),
        (b"tench, Tinca tinca\ngoldfish\n", ("tench, Tinca tinca", "goldfish")),
        (b"cat\r\n\r\ndog\r\n", ("cat", "dog")),
        (b"cat\r\ndog\r\n \r\nand 255 is ignored,\r\nwhatever it is.\r\n", ("cat", "dog")),
        (b"etc.\nand so on.\n", ("etc.", "and so on.")),
    ],
)
def test_kinds_of_files(tmp_path, content, labels):
    (tmp_path / "l.txt").write_bytes(content)
    assert read_labels(tmp_path / "l.txt") == labels


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "labels-empty"),
        (b"\n\n", "labels-empty"),
        (b"\xff\x00\xfe\x01", "labels-not-text"),
        (b"a\0b\nc", "labels-not-text"),
    ],
)
def test_files_without_labels_are_rejected(tmp_path, content, code):
    (tmp_path / "l.txt").write_bytes(content)
    with raises_code(code, found="l.txt"):
        read_labels(tmp_path / "l.txt")


def test_labels_beside_the_model(tmp_path):
    model = tmp_path / "birds.tflite"
    assert find_labels(model) is None
    (tmp_path / "fish_labels.txt").touch()
    assert find_labels(model) is None
    (tmp_path / "labels.txt").touch()
    assert find_labels(model) == tmp_path / "labels.txt"
    (tmp_path / "birds_labels.txt").touch()
    assert find_labels(model) == tmp_path / "birds_labels.txt"


def test_the_background_class_is_understood():
    names = tuple(f"n{i}" for i in range(1000))
    assert fit_labels(("background", *names), 1001, "f") == (("background", *names), ())
    added, notes = fit_labels(names, 1001, "f")
    assert added == ("background", *names)
    assert "background" in notes[0]
    dropped, notes = fit_labels(("Background", "a", "b"), 2, "f")
    assert dropped == ("a", "b")
    assert "background" in notes[0]


@pytest.mark.parametrize("labels", [("a",), ("a", "b", "c", "d"), ("a", "b")])
def test_other_numbers_are_an_error_with_both_counts(labels):
    with raises_code("labels-count-mismatch", expected="3 labels", found=f"{len(labels)} in f.txt"):
        fit_labels(labels, 3, "f.txt")
