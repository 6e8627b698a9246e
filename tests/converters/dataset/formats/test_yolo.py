"""YOLO's text files are read in the layouts of Ultralytics, Roboflow, Darknet and LabelImg."""

from pathlib import Path

import numpy as np
import pytest
from errors import raises_code
from labeled_images import boxes_in, by_name, kinds, masks_in, splits, write_tree

BOX = "1 0.5 0.5 0.25 0.5\n"
SEEN = ("dog", [15, 7.5, 25, 22.5])
NAMES = "names: [cat, dog]\n"
ROBOFLOW = """train: ../train/images
val: ../valid/images
test: ../test/images

nc: 2
names: ['cat', 'dog']

roboflow:
  workspace: pets
  version: 3
  url: https://universe.roboflow.com/pets/3
download: |
  import os
  print("names: x")
"""


@pytest.mark.parametrize(
    ("image", "labels", "names"),
    [("images/train/a.jpg", "labels/train/a.txt", {"data.yaml": NAMES}),
     ("train/images/a.jpg", "train/labels/a.txt", {"data.yaml": "nc: 2\n" + NAMES}),
     ("images/a.jpg", "labels/a.txt", {"coco8.yaml": "path: ../x\nnames:\n  0: cat\n  1: dog\n"}),
     ("images/a.jpg", "labels/a.txt", {"data.yml": "names:\n- cat\n- dog\n"}),
     ("images/a.jpg", "labels/a.txt", {"classes.txt": "cat\ndog\n", "notes.json": "{}"}),
     ("images/a.jpg", "labels/a.txt", {"labels/classes.txt": "cat\ndog"}),
     ("a.jpg", "a.txt", {"classes.txt": "cat\ndog\n\n"}),
     ("obj_train_data/a.jpg", "obj_train_data/a.txt", {"obj.names": "cat\r\ndog", "obj.data": ""}),
     ("train/a.jpg", "train/a.txt", {"train/_darknet.labels": "cat\ndog"}),
     ("Images/a.jpg", "Labels/a.txt", {"data.yaml": ROBOFLOW}),
     ("images/images/a.jpg", "images/labels/a.txt", {"data.yaml": NAMES})],
)  # fmt: skip
def test_layouts(tmp_path: Path, image: str, labels: str, names: dict[str, str]) -> None:
    listing = boxes_in(write_tree(tmp_path / "set", {image: (40, 30), labels: BOX, **names}))
    assert listing.classes == ("cat", "dog")
    assert by_name(listing) == {image: [SEEN]}


def test_a_yaml_file_is_a_data_set(tmp_path: Path) -> None:
    files = {"images/a.jpg": (40, 30), "labels/a.txt": BOX, "data.yaml": NAMES}
    write_tree(tmp_path / "set", files)
    assert by_name(boxes_in(tmp_path / "set/data.yaml")) == {"images/a.jpg": [SEEN]}


def test_images_without_a_file_are_empty(tmp_path: Path) -> None:
    files = {"images/a.jpg": (40, 30), "labels/a.txt": BOX, "images/b.jpg": (40, 30),
             "images/c.jpg": (40, 30), "labels/c.txt": "\n", "data.yaml": NAMES}  # fmt: skip
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert by_name(listing) == {"images/a.jpg": [SEEN], "images/b.jpg": [], "images/c.jpg": []}
    assert kinds(listing) == {"labels-missing": ("images/b.jpg",)}


def test_splits_are_those_of_the_folders(tmp_path: Path) -> None:
    files = {f"{split}/images/a.jpg": (40, 30) for split in ("train", "valid", "test")}
    labels = {f"{split}/labels/a.txt": BOX for split in ("train", "valid", "test")}
    names = {"data.yaml": NAMES + "train: ../train/images\nval: ../valid/images\n"}
    listing = boxes_in(write_tree(tmp_path / "set", {**files, **labels, **names}))
    assert list(splits(listing).values()) == ["test", "train", "validation"]


def test_splits_are_those_that_the_yaml_file_names(tmp_path: Path) -> None:
    files = {f"images/{part}/a.jpg": (40, 30) for part in ("set1", "set2")}
    labels = {f"labels/{part}/a.txt": BOX for part in ("set1", "set2")}
    names = {"data.yaml": NAMES + "train: images/set2\nval: images/set1\n"}
    listing = boxes_in(write_tree(tmp_path / "set", {**files, **labels, **names}))
    assert splits(listing) == {"images/set1/a.jpg": "validation", "images/set2/a.jpg": "train"}


def test_splits_are_those_of_lists(tmp_path: Path) -> None:
    files = {f"data/obj/{name}.jpg": (40, 30) for name in "ab"}
    labels = {f"data/obj/{name}.txt": BOX for name in "ab"}
    names = {"data.yaml": NAMES + "train: data/train.txt\nval: [data/valid.txt]\n",
             "data/train.txt": "data/obj/b.jpg\n",
             "data/valid.txt": "./data/obj/a.jpg\n"}  # fmt: skip
    listing = boxes_in(write_tree(tmp_path / "set", {**files, **labels, **names}))
    assert splits(listing) == {"data/obj/a.jpg": "validation", "data/obj/b.jpg": "train"}


