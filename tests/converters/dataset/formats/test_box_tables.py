"""Tables of boxes: makesense.ai's without headings, and others' with them."""

from pathlib import Path

import pytest
from errors import raises_code
from labeled_images import boxes_in, by_name, kinds, splits, write_tree

SEEN = {"a.jpg": [("cat", [4, 5, 14, 25])]}


@pytest.mark.parametrize(
    "table",
    [
        "cat,4,5,10,20,a.jpg,40,30\n",
        "label_name,bbox_x,bbox_y,bbox_width,bbox_height,image_name,image_width,image_height\n"
        "cat,4,5,10,20,a.jpg,40,30\n",
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,40,30,cat,4,5,14,25\n",
        "filename;width;height;class;xmin;ymin;xmax;ymax\r\na.jpg;40;30;cat;4;5;14;25\r\n",
        '"image","xmin","ymin","xmax","ymax","label"\n"a.jpg",4,5,14,25,"cat"\n',
        "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,0.1,0.16666667,0.35,0.83333333\n",
        "\N{ZERO WIDTH NO-BREAK SPACE}filename,class,x1,y1,x2,y2\nphotos/a.jpg,cat,4,5,14,25\n",
    ],
)
def test_boxes_of_a_table(tmp_path: Path, table: str) -> None:
    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "labels.csv": table})
    assert by_name(boxes_in(tmp_path / "set")) == SEEN
    assert by_name(boxes_in(tmp_path / "set/labels.csv")) == SEEN


def test_tables_of_splits(tmp_path: Path) -> None:
    head = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    files = {
        "images/a.jpg": (40, 30), "images/b.jpg": (40, 30),
        "train_labels.csv": head + "a.jpg,40,30,cat,4,5,14,25\n",
        "test_labels.csv": head + "b.jpg,40,30,dog,4,5,14,25\n",
    }  # fmt: skip
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert splits(listing) == {"images/a.jpg": "train", "images/b.jpg": "test"}
    assert listing.classes == ("cat", "dog")


def test_a_row_without_a_box_is_an_empty_image(tmp_path: Path) -> None:
    table = "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,4,5,14,25\nb.jpg,,,,,\n"
    files = {"a.jpg": (40, 30), "b.jpg": (40, 30), "labels.csv": table}
    listing = boxes_in(write_tree(tmp_path / "set", files))
    assert by_name(listing) == {**SEEN, "b.jpg": []}
    assert not listing.findings


def test_rows_that_make_no_sense_are_counted(tmp_path: Path) -> None:
    table = (
        "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,4,5,14,25\n,cat,1,2,3,4\na.jpg,,1,2,3,4\n"
        "a.jpg,cat,1,2,x,4\na.jpg,cat,1\n"
    )
    listing = boxes_in(write_tree(tmp_path / "set", {"a.jpg": (40, 30), "labels.csv": table}))
    assert by_name(listing) == SEEN
    assert len(kinds(listing)["labels-invalid"]) == 4


@pytest.mark.parametrize(
    ("table", "code"),
    [("xmin,ymin,xmax,ymax\n1,2,3,4\n", "csv-columns-missing"),
     ('filename,class,xmin,ymin,xmax,ymax\n"a.jpg', "csv-invalid"),
     ("filename,class,xmin,ymin,xmax,ymax\n", "labeled-images-missing")],
)  # fmt: skip
def test_tables_that_cannot_be_read(tmp_path: Path, table: str, code: str) -> None:
    write_tree(tmp_path / "set", {"a.jpg": (40, 30), "labels.csv": table})
    with raises_code(code):
        boxes_in(tmp_path / "set")
