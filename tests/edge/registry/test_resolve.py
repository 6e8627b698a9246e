"""From a path or a name to a file."""

import pytest
from errors import raises_code

from edge.modelfile.labels import find_labels
from edge.registry import resolve_model
from edge.tasks.loading import cpu_fallback_path


def test_an_existing_path_is_returned_unchanged(tmp_path, monkeypatch):
    path = tmp_path / "my.tflite"
    path.write_bytes(b"")
    assert resolve_model(path, pytest.fail) == path
    monkeypatch.chdir(tmp_path)
    path.rename(tmp_path / "movenet_lightning")  # a file comes before a name
    assert str(resolve_model("movenet_lightning", pytest.fail)) == "movenet_lightning"


def test_a_name_is_pulled_once_with_a_note(shop):
    notes = []
    path = resolve_model("colors", lambda line: notes.append((line, list(shop.files.requests))))
    assert path == shop.at("colors", "cpu.tflite")
    ((line, requests_before),) = notes
    assert line.startswith(
        "Downloading colors (179\N{NO-BREAK SPACE}kB, Apache-2.0) from 127.0.0.1:"
    )
    assert requests_before == []
    assert resolve_model("colors", pytest.fail) == path
    assert not shop.at("colors", "cpu_edgetpu.tflite").exists()


def test_a_folder_with_that_name_is_not_the_model(shop, tmp_path, monkeypatch):
    """As ``edge models export colors -o colors`` leaves it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "colors").mkdir()
    (tmp_path / "colors" / "model.tflite").touch()
    assert resolve_model("colors", lambda line: None) == shop.at("colors", "cpu.tflite")
    own = tmp_path / "colors"
    assert resolve_model(own, pytest.fail) == own / "model.tflite"


def test_a_result_folder_stands_for_its_model(tmp_path):
    model, compiled = tmp_path / "model.tflite", tmp_path / "model_edgetpu.tflite"
    model.touch()
    assert resolve_model(tmp_path, pytest.fail) == model
    assert resolve_model(f"{tmp_path}/", pytest.fail) == model
    with raises_code("model-not-for-edgetpu", found=str(tmp_path), fix=f"edge compile {model}"):
        resolve_model(tmp_path, pytest.fail, "edgetpu")
    compiled.touch()
    assert resolve_model(tmp_path, pytest.fail) == model
    assert resolve_model(tmp_path, pytest.fail, "edgetpu") == compiled


def test_a_folder_without_a_model_is_told_what_it_lacks(tmp_path):
    with raises_code("folder-without-model", expected="model.tflite", found=str(tmp_path)):
        resolve_model(tmp_path, pytest.fail)
    (tmp_path / "int8.tflite").touch()
    with raises_code("folder-without-model", fix="int8.tflite"):
        resolve_model(tmp_path, pytest.fail, "edgetpu")
    (tmp_path / "saved_model.pb").touch()
    with raises_code("folder-without-model", found="SavedModel", fix="from_saved_model"):
        resolve_model(tmp_path, pytest.fail)


def test_labels_are_downloaded_beside_the_model(shop):
    labels = shop.at("colors", "labels.txt")
    assert find_labels(resolve_model("colors", lambda line: None)) == labels
    assert find_labels(resolve_model("colors", lambda line: None, "edgetpu")) == labels


def test_the_edge_tpu_version_comes_with_the_cpu_version(shop):
    path = resolve_model("colors", lambda line: None, "edgetpu")
    assert path == shop.at("colors", "cpu_edgetpu.tflite")
    assert shop.at("colors", "cpu.tflite").exists()
    with raises_code("no-edgetpu-version", found="open", fix="--delegate cpu"):
        resolve_model("open", lambda line: None, "edgetpu")


def test_a_model_with_edgetpu_in_its_name_has_its_own_edge_tpu_version(tmp_path):
    model = tmp_path / "v3_edgetpu_224.tflite"
    model.touch()
    assert cpu_fallback_path(tmp_path / "v3_edgetpu_224_edgetpu.tflite") == model


@pytest.mark.parametrize(
    ("name", "code", "fix"),
    [
        ("movenet_lightnin", "unknown-model", "'movenet_lightning'"),
        ("something", "unknown-model", "edge models list"),
        ("out/model.tflite", "model-not-found", ""),
        ("model.task", "model-not-found", ""),
        ("mobilenet_v2_1.0_224_quant.tflite", "model-not-found", " mobilenet_v2_1.0_224_quant"),
    ],
)
def test_neither_a_file_nor_a_name(name, code, fix):
    with raises_code(code, found=name, fix=fix):
        resolve_model(name, pytest.fail)
