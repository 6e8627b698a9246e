"""COCO JSON is read wherever its tools put it."""

import json
from pathlib import Path

import pytest
from errors import raises_code
from labeled_images import boxes_in, by_name, coco, kinds, splits, write_tree

IMAGE = {"id": 7, "file_name": "a.jpg", "width": 40, "height": 30}
CAT = {"id": 1, "image_id": 7, "category_id": 1, "bbox": [4, 5, 10, 20], "iscrowd": 0}
DOG = {"id": 2, "image_id": 7, "category_id": 2, "bbox": [0, 0, 40, 30], "iscrowd": 1}
LABELED = coco([IMAGE], [CAT, DOG])


def test_boxes_are_corners_and_crowds_are_ignored(tmp_path: Path) -> None:
    write_tree(tmp_path / "set", {"images/a.jpg": (40, 30), "annotations.json": LABELED})
    listing = boxes_in(tmp_path / "set")
    assert listing.classes == ("cat", "dog")
    assert by_name(listing) == {"images/a.jpg": [("cat", [4, 5, 14, 25]), ("dog", [0, 0, 40, 30])]}
    assert listing.images[0].ignored.tolist() == [False, True]
    assert listing.images[0].size == (40, 30)


@pytest.mark.parametrize("outline", [[[4, 5, 14, 5, 14, 25]], [4, 5, 14, 5, 14, 25]])
def test_an_outline_without_a_box_has_one_around_it(tmp_path: Path, outline: list[object]) -> None:
    labels = coco([{**IMAGE, "id": "7"}], [{**CAT, "bbox": [], "segmentation": outline}])
    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "annotations.json": labels})
    assert by_name(boxes_in(tmp_path / "set")) == {"a.jpg": [("cat", [4, 5, 14, 25])]}


@pytest.mark.parametrize("name", ["set", "set/all.json"])
def test_a_file_beside_the_images_is_a_data_set(tmp_path: Path, name: str) -> None:
    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "all.json": LABELED})
    assert list(by_name(boxes_in(tmp_path / name))) == ["a.jpg"]


def test_roboflow_puts_a_file_into_each_split(tmp_path: Path) -> None:
    project = {"id": 0, "name": "pets", "supercategory": "none"}
    content = coco([IMAGE], [CAT])
    content["categories"] = [
        project, *({**each, "supercategory": "pets"} for each in content["categories"])
    ]  # fmt: skip
    files = {f"{split}/_annotations.coco.json": content for split in ("train", "valid", "test")}
    images = {f"{split}/a.jpg": (40, 30) for split in ("train", "valid", "test")}
    listing = boxes_in(write_tree(tmp_path / "set", {**files, **images}))
    assert listing.classes == ("cat", "dog")
    assert splits(listing) == {
        "test/a.jpg": "test", "train/a.jpg": "train", "valid/a.jpg": "validation",
    }  # fmt: skip


def test_files_for_splits_find_their_images(tmp_path: Path) -> None:
    captions = {"images": [], "annotations": [], "categories": []}
    files = {
        "annotations/instances_train2017.json": LABELED,
        "annotations/instances_val2017.json": LABELED,
        "annotations/captions_val2017.json": captions,
        "annotations/person_keypoints_val2017.json": captions,
        "train2017/a.jpg": (40, 30), "val2017/a.jpg": (40, 30),
    }  # fmt: skip
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert splits(listing) == {"train2017/a.jpg": "train", "val2017/a.jpg": "validation"}
    assert [len(image.boxes) for image in listing.images] == [2, 2]


@pytest.mark.parametrize(
    "written", ["/home/me/photos/a.jpg", "C:\\photos\\a.jpg", "./a.jpg", "A.PNG", "../up/a.jpg"]
)
def test_paths_of_other_computers_are_matched_by_their_ends(tmp_path: Path, written: str) -> None:
    labels = coco([{**IMAGE, "file_name": written}], [CAT])
    write_tree(tmp_path / "set", {"images/a.jpg": (40, 30), "annotations.json": labels})
    assert list(by_name(boxes_in(tmp_path / "set"))) == ["images/a.jpg"]


def test_an_ambiguous_name_is_no_image(tmp_path: Path) -> None:
    labels = coco([IMAGE, {"id": 8, "file_name": "b.jpg", "width": 9, "height": 9}], [CAT])
    files = {"x/a.jpg": (40, 30), "y/a.jpg": (40, 30), "b.jpg": (9, 9), "annotations.json": labels}
    write_tree(tmp_path / "set", files)
    with raises_code("no-boxes"):
        boxes_in(tmp_path / "set")


def test_missing_unlabeled_and_empty_images_differ(tmp_path: Path) -> None:
    images = [IMAGE, {"id": 8, "file_name": "gone.jpg"}, {"id": 9, "file_name": "empty.jpg"}]
    files = dict.fromkeys(("a.jpg", "empty.jpg", "new.jpg"), (40, 30))
    write_tree(tmp_path / "set", {**files, "labels.json": coco(images, [CAT])})
    listing = boxes_in(tmp_path / "set")
    assert by_name(listing)["empty.jpg"] == []
    assert kinds(listing) == {"images-missing": ("gone.jpg",), "images-unlabeled": ("new.jpg",)}
    assert all(name in " ".join(f.sentence for f in listing.findings) for name in ("gone", "new"))


@pytest.mark.parametrize(
    "change",
    [{"category_id": 9}, {"image_id": 9}, {"bbox": [1, 2, 3]}, {"bbox": None}, {"bbox": "0123"},
     {"bbox": [0, 0, 1e400, 3]}, {"bbox": [0, [], 1, 3]}, {"category_id": []}],
)  # fmt: skip
def test_annotations_that_make_no_sense_are_counted(
    tmp_path: Path, change: dict[str, object]
) -> None:
    text = json.dumps(coco([IMAGE], [CAT, {**CAT, **change}])).replace("Infinity", "1e999")
    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "labels.json": text})
    listing = boxes_in(tmp_path / "set")
    assert [len(image.boxes) for image in listing.images] == [1]
    assert kinds(listing)["labels-invalid"] == ("annotation 1",)


@pytest.mark.parametrize(
    ("content", "code"),
    [("{", "label-json-invalid"), ('{"images": NaN}', "label-json-invalid"),
     ("[" * 200_000, "label-json-invalid"), ("[]", "coco-lists-missing"),
     ('{"images": [], "annotations": {}, "categories": []}', "coco-lists-missing"),
     ("9" * 5000, "label-json-invalid"), (b"\xff\0\xff", "label-file-encoding")],
)  # fmt: skip
def test_files_that_are_none_are_refused(tmp_path: Path, content: str | bytes, code: str) -> None:
    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "instances_train.json": content})
    with raises_code(code, found="instances_train.json"):
        boxes_in(tmp_path / "set")


def test_a_data_set_without_boxes_says_so(tmp_path: Path) -> None:
    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "annotations.json": coco([IMAGE], [])})
    with raises_code("no-boxes"):
        boxes_in(tmp_path / "set")
    write_tree(tmp_path / "bare", {"b.jpg": (40, 30), "annotations.json": LABELED})
    with raises_code("labeled-images-missing", found="a.jpg"):
        boxes_in(tmp_path / "bare")
