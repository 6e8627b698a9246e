"""Files that the examples in docstrings open; ``make test`` runs them with --doctest-modules."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

REPORTS = Path(__file__).parent / "tests/converters/report/data"


@pytest.fixture(autouse=True)
def example_files(request: pytest.FixtureRequest) -> None:
    """Run an example in a folder with tiny models, images and a dataset.

    ===================  ============================================================
    ``model.tflite``     a classifier of red, green and blue images, with its labels
    ``ssd.tflite``       a detector that always finds two objects
    ``coco_labels.txt``  its labels
    ``deeplab.tflite``   a segmentation model of red, green and blue pixels, with labels
    ``movenet.tflite``   a pose model that always finds somebody
    ``red.png``          a red image of 64 × 48 pixels
    ``photos/``          a dataset of three classes
    ``earlier/``         the report of an earlier conversion
    ===================  ============================================================
    """
    if isinstance(request.node, pytest.DoctestItem):
        folder: Path = request.getfixturevalue("example_folder")
        patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        patch.chdir(folder)
        patch.setenv("EDGE_CACHE", str(folder / "cache"))


@pytest.fixture(scope="session")
def example_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the files of the examples."""
    import cv2
    import mask_models
    import numpy as np
    import tiny_models
    from micro import write_dataset

    from edge.modelfile.metadata import ModelMetadata
    from edge.modelfile.metadata_writer import write_metadata

    folder = tmp_path_factory.mktemp("examples")
    colors = ModelMetadata(labels=("red", "green", "blue"), mean=(127.5,), std=(127.5,))
    models: dict[str, Callable[[], bytes]] = {
        "model.tflite": tiny_models.color_classifier,
        "ssd.tflite": tiny_models.detector_model,
        "movenet.tflite": tiny_models.movenet_model,
        "deeplab.tflite": lambda: write_metadata(mask_models.scores_model(), colors),
    }
    for name, make in models.items():
        (folder / name).write_bytes(make())
    (folder / "coco_labels.txt").write_text("cat\ndog\n")
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 2] = 250
    cv2.imwrite(str(folder / "red.png"), red)
    write_dataset(folder / "photos")
    (folder / "earlier").mkdir()
    shutil.copy(REPORTS / "convert-0.1.0.json", folder / "earlier" / "report.json")
    return folder
