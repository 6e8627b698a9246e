"""Pascal VOC is read with its folders and lists; strange XML is refused."""

from pathlib import Path

import pytest
from errors import raises_code
from labeled_images import boxes_in, by_name, kinds, splits, write_tree


def xml(
    filename: str = "a.jpg", size: tuple[int, int] = (40, 30), name: str = "cat",
    box: tuple[object, ...] = (4, 5, 14, 25), difficult: int = 0,
) -> str:  # fmt: skip
    corners = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    sides = "".join(f"<{side}>{value}</{side}>" for side, value in corners)
    return (
        f"<annotation><filename>{filename}</filename>"
        f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
        f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>{sides}</bndbox>"
        "<part><name>head</name></part></object></annotation>"
    )


@pytest.mark.parametrize(
    ("image", "labels"),
    [("a.jpg", "a.xml"), ("train/a.jpg", "train/a.xml"), ("images/a.jpg", "annotations/a.xml"),
     ("JPEGImages/a.jpg", "Annotations/a.xml"),
     ("VOC2007/JPEGImages/a.jpg", "VOC2007/Annotations/a.xml"),
     ("train/images/a.jpg", "train/annotations/a.xml")],
)  # fmt: skip
def test_labels_beside_images_or_in_their_folder(tmp_path: Path, image: str, labels: str) -> None:
    listing = boxes_in(write_tree(tmp_path / "set", {image: (40, 30), labels: xml(difficult=1)}))
    assert by_name(listing) == {image: [("cat", [4, 5, 14, 25])]}
    assert listing.images[0].ignored.tolist() == [True]


def test_lists_give_the_splits(tmp_path: Path) -> None:
    files = {f"JPEGImages/{name}.jpg": (40, 30) for name in "abcd"}
    labels = {f"Annotations/{name}.xml": xml(f"{name}.jpg") for name in "abcd"}
    lists = {
        "ImageSets/Main/train.txt": "a\n", "ImageSets/Main/val.txt": "b\n",
        "ImageSets/Main/trainval.txt": "a\nb\n", "ImageSets/Main/test.txt": "c\n",
        "ImageSets/Main/cat_train.txt": "a 1\nd -1\n",
    }  # fmt: skip
    listing = boxes_in(write_tree(tmp_path / "set", {**files, **labels, **lists}))
    assert list(splits(listing).values()) == ["train", "validation", "test"]
    assert kinds(listing)["images-outside-split"] == ("JPEGImages/d.jpg",)


def test_xml_of_another_image_is_left_out(tmp_path: Path) -> None:
    files = {"a.jpg": (40, 30), "a.xml": xml(), "b.jpg": (40, 30), "b.xml": xml("c.jpg")}
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert list(by_name(listing)) == ["a.jpg"]
    assert kinds(listing) == {
        "labels-of-another-image": ("b.xml",), "images-unlabeled": ("b.jpg",),
    }  # fmt: skip


def test_images_that_were_renamed_with_their_xml_keep_it(tmp_path: Path) -> None:
    files = {f"{name}.jpg": (40, 30) for name in "abc"}
    labels = {"a.xml": xml("IMG_7.jpg"), "b.xml": xml("IMG_8.jpg"), "c.xml": xml("a.jpg")}
    listing = boxes_in(write_tree(tmp_path / "set", {**files, **labels}))
    assert list(by_name(listing)) == ["a.jpg", "b.jpg"]
    assert kinds(listing)["labels-renamed"] == ("a.xml", "b.xml")
    assert kinds(listing)["labels-of-another-image"] == ("c.xml",)


def test_a_polygon_without_a_box_has_one_around_it(tmp_path: Path) -> None:
    polygon = "<polygon><x1>4</x1><y1>5</y1><x2>14</x2><y2>9</y2><x3>8</x3><y3>25</y3></polygon>"
    labels = f"<annotation><object><name>cat</name>{polygon}</object></annotation>"
    listing = boxes_in(write_tree(tmp_path / "set", {"a.jpg": (40, 30), "a.xml": labels}))
    assert by_name(listing) == {"a.jpg": [("cat", [4, 5, 14, 25])]}


@pytest.mark.parametrize("written", ["a.png", "a", "A.JPG", "/home/me/a.jpeg", "", "x\\a.jpg"])
def test_only_the_name_of_the_image_has_to_agree(tmp_path: Path, written: str) -> None:
    files = {"a.jpg": (40, 30), "a.xml": xml(written)}
    assert len(boxes_in(write_tree(tmp_path / "set", files)).images) == 1


def test_xml_of_another_size_is_scaled_or_left_out(tmp_path: Path) -> None:
    files = {
        "a.jpg": (40, 30), "a.xml": xml(size=(80, 60)), "b.jpg": (40, 30),
        "b.xml": xml("b.jpg", size=(64, 64)), "c.jpg": (40, 30), "c.xml": xml("c.jpg", size=(0, 0)),
    }  # fmt: skip
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert by_name(listing) == {
        "a.jpg": [("cat", [2, 2.5, 7, 12.5])], "c.jpg": [("cat", [4, 5, 14, 25])],
    }  # fmt: skip
    assert kinds(listing) == {"labels-of-another-size": ("b.jpg",), "labels-scaled": ("a.jpg",)}


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;">]>'
    "<annotation><filename>&c;</filename></annotation>"
)
FILE = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotation>&b;</annotation>'


@pytest.mark.parametrize(
    "content",
    [BOMB, FILE, "<annotation>", "", "not xml", "<annotation>&x;</annotation>",
     "<annotation>" + "<a>" * 5000 + "</a>" * 5000 + "</annotation>",
     '<?xml version="1.0" encoding="nonsense"?><annotation/>', b"<annotation>\xff</annotation>",
     "<annotation>" + " " * (1 << 22) + "</annotation>"],
    ids=range(10),
)  # fmt: skip
def test_strange_xml_is_left_out(tmp_path: Path, content: str | bytes) -> None:
    files = {"a.jpg": (40, 30), "a.xml": xml(), "b.jpg": (40, 30), "b.xml": content}
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert list(by_name(listing)) == ["a.jpg"]
    assert kinds(listing)["labels-unreadable"] == ("b.xml",)


@pytest.mark.parametrize("box", [(1, 2, 3, "x"), (1, 2, 3, ""), (1, 2, 3, "nan"), (1, 2, 3, "inf")])
def test_an_object_without_a_box_is_reported(tmp_path: Path, box: tuple[object, ...]) -> None:
    files = {"a.jpg": (40, 30), "a.xml": xml(), "b.jpg": (40, 30), "b.xml": xml("b.jpg", box=box)}
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert by_name(listing)["b.jpg"] == []
    assert kinds(listing) == {"labels-invalid": ("b.xml",)}


def test_xml_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "a.xml": xml(), "b.jpg": (40, 30)})
    os.mkfifo(tmp_path / "set/b.xml")
    listing = boxes_in(tmp_path / "set")
    assert kinds(listing)["labels-unreadable"] == ("b.xml",)


def test_without_an_image_to_train_on_a_split_is_refused(tmp_path: Path) -> None:
    files = {f"{split}/{split}.jpg": (40, 30) for split in ("val", "test")}
    labels = {f"{split}/{split}.xml": xml(f"{split}.jpg") for split in ("val", "test")}
    with raises_code("train-split-missing"):
        boxes_in(write_tree(tmp_path / "set", {**files, **labels}))
