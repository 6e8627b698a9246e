"""Data sets for other tasks are called that, never trained on the names of their folders."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import raises_code

from converters.dataset.intake import list_images

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
