"""A data set of colors, and a tiny classifier whose features are pixels."""

from collections.abc import Callable
from pathlib import Path

import color_photos
import pytest
import tiny_models

from edge.teaching.teacher import Teacher


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten images each of red and blue things, in one folder per class."""
    folder = tmp_path / "photos"
    for label in ("blue", "red"):
        color_photos.write(folder / label, label, 10)
    return folder


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    path = tmp_path / "backbone.tflite"
    path.write_bytes(tiny_models.color_model("int8"))
    return path


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def open_teacher(photos: Path, backbone: Path, notes: list[str]) -> Callable[[], Teacher]:
    def open_() -> Teacher:
        return Teacher.open(photos, backbone=backbone, say=notes.append)

    return open_


@pytest.fixture
def teacher(open_teacher: Callable[[], Teacher]) -> Teacher:
    return open_teacher()
