"""Labels come from many kinds of files, and must fit the model."""

import pytest
from errors import raises_code

from edge.modelfile.labels import find_labels, fit_labels, format_labels, read_labels


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


CAT_DOG_COW = ("cat", "dog", "cow, domestic")
NUMBERED = "".join(f"{n} {name}\n" for n, name in enumerate("abcdefghijkl", 1) if n != 3)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # Numbered lines, from 0 and from 1, with every separator, in any order.
        ("l.txt", "0 cat\n1 dog\n2 cow, domestic\n"),
        ("l.txt", "1 cat\n2 dog\n3 cow, domestic\n"),
        ("l.txt", "1: cat\n2: dog\n3: cow, domestic\n"),
        ("l.txt", "1:cat\r\n2:dog\r\n3:cow, domestic\r\n"),
        ("l.txt", "1\tcat\n2\tdog\n3\tcow, domestic\n"),
        ("l.txt", "0,cat\n1,dog\n2,cow, domestic\n"),
        ("l.txt", "1, cat\n2, dog\n3, cow, domestic\n"),
        ("l.txt", "1. cat\n2. dog\n3. cow, domestic\n"),
        ("l.txt", "1) cat\n2) dog\n3) cow, domestic\n"),
        ("l.txt", "0 = cat\n1 = dog\n2 = cow, domestic\n"),
        ("l.txt", "0 - cat\n1 - dog\n2 - cow, domestic\n"),
        ("l.txt", "2: cow, domestic\n0: cat\n1: dog\n"),
        ("l.txt", "cat\t0\ndog\t1\ncow, domestic\t2\n"),
        ("l.txt", "dog,1\ncat,0\ncow, domestic,2\n"),
        ("l.txt", "0: 'cat'\n1: 'dog'\n2: 'cow, domestic'\n"),
        ("l.txt", "# classes of the farm\n\ncat\ndog\ncow, domestic\n"),
        # Tables.
        ("l.csv", 'id,name\n0,cat\n1,dog\n2,"cow, domestic"\n'),
        ("l.txt", 'ClassId,SignName\n0,cat\n1,dog\n2,"cow, domestic"\n'),
        ("l.csv", 'index,mid,display_name\n2,/m/1,"cow, domestic"\n0,/m/2,cat\n1,/m/3,dog\n'),
        ("l.csv", 'label\ncat\ndog\n"cow, domestic"\n'),
        ("l.csv", 'target,label\n2,"cow, domestic"\n1,dog\n0,cat\n'),
        ("l.csv", "id;name\n1;cat\n2;dog\n3;cow, domestic\n"),
        ("l.tsv", "cat\t0\ndog\t1\ncow, domestic\t2\n"),
        # JSON, and what Python prints.
        ("l.json", '["cat", "dog", "cow, domestic"]'),
        ("l.json", '{"0": "cat", "1": "dog", "2": "cow, domestic"}'),
        ("l.json", '{"2": "cow, domestic", "1": "dog", "0": "cat"}'),
        ("l.json", '{"1": "cat", "2": "dog", "3": "cow, domestic"}'),
        ("l.json", '{"cat": 0, "cow, domestic": 2, "dog": 1}'),
        ("l.json", '{"0": ["n02123045", "cat"], "1": ["n02123046", "dog"], '
                   '"2": ["n02123047", "cow, domestic"]}'),
        ("l.json", '{"labels": ["cat", "dog", "cow, domestic"], "modelName": "farm"}'),
        ("l.json", '{"id2label": {"0": "cat", "1": "dog", "2": "cow, domestic"}, "x": {"y": 1}}'),
        ("l.json", '{"categories": [{"id": 2, "name": "dog"}, {"id": 1, "name": "cat"}, '
                   '{"id": 3, "name": "cow, domestic", "supercategory": "animal"}]}'),
        ("l.json", '[{"name": "cat"}, {"name": "dog"}, {"name": "cow, domestic", "x": 1}]'),
        ("l.txt", "{0: 'cat', 1: 'dog',\n 2: \"cow, domestic\"}\n"),
        ("l.txt", "['cat', 'dog', 'cow, domestic']"),
        ("l.txt", "{'cat': 0, 'dog': 1, 'cow, domestic': 2}"),
        # data.yaml.
        ("data.yaml", "train: ../train\nnc: 3\nnames: ['cat', 'dog', 'cow, domestic']\n"),
        ("data.yaml", 'names: [cat, dog,\n  # more\n  "cow, domestic",\n]\nnc: 3\n'),
        ("data.yaml", "nc: 3 # classes\nnames:\n- cat\n- dog # a pet\n- cow, domestic\n"),
        ("data.yaml", "names:\n  0: cat\n  1: 'dog'\n  2: \"cow, domestic\"\nval: x\n"),
        ("data.yml", "---\nnames: {0: cat, 1: dog, 2: 'cow, domestic'}\n"),
        ("data.yaml", "download: |\n  import x\n  x.y()\nnames:\n  2: cow, domestic\n"
                      "  0: cat\n  1: dog\n"),
        ("names.yaml", "0: cat\n1: dog\n2: cow, domestic\n"),
        ("names.yaml", "- cat\n- dog\n- cow, domestic\n"),
        ("data.txt", "names:\n  0: cat\n  1: dog\n  2: cow, domestic\n"),
        # Label maps.
        ("m.pbtxt", "item {\n  id: 1\n  name: 'cat'\n}\nitem {\n  id: 2\n  name: 'dog'\n}\n"
                    'item {\n  name: "cow, domestic"\n  id: 3\n}\n'),
        ("m.pbtxt", '# a farm\nitem { id: 3 name: "/m/1" display_name: "cow, domestic" }\n'
                    'item: { id: 1, name: "/m/2", display_name: "cat"\n keypoints { id: 7 label: '
                    '"nose" } }\nitem < id: 2 name: "dog" >'),
    ],
)  # fmt: skip
def test_every_format_gives_its_names(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_labels(tmp_path / name) == CAT_DOG_COW


@pytest.mark.parametrize(
    ("name", "text", "labels"),
    [
        ("m.pbtxt", 'item { id: 1 name: "a" } item { id: 3 name: "c\\303\\251" }',
         ("a", "class 1", "cé")),
        ("m.pbtxt", "item { id: 0 name: 'background' } item { id: 1 name: 'a' }",
         ("background", "a")),
        ("m.pbtxt", "item { id: 2 name: 'b' } item { id: 3 name: 'c' }", ("class 0", "b", "c")),
        ("l.txt", NUMBERED, ("a", "b", "class 2", *"defghijkl")),
        ("l.txt", "0: cat\n1:\n2: dog\n", ("cat", "class 1", "dog")),
        ("l.yaml", "names:\n- no\n- 7\n- \"\\U0001F408 cat\"\n", ("no", "7", "\U0001f408 cat")),
        ("l.json", '["\\ud83d\\udc08", "caf\u00e9"]', ("\U0001f408", "café")),
        ("l.txt", "jack-o'-lantern\n'quoted'\n", ("jack-o'-lantern", "'quoted'")),
        ("l.txt", "0.5 mm\n1.5 mm\n", ("0.5 mm", "1.5 mm")),
        ("l.txt", "0,5 l\n1,5 l\n", ("0,5 l", "1,5 l")),
        ("l.txt", "1st\n2nd\n3rd\n", ("1st", "2nd", "3rd")),
        ("l.txt", "1:1\n2:3\n", ("1:1", "2:3")),
        ("l.txt", "Zone: 1\nZone: 2\n", ("Zone: 1", "Zone: 2")),
        ("l.txt", "[unused]\ncat\n", ("[unused]", "cat")),
        ("l.txt", "line\u2028break\nb\x85c\n", ("line\u2028break", "b\x85c")),
    ],
)  # fmt: skip
def test_gaps_scripts_and_names_that_only_look_numbered(tmp_path, name, text, labels):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_labels(tmp_path / name) == labels


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.txt", "<!DOCTYPE html>\n<html></html>\n"),
        ("l.txt", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        ("obj.data", "classes = 2\nnames = obj.names\n"),
        ("head.toml", 'head = "ssd"\n'),
        ("l.json", '["cat", "dog"'),
        ("l.json", '{"0": "cat", "0": "dog"}'),
        ("l.json", '{"0": "cat", "2000": "dog"}'),
        ("l.json", '{"5": "cat", "6": "dog"}'),
        ("l.json", '{"0": "cat", "1": {"name": "dog"}}'),
        ("l.json", '["cat", null]'),
        ("l.json", '["cat", ""]'),
        ("l.json", '{"0": "1", "1": "0"}'),
        ("l.json", "[" * 100_000),
        ("l.json", '{"names": ' * 400 + "[]" + "}" * 400),
        ("l.txt", "{names: " * 400 + "}" * 400),
        ("l.json", '{"names": ["cat"], "classes": ["dog"]}'),
        ("l.json", '{"model": "x"}'),
        ("data.yaml", "nc: 3\nnames: [cat, dog]\n"),
        ("data.yaml", "names:\n"),
        ("data.yaml", "names: &n [cat, dog]\n"),
        ("data.yaml", "names: *n\n"),
        ("data.yaml", "names: [cat, dog\n"),
        ("data.yaml", "names:\n  0: cat\n  0: dog\n"),
        ("data.yaml", "names:\n  0: cat\n  1: |\n    dog\n"),
        ("data.yaml", "names:\n  0: cat\n    1: dog\n"),
        ("data.yaml", "names:\n  - id: 0\n    name: cat\n"),
        ("data.yaml", "names:\n  0: cat\n  1:\n"),
        ("data.yaml", "names: !!python/object:os.system [cat]\n"),
        ("data.yaml", "names: [cat]\nnames: [dog]\n"),
        ("data.yaml", "train: images\nnc: 2\n"),
        ("data.yaml", "names: 'coco.names'\n"),
        ("m.pbtxt", "item { id: 1 name: 'a' } item { id: 1 name: 'b' }"),
        ("m.pbtxt", "item { id: 1 name: 'a'"),
        ("m.pbtxt", "item { name: 'a' }"),
        ("m.pbtxt", "item { id: 1 name: 'a' } model { x: 1 }"),
        ("l.csv", "n01440764,tench\nn01443537,goldfish\n"),
        ("l.csv", "path,label\na.jpg,cat\nb.jpg,dog\n"),
        ("l.csv", "id,name\n0,cat\n0,dog\n"),
        ("l.csv", "tench, Tinca tinca\ngoldfish\n"),
        ("l.csv", "0,1,cat\n1,0,dog\n"),
        ("l.txt", "a" * 2000 + "\nb\n"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with raises_code("labels-format", found=name):
        read_labels(tmp_path / name)


def test_a_huge_file_is_refused(tmp_path):
    (tmp_path / "l.txt").write_bytes(b"cat\n" * 1_500_000)
    with raises_code("labels-not-text", found="too large"):
        read_labels(tmp_path / "l.txt")


@pytest.mark.parametrize(
    "labels",
    [
        ("cat", "dog"),
        ("1 Apple", "2 Banana"),
        ("0 cents", "1 euro", "2 dollars"),
        ("1: a", "2: b"),
        ("a,0", "b,1"),
        ("names:", "zebra"),
        ("[cat]", "[dog]"),
        ("{x}", "y"),
        ("<html>", "y"),
        ("item {", "y"),
        ("# 1 dad", "y"),
        ("id,name", "0,cat"),
        ("tench, Tinca tinca", "🐈 cat", "007", "'quoted'", "etc."),
        ("7",),
        ("0 only",),
    ],
)
def test_written_labels_come_back_as_they_were(tmp_path, labels):
    (tmp_path / "labels.txt").write_text(format_labels(labels), encoding="utf-8")
    assert read_labels(tmp_path / "labels.txt") == labels


def test_usual_labels_are_written_one_per_line():
    assert format_labels(("cat", "tench, Tinca tinca")) == "cat\ntench, Tinca tinca\n"


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
    for other in ("birds2_labels.txt", "birds_big_labels.txt", "birds_big.tflite"):
        (tmp_path / other).touch()  # of other models, whose names begin the same way
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
