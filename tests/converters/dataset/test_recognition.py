"""The task of a data set is recognized; others are never trained on the names of their folders."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import raises_code

from converters.dataset.intake import (
    OpenedDataset,
    list_boxes,
    list_images,
    list_masks,
    open_dataset,
)

COCO = json.dumps({"images": [], "annotations": [], "categories": []})
BOX = "0 0.5 0.5 0.2 0.2\n"


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files; those with the suffix .jpg are images."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".jpg":
            assert cv2.imwrite(str(path), np.full((4, 4, 3), 9, np.uint8))
        else:
            path.write_text(content)
    return root


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("COCO", {"train2017/1.jpg": "", "val2017/2.jpg": "",
                  "annotations/instances_train2017.json": COCO}),
        ("COCO", {"train/1.jpg": "", "train/_annotations.coco.json": COCO, "valid/2.jpg": "",
                  "valid/_annotations.coco.json": COCO}),
        ("YOLO", {"images/train/1.jpg": "", "images/val/2.jpg": "", "labels/train/1.txt": BOX,
                  "labels/val/2.txt": BOX, "data.yaml": "names: [a]\n"}),
        ("YOLO", {"train/images/1.jpg": "", "train/labels/1.txt": BOX, "valid/images/2.jpg": ""}),
        ("YOLO", {"obj/1.jpg": "", "obj/1.txt": BOX, "obj.names": "a\n"}),
        ("COCO", {"images/1.jpg": "", "annotations.json": COCO}),
        ("Pascal VOC", {"train/1.jpg": "", "train/1.xml": "<annotation/>", "test/2.jpg": ""}),
        ("segmentation", {"images/1.jpg": "", "masks/1.jpg": ""}),
        ("Pascal VOC", {"JPEGImages/1.jpg": "", "Annotations/1.xml": "<annotation/>"}),
    ],
)  # fmt: skip
def test_the_format_is_named(tmp_path: Path, kind: str, files: dict[str, str]) -> None:
    folder = write(tmp_path / "set", files)
    with raises_code("dataset-for-another-task", found=kind, fix="folder per class"):
        list_images(folder, tmp_path)


def test_annotations_alone_are_recognized(tmp_path: Path) -> None:
    (tmp_path / "all.json").write_text(COCO)
    with raises_code("dataset-for-another-task", found="COCO"):
        list_images(tmp_path / "all.json", tmp_path)
    (tmp_path / "other.json").write_text("{}")
    with raises_code("dataset-format-unknown", found="other.json"):
        list_images(tmp_path / "other.json", tmp_path)


def test_a_table_of_boxes_is_recognized(tmp_path: Path) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text("filename,width,height,class,xmin,ymin,xmax,ymax\n1.jpg,9,9,cat,0,0,4,4\n")
    with raises_code("dataset-for-another-task", found="boxes.csv"):
        list_images(table, tmp_path)


def test_class_folders_with_other_files_are_for_classification(tmp_path: Path) -> None:
    files = {"cat/1.jpg": "", "cat/1.txt": "a cat", "dog/2.jpg": "", "dog/2.txt": "a dog",
             "cat/1.xml": "<annotation/>", "annotations.json": "{}"}  # fmt: skip
    assert list_images(write(tmp_path / "set", files), tmp_path).classes == ("cat", "dog")


def opened(tmp_path: Path, files: dict[str, str]) -> OpenedDataset:
    return open_dataset(write(tmp_path / "set", files), tmp_path)


@pytest.mark.parametrize(
    ("tasks", "files"),
    [
        (("classify",), {"cat/1.jpg": "", "dog/2.jpg": ""}),
        (("classify",), {"with_mask/1.jpg": "", "without_mask/1.jpg": ""}),
        (("classify",), {"cat/1.jpg": "", "cat/1.txt": "0 1 2 3 4", "dog/2.jpg": ""}),
        (("detect", "segment"), {"1.jpg": "", "all.json": COCO}),
        (("detect", "segment", "classify"), {"cat/1.jpg": "", "dog/2.jpg": "", "all.json": COCO}),
        (("detect", "segment"), {"images/1.jpg": "", "labels/1.txt": BOX, "classes.txt": "a"}),
        (("detect",), {"1.jpg": "", "1.xml": "<annotation/>"}),
        (("detect",), {"1.jpg": "", "boxes.csv": "a,1,2,3,4,1.jpg,9,9\n"}),
        (("detect", "segment"), {"JPEGImages/1.jpg": "", "Annotations/1.xml": "<annotation/>",
                                 "SegmentationClass/1.jpg": ""}),
        (("detect", "segment"), {"1.jpg": "", "1.json": '[{"rectanglelabels": ["a"]}]'}),
        (("segment", "detect"), {"1.jpg": "", "1.json": '[{"brushlabels": ["a"]}]'}),
        (("segment",), {"images/1.jpg": "", "masks/1.jpg": ""}),
        (("classify",), {"1.jpg": "", "captions.json": '{"images": [], "annotations": []}'}),
    ],
)  # fmt: skip
def test_tasks_that_the_labels_allow(
    tmp_path: Path, tasks: tuple[str, ...], files: dict[str, str]
) -> None:
    assert opened(tmp_path, files).recognition.tasks == tasks


def test_boxes_are_not_read_from_other_data(tmp_path: Path) -> None:
    classes = opened(tmp_path, {"cat/1.jpg": "", "dog/2.jpg": ""})
    with raises_code("dataset-for-another-task", expected="boxes", fix="draw boxes"):
        list_boxes(classes)
    with raises_code("dataset-for-another-task", expected="masks"):
        list_masks(classes)
    masks = open_dataset(write(tmp_path / "m", {"images/1.jpg": "", "masks/1.jpg": ""}), tmp_path)
    with raises_code("dataset-for-another-task", found="segmentation"):
        list_boxes(masks)


def test_boxes_alone_are_no_masks(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "1.jpg"}], "categories": [{"id": 1, "name": "a"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2]}],
    }  # fmt: skip
    data = opened(tmp_path, {"1.jpg": "", "all.json": json.dumps(content)})
    assert len(list_boxes(data).images) == 1
    with raises_code("no-outlines"):
        list_masks(data)
