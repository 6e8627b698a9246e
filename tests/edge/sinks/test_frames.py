"""Images in a folder."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from errors import raises_code

from edge.sinks import open_sink


def test_an_image_per_frame_named_by_its_number(tmp_path: Path, stream: Any, output: Any) -> None:
    folder = tmp_path / "deep" / "images"
    sink = open_sink(f"frames:{folder}", stream.context)
    for index in (0, 7):
        sink.write(output(index, gray=20 * index))
    sink.close()
    assert sorted(path.name for path in folder.iterdir()) == ["000000.jpg", "000007.jpg"]
    read = cv2.imread(str(folder / "000007.jpg"))
    assert read.shape == (48, 64, 3)
    assert abs(int(np.mean(read)) - 140) <= 1


def test_a_file_where_the_folder_should_be(tmp_path: Path, stream: Any) -> None:
    (tmp_path / "taken").write_text("")
    with raises_code("output-not-writable", expected="taken"):
        open_sink(f"frames:{tmp_path / 'taken'}", stream.context)


def test_an_image_that_cannot_be_written_leaves_no_part(
    tmp_path: Path, stream: Any, output: Any
) -> None:
    sink = open_sink(f"frames:{tmp_path}", stream.context)
    (tmp_path / "000000.jpg").mkdir()  # in its way
    with raises_code("output-not-writable"):
        sink.write(output())
    assert [path.name for path in tmp_path.iterdir()] == ["000000.jpg"]
