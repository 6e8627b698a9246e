"""Earlier results are read to be compressed and compared."""

import shutil
from pathlib import Path

import pytest

from converters.previous_run import NETWORK_FILE, read_previous_run
from converters.report import compare

DATA = Path(__file__).parent / "report/data"


@pytest.fixture
def old_results(tmp_path: Path) -> tuple[Path, Path]:
    """Results of ``edge convert`` and ``edge compress`` 0.1.0, without their models."""
    folders = tmp_path / "converted", tmp_path / "compressed"
    for folder, name in zip(folders, ("convert", "compress"), strict=True):
        folder.mkdir()
        shutil.copy(DATA / f"{name}-0.1.0.json", folder / "report.json")
        (folder / NETWORK_FILE).touch()
    return folders


def test_results_of_version_0_1_0_can_be_compressed(old_results: tuple[Path, Path]) -> None:
    for folder in old_results:
        before = read_previous_run(folder)
        assert before.dataset == Path("/home/me/shapes")
        assert before.classes == ("circle", "square", "triangle")
        assert (before.preprocessing.width, before.preprocessing.mean) == (160, (127.5,))
        assert before.weights["provenance"]["architecture"] == "MobileNetV2"
        assert len(before.split["test"]) == 9
        assert before.history.method == "frozen" and before.history.curves
        assert (before.precision, before.calibrated, before.seed) == (0.9, True, 0)
        assert before.augmentation.rotation == 15
        assert before.source["name"] == folder.name


def test_results_of_version_0_1_0_can_be_compared(old_results: tuple[Path, Path]) -> None:
    compared = compare.compare_results(old_results)
    assert [entry.name for entry in compared.results] == ["converted", "compressed"]
    assert [entry.chosen for entry in compared.results] == ["int8", "float16"]
    assert len(compared.entries) == 6
    first = compared.to_dict()["variants"][0]
    assert (first["edgetpu"]["on_cpu"], first["unknown"]["coverage"]) == (65, 1)
    assert first["timing"]["p50_ms"] == first["timings"][-1]["p50_ms"]
