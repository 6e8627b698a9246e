"""Label Studio's exports: tasks, JSON-MIN and CSV; rectangles, polygons and brushes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labeled_images import boxes_in, by_name, kinds, masks_in, write_tree

VALUE = {"x": 10, "y": 20, "width": 50, "height": 40, "rotation": 0, "rectanglelabels": ["cat"]}
SIZES = {"original_width": 40, "original_height": 30, "image_rotation": 0}
RESULT = {**SIZES, "type": "rectanglelabels", "from_name": "label", "value": VALUE}
SEEN = {"a.jpg": [("cat", [4, 6, 24, 18])]}


def task(image: str = "a.jpg", *results: dict[str, Any], **annotation: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "data": {"image": image},
        "annotations": [{"result": list(results), **annotation}],
        "predictions": [],
    }


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([task("a.jpg", RESULT)]),
        json.dumps([{"id": 1, "image": "a.jpg", "label": [{**VALUE, **SIZES}], "annotator": 1}]),
        json.dumps([{"data": {"image": "a.jpg"}, "completions": [{"result": [RESULT]}]}]),
    ],
)
def test_json(tmp_path: Path, content: str) -> None:
    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "project-1-at-2024.json": content})
    assert by_name(boxes_in(tmp_path / "set")) == SEEN
    assert by_name(boxes_in(tmp_path / "set/project-1-at-2024.json")) == SEEN


def test_csv(tmp_path: Path) -> None:
    cell = json.dumps([{**VALUE, **SIZES}]).replace('"', '""')
    table = f'annotator,id,image,label\n1,7,/data/upload/1/0a1b2c3d-a.jpg,"{cell}"\n'
    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "export.csv": table})
    assert by_name(boxes_in(tmp_path / "set")) == SEEN
    assert by_name(boxes_in(tmp_path / "set/export.csv")) == SEEN


@pytest.mark.parametrize(
    "address",
    ["/data/upload/3/0a1b2c3d-a.jpg", "/data/local-files/?d=photos%2Fa.jpg", "s3://bucket/x/a.jpg",
     "https://example.com/a.jpg?token=1", "upload/0a1b2c3d-a.jpg"],
)  # fmt: skip
def test_addresses_name_the_image(tmp_path: Path, address: str) -> None:
    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "tasks.json": [task(address, RESULT)]})
    assert by_name(boxes_in(tmp_path / "set")) == SEEN


def test_a_turned_rectangle_has_a_box_around_it(tmp_path: Path) -> None:
    turned = {**VALUE, "x": 50, "y": 0, "width": 25, "height": 50, "rotation": 90}
    content = [task("a.jpg", {**RESULT, "value": turned})]
    write_tree(tmp_path / "set", {"a.jpg": (40, 40), "tasks.json": content})
    content[0]["annotations"][0]["result"][0].update(original_width=40, original_height=40)
    write_tree(tmp_path / "set", {"tasks.json": content})
    assert by_name(boxes_in(tmp_path / "set")) == {"a.jpg": [("cat", [0, 0, 20, 10])]}


def test_skipped_images_are_not_empty_ones(tmp_path: Path) -> None:
    tasks = [task("a.jpg", RESULT), task("b.jpg"), task("c.jpg", was_cancelled=True),
             {**task("d.jpg"), "annotations": []}]  # fmt: skip
    images = {f"{name}.jpg": (40, 30) for name in "abcd"}
    listing = boxes_in(write_tree(tmp_path / "set", {**images, "tasks.json": tasks}))
    assert by_name(listing) == {**SEEN, "b.jpg": []}
    assert kinds(listing) == {"images-unlabeled": ("c.jpg", "d.jpg")}


@pytest.mark.parametrize(
    "change",
    [{"value": {**VALUE, "rectanglelabels": []}}, {"value": {**VALUE, "x": None}}, {"value": 3},
     {"image_rotation": 90}, {"value": {**VALUE, "rectanglelabels": [7]}}],
)  # fmt: skip
def test_regions_that_make_no_sense_are_counted(tmp_path: Path, change: dict[str, Any]) -> None:
    tasks = [task("a.jpg", RESULT, {**RESULT, **change})]
    listing = boxes_in(write_tree(tmp_path / "set", {"a.jpg": (40, 30), "tasks.json": tasks}))
    assert by_name(listing) == SEEN
    assert kinds(listing) == {"labels-invalid": ("task 1 of tasks.json",)}


def test_polygons_are_masks(tmp_path: Path) -> None:
    points = [[25, 20], [75, 20], [75, 80], [25, 80]]
    value = {"points": points, "polygonlabels": ["cat"]}
    result = {**RESULT, "type": "polygonlabels", "value": value}
    content = [task("a.jpg", result)]
    root = write_tree(tmp_path / "set", {"a.jpg": (40, 30), "tasks.json": content})
    listing = masks_in(root)
    assert listing.classes == ("background", "cat")
    assert np.count_nonzero(listing.images[0].read_mask()) == 20 * 18
    assert by_name(boxes_in(root)) == {"a.jpg": [("cat", [10, 6, 30, 24])]}


def test_brushes_are_masks_however_long_their_data(tmp_path: Path) -> None:
    # Written by label-studio-brush-rle-rs for the rows 0 255 255 and 0 0 255.
    data = [0, 0, 0, 24, 57, 27, 252, 96, 19, 255, 206, 1, 31, 248]
    value = {"format": "rle", "rle": [*data, *[0] * 100_000], "brushlabels": ["cat"]}
    result = {"original_width": 3, "original_height": 2, "image_rotation": 0, "value": value}
    root = write_tree(tmp_path / "set", {"a.png": (3, 2), "tasks.json": [task("a.png", result)]})
    (image,) = masks_in(root).images
    assert image.read_mask().tolist() == [[0, 1, 1], [0, 0, 1]]
