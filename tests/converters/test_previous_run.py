"""Earlier results are read to be compressed and compared."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from errors import raises_code

from converters import tf
from converters.artifacts import KERAS_FILE
from converters.previous_run import read_previous_run
from converters.report import compare

DATA = Path(__file__).parent / "report/data"


@pytest.fixture
def old_results(tmp_path: Path) -> tuple[Path, Path]:
    """Results of ``edge convert`` and ``edge compress`` 0.1.0, without their models."""
    folders = tmp_path / "converted", tmp_path / "compressed"
    for folder, name in zip(folders, ("convert", "compress"), strict=True):
        folder.mkdir()
        shutil.copy(DATA / f"{name}-0.1.0.json", folder / "report.json")
        (folder / KERAS_FILE).touch()
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


def layer(module: str, name: str, **more: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": {}, "registered_name": None} | more


def network(*layers: dict[str, Any], **more: Any) -> bytes:
    functional = layer("tf_keras.src.engine.functional", "Functional", config={"layers": layers})
    return json.dumps(functional | more).encode()


LAMBDA = layer("keras.layers", "Lambda", config={"function": {"class_name": "__lambda__"}})
PLAIN = layer("keras.layers", "ReLU")
ACTIVATION = {"module": "builtins", "class_name": "function", "config": "exit"}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"config.json": network(PLAIN, LAMBDA)}, "Lambda of keras.layers"),
        ({"config.json": network(layer("os", "system", config="id"))}, "system of os"),
        ({"config.json": network(layer("keras.utils", "get_file"))}, "get_file of keras.utils"),
        (
            {"config.json": network(layer("keras.layers", "Dense", config={"a": ACTIVATION}))},
            "function of builtins",
        ),
        (
            {"config.json": network(layer("keras.layers", "TimeDistributed", config=LAMBDA))},
            "keras.layers",
        ),
        ({"config.json": network({"class_name": "Lambda"})}, "Lambda of None"),
        ({"config.json": network(PLAIN), "assets/a.py": b"x"}, "'assets/a.py'"),
    ],
)
def test_a_network_that_may_run_code_is_refused_before_it_is_loaded(
    old_results: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, bytes],
    words: str,
) -> None:
    monkeypatch.setattr(tf, "keras", lambda: pytest.fail("it was loaded"))
    path = old_results[0] / KERAS_FILE
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in ({"model.weights.h5": b"", "metadata.json": b"{}"} | files).items():
            archive.writestr(name, content)
    with raises_code("trained-model-unsafe", found=words):
        read_previous_run(old_results[0]).trained()


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "trained-model-unsafe", "HDF5"),
        (b"PK\x03\x04 no network", "trained-model-unreadable", "no Keras archive"),
        (b"", "trained-model-unreadable", "no Keras archive"),
    ],
)
def test_what_is_no_archive_is_refused_before_it_is_loaded(
    old_results: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    code: str,
    words: str,
) -> None:
    monkeypatch.setattr(tf, "keras", lambda: pytest.fail("it was loaded"))
    (old_results[0] / KERAS_FILE).write_bytes(content)
    with raises_code(code, found=words):
        read_previous_run(old_results[0]).trained()


@pytest.mark.parametrize("text", ["[" * 100_000, "null", "[]", "{", '{"a": ' * 100_000])
def test_a_configuration_that_is_none_is_unreadable(
    old_results: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(tf, "keras", lambda: pytest.fail("it was loaded"))
    with zipfile.ZipFile(old_results[0] / KERAS_FILE, "w") as archive:
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", b"")
    with raises_code("trained-model-unreadable"):
        read_previous_run(old_results[0]).trained()