def test_the_same_folder_for_training_and_validation_is_no_split(tmp_path: Path) -> None:
    files = {"images/a.jpg": (40, 30), "labels/a.txt": BOX,
             "data.yaml": NAMES + "train: images\nval: images\n"}  # fmt: skip
    assert splits(boxes_in(write_tree(tmp_path / "set", files))) == {"images/a.jpg": None}


def test_polygons_have_a_box_around_them_and_are_masks(tmp_path: Path) -> None:
    files = {"images/a.jpg": (40, 30), "data.yaml": NAMES,
             "labels/a.txt": "1 0.25 0.2 0.75 0.2 0.75 0.8 0.25 0.8\n"}  # fmt: skip
    root = write_tree(tmp_path / "set", files)
    assert by_name(boxes_in(root)) == {"images/a.jpg": [("dog", [10, 6, 30, 24])]}
    masks = masks_in(root)
    mask = masks.images[0].read_mask()
    assert masks.classes == ("background", "cat", "dog")
    assert np.array_equal(np.unique(mask), [0, 2])
    assert abs(np.count_nonzero(mask) - 20 * 18) <= 40


def test_keypoints_and_confidences_are_left_out(tmp_path: Path) -> None:
    files = {"images/a.jpg": (40, 30), "labels/a.txt": BOX.strip() + " 0.5 0.5 2 0.6 0.6 2\n",
             "data.yaml": NAMES + "kpt_shape: [2, 3]\n"}  # fmt: skip
    assert by_name(boxes_in(write_tree(tmp_path / "pose", files))) == {"images/a.jpg": [SEEN]}
    files = {"images/a.jpg": (40, 30), "labels/a.txt": BOX.strip() + " 0.93\n", "data.yaml": NAMES}
    assert by_name(boxes_in(write_tree(tmp_path / "predicted", files))) == {"images/a.jpg": [SEEN]}


def test_boxes_in_pixels_are_not_taken_for_shares(tmp_path: Path) -> None:
    files = {f"images/{name}.jpg": (40, 30) for name in "abc"}
    labels = {"labels/a.txt": BOX, "labels/b.txt": BOX + "0 20 15 10 15\n", "labels/c.txt": BOX}
    root = write_tree(tmp_path / "set", {**files, **labels, "data.yaml": NAMES})
    listing = boxes_in(root)
    assert list(by_name(listing)) == ["images/a.jpg", "images/c.jpg"]
    assert kinds(listing)["boxes-in-pixels"] == ("images/b.jpg",)
    write_tree(root, {"labels/a.txt": "0 20 15 10 15\n", "labels/c.txt": "0 20 15 10 15\n"})
    with raises_code("yolo-boxes-in-pixels", found="3 images"):
        boxes_in(root)


def test_classes_missing_in_the_yaml_file_are_named(tmp_path: Path) -> None:
    files = {"images/a.jpg": (40, 30), "labels/a.txt": BOX + "4 0.5 0.5 0.1 0.1\n",
             "data.yaml": NAMES}  # fmt: skip
    with raises_code("yolo-class-unnamed", expected="5 classes", found="line 2 of labels/a.txt"):
        boxes_in(write_tree(tmp_path / "set", files))


@pytest.mark.parametrize(
    ("names", "code"),
    [({}, "yolo-names-missing"), ({"data.yaml": "nc: 2\n"}, "yolo-names-missing"),
     ({"data.yaml": "names: &x [a]\n"}, "yolo-yaml-unreadable"),
     ({"data.yaml": "names:\n  0: cat\n  2: dog\n"}, "yolo-yaml-unreadable"),
     ({"data.yaml": "names: cat\n"}, "yolo-yaml-unreadable"),
     ({"data.yaml": "{{{"}, "yolo-yaml-unreadable"),
     ({"a/classes.txt": "cat\ndog", "b/classes.txt": "dog\ncat"}, "yolo-names-differ")],
)  # fmt: skip
def test_names_that_are_missing_or_unclear(
    tmp_path: Path, names: dict[str, str], code: str
) -> None:
    files = {"images/a.jpg": (40, 30), "labels/a.txt": BOX, **names}
    with raises_code(code):
        boxes_in(write_tree(tmp_path / "set", files))


@pytest.mark.parametrize(
    "line", ["1 0.5 0.5 0.2", "x 0.5 0.5 0.2 0.2", "1 0.5 nan 0.2 0.2", "-1 0.5 0.5 0.2 0.2",
             "1.5 0.5 0.5 0.2 0.2", "1 1e999 0 0 0", "1 .1 .1 .2 .2 .3 .3 .4", "1,0.5,0.5,0.2,0.2"]
)  # fmt: skip
def test_lines_that_are_no_boxes_are_reported(tmp_path: Path, line: str) -> None:
    files = {"images/a.jpg": (40, 30), "labels/a.txt": f"{BOX}{line}\n", "data.yaml": NAMES}
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert by_name(listing) == {"images/a.jpg": [SEEN]}
    assert kinds(listing) == {"labels-invalid": ("labels/a.txt",)}


def test_a_file_that_is_no_text_leaves_its_image_out(tmp_path: Path) -> None:
    files = {"images/a.jpg": (40, 30), "labels/a.txt": BOX, "images/b.jpg": (40, 30),
             "labels/b.txt": b"\xff\xd8\0\1", "data.yaml": NAMES}  # fmt: skip
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert list(by_name(listing)) == ["images/a.jpg"]
    assert kinds(listing)["labels-unreadable"] == ("labels/b.txt",)
