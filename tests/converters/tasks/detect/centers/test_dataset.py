"""Labels of which points are learned: objects are to be small, alike and apart."""

from pathlib import Path

import labeled_images
import numpy as np
import pytest
from errors import raises_code

from converters.dataset.audit import Dataset
from converters.progress import SilentProgress
from converters.tasks.detect.centers import dataset
from edge.preprocessing import Preprocessing


def audited(folder: Path, *boxes: tuple[float, float, float, float]) -> Dataset:
    """Audit six images of 100 × 100 pixels with the same boxes, x, y, width and height."""
    rng = np.random.default_rng(0)
    images, annotations, files = [], [], {}
    for number in range(6):
        files[f"{number}.png"] = rng.integers(0, 255, (100, 100, 3), dtype=np.uint8)
        images.append({"id": number, "file_name": f"{number}.png", "width": 100, "height": 100})
        annotations += [
            {"id": 100 * number + n, "image_id": number, "category_id": 1, "bbox": list(box)}
            for n, box in enumerate(boxes)
        ]
    files["labels.json"] = labeled_images.coco(images, annotations, ("cell",))
    listing = labeled_images.boxes_in(labeled_images.write_tree(folder / "set", files))
    return dataset.audit(listing, Preprocessing(80, 80), folder, SilentProgress())


def test_small_objects_apart_are_fine(tmp_path: Path) -> None:
    data = audited(tmp_path, (10, 10, 20, 20), (50, 50, 20, 20))
    assert not any("counted as one" in w or "larger than" in w for w in data.audit.warnings)
    assert dataset.usual_sizes(data, np.arange(6)) == [[0.2, 0.2]]


def test_objects_closer_than_a_cell_are_counted_and_told(tmp_path: Path) -> None:
    data = audited(tmp_path, (10, 10, 20, 20), (15, 10, 20, 20), (60, 60, 20, 20))
    warnings = [w for w in data.audit.warnings if "counted as one" in w]
    assert len(warnings) == 1
    assert warnings[0].startswith("12 objects closer than 8 pixels")
    assert "--size 160" in warnings[0]


def test_a_few_large_objects_are_told_and_most_are_refused(tmp_path: Path) -> None:
    data = audited(tmp_path, (10, 10, 20, 20), (60, 60, 20, 20), (0, 0, 60, 30))
    assert any("6 objects of 18 larger than half" in w for w in data.audit.warnings)
    with raises_code("objects-too-large", fix="leave out --head"):
        audited(tmp_path / "more", (10, 10, 20, 20), (0, 0, 60, 30), (30, 30, 60, 70))


def test_objects_of_different_sizes_are_told(tmp_path: Path) -> None:
    data = audited(tmp_path, (10, 10, 5, 5), (50, 50, 30, 30))
    assert any("boxes suit such objects better" in w for w in data.audit.warnings)


@pytest.mark.parametrize("classes", [1])
def test_a_class_without_objects_has_the_size_of_all(tmp_path: Path, classes: int) -> None:
    data = audited(tmp_path, (10, 10, 20, 20))
    assert dataset.usual_sizes(data, np.arange(6, dtype=np.int64)[:2]) == [[0.2, 0.2]] * classes
