"""Weights come from where the user says, or an error says where else to get them."""

import json
import socket
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import micro_backbone
import numpy as np
import pytest
from errors import raises_code

from converters.backbone import from_keras, weights
from converters.tf import keras


@pytest.fixture(scope="module")
def model() -> Any:
    return micro_backbone.model()


@pytest.fixture(scope="module")
def with_head(model: Any) -> Any:
    layers = keras().layers
    pooled = layers.GlobalAveragePooling2D()(model.output)
    return keras().Model(model.input, layers.Dense(3, activation="softmax")(pooled))


@pytest.fixture(scope="module")
def teachable(model: Any) -> Any:
    """A model as Teachable Machine exports it: the backbone in a Sequential in a Sequential."""
    layers, sequential = keras().layers, keras().Sequential
    model.trainable = False
    inner = sequential([model, layers.GlobalAveragePooling2D()])
    return sequential([inner, sequential([layers.Dense(4), layers.Dense(3)])])


@pytest.fixture(scope="module")
def with_convolution(model: Any) -> Any:
    """The backbone as a layer, followed by a layer that is called as its first one is."""
    layers = keras().layers
    image = layers.Input((96, 96, 3))
    scaled = layers.Rescaling(1 / 127.5, -1)(image)
    maps = layers.Conv2D(4, 1)(model(scaled))
    return keras().Model(image, layers.GlobalAveragePooling2D()(maps))


LAYOUTS = ("a.weights.h5", "b.h5", "c.keras", "d.h5", "hdf5.keras", "teachable.h5",
           "teachable_weights.h5", "nested.keras", "nested.weights.h5", "attribute.weights.h5",
           "tensorflow1.h5", "converted_keras.zip")  # fmt: skip
WHOLE_MODELS = ("c.keras", "d.h5", "hdf5.keras", "teachable.h5", "nested.keras",
                "converted_keras.zip")  # fmt: skip


@pytest.fixture(scope="module")
def files(
    model: Any,
    with_head: Any,
    teachable: Any,
    with_convolution: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """The same weights in every layout that Keras writes."""
    folder = tmp_path_factory.mktemp("weights")
    paths = {name: folder / name for name in LAYOUTS}
    model.save_weights(str(paths["a.weights.h5"]))
    model.save_weights(str(paths["b.h5"]), save_format="h5")
    with_head.save(paths["c.keras"], save_format="keras_v3")
    with_head.save(paths["d.h5"], save_format="h5")
    paths["hdf5.keras"].write_bytes(paths["d.h5"].read_bytes())
    teachable.build((None, 96, 96, 3))
    teachable.save(paths["teachable.h5"], save_format="h5")
    teachable.save_weights(str(paths["teachable_weights.h5"]), save_format="h5")
    with_convolution.save(paths["nested.keras"], save_format="keras_v3")
    with_convolution.save_weights(str(paths["nested.weights.h5"]))
    write_with_names_in_attributes(paths["attribute.weights.h5"], model)
    write_as_tensorflow_1(paths["tensorflow1.h5"], model)
    with zipfile.ZipFile(paths["converted_keras.zip"], "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(paths["teachable.h5"], "keras_model.h5")
        archive.writestr("labels.txt", "0 cat\n")
        archive.writestr("__MACOSX/._keras_model.h5", "x")
    return paths


def write_with_names_in_attributes(path: Path, model: Any) -> None:
    """Write weights as Keras 3 does: groups by class and counter, names in an attribute."""
    with h5py.File(path, "w") as file:
        for number, layer in enumerate(layer for layer in model.layers if layer.weights):
            group = file.create_group(f"layers/functional/layers/layer_{99 - number}/vars")
            group.attrs["name"] = layer.name
            for index, values in enumerate(layer.get_weights()):
                group[str(index)] = values


def write_as_tensorflow_1(path: Path, model: Any) -> None:
    """Write the second MobileNetV2 of a session of TensorFlow 1, and many names in two parts."""
    weights = {
        f"{layer.name}_1/{variable.name.split('/')[-1]}": variable.numpy()
        for layer in model.layers
        for variable in layer.weights
    }
    names = list(weights)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["mobilenetv2"]
        group = file.create_group("mobilenetv2")
        group.attrs["weight_names0"], group.attrs["weight_names1"] = names[:100], names[100:]
        for name, values in weights.items():
            group[name] = values


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder: no weights in Keras' cache."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def silent_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A proxy that takes connections and never answers: a black hole."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        go_through(server.getsockname()[1], monkeypatch)
        monkeypatch.setattr(weights, "TIMEOUT_S", 1.0)
        yield


@pytest.fixture
def refusing_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # closed again: nobody listens
    go_through(port, monkeypatch)


def go_through(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let downloads go through a proxy of this machine, for one test."""
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    monkeypatch.setenv("no_proxy", "")
    # urllib keeps the proxies that it met first: it is to meet these, and others afterwards.
    monkeypatch.setattr(urllib.request, "_opener", None)


def test_the_backbone_computes_what_the_saved_one_did(files: dict[str, Path], model: Any) -> None:
    loaded = weights.load(str(files["a.weights.h5"]), None, 96, 0)
    assert (loaded.weights, loaded.alpha, loaded.pretrained) == ("a.weights.h5", 0.35, True)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 96, 96, 3)).astype(np.float32)
    want = model(images, training=False).numpy()
    np.testing.assert_allclose(loaded.build()(images, training=False).numpy(), want, atol=1e-5)


def test_every_keras_layout_gives_the_same_backbone(files: dict[str, Path]) -> None:
    prints = {
        name: weights.load(str(path), None, 96, 0).fingerprint for name, path in files.items()
    }
    assert prints == dict.fromkeys(LAYOUTS, prints["a.weights.h5"])
    assert weights.load(str(files["b.h5"]), None, 128, 0).fingerprint != prints["b.h5"]


@pytest.mark.parametrize("name", WHOLE_MODELS)
def test_a_whole_model_tells_its_input_size(name: str, files: dict[str, Path]) -> None:
    assert weights.load(str(files[name]), None, None, 0).size == 96


def test_what_keras_writes_after_it_forgot_its_format_tells_its_size_too(
    with_head: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In every thread but the one that imported it, tf_keras writes HDF5 into .keras files once it
    # has written or read one of its own format there.
    from tf_keras.src.saving import saving_lib

    monkeypatch.setattr(saving_lib._SAVING_V3_ENABLED, "value", False)
    with_head.save(tmp_path / "model.keras")
    assert h5py.is_hdf5(tmp_path / "model.keras")
    assert weights.load(str(tmp_path / "model.keras"), None, None, 0).size == 96


@pytest.mark.parametrize(
    ("layers", "size"),
    [
        ([{"batch_input_shape": [None, 96, 96, 3]}], 96),
        ([{"batch_shape": [32, 128, 128, 3]}], 128),
        ([{"batch_shape": {"class_name": "__tuple__", "items": [None, 64, 64, 3]}}], 64),
        ([{"batch_shape": [None, None, None, 3]}, {"batch_shape": [None, 64, 64, 3]}], None),
        ([{"layers": [{"batch_input_shape": [None, 160, 160, 3]}]}], 160),
        ([], None),
    ],
)
def test_the_size_is_the_first_inputs(
    layers: list[Any], size: int | None, files: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(files["b.h5"].read_bytes())
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = json.dumps({"config": {"layers": layers}})
    assert from_keras.read(path).size == size


def test_a_layer_of_code_is_not_run(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(files["d.h5"].read_bytes())
    with h5py.File(path, "a") as file:
        layer = {"class_name": "Lambda", "config": {"function": ["4wAAAA==", None, None]}}
        file.attrs["model_config"] = json.dumps({"config": {"layers": [layer]}})
    assert weights.load(str(path), None, 96, 0).alpha == 0.35


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j", "PyTorch"),
        (b"something\0", "another kind"),
    ],
)
def test_what_is_no_keras_file_is_named(content: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(content)
    with raises_code("weights-unreadable", found=kind):
        weights.load(str(path), None, None, 0)


@pytest.mark.parametrize("content", ["weights", "nothing", "too much"])
def test_a_zip_without_usable_weights_is_an_error(content: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        if content != "nothing":
            archive.writestr("model.weights.h5", "no HDF5")
    if content == "too much":
        data = bytearray(path.read_bytes())
        at = data.find(b"PK\x01\x02") + 24
        data[at : at + 4] = (from_keras.MAX_BYTES + 1).to_bytes(4, "little")
        path.write_bytes(data)
    with raises_code("weights-unreadable", found=str(path)):
        weights.load(str(path), None, None, 0)


def test_weights_that_are_not_finite_are_an_error(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(files["b.h5"].read_bytes())
    with h5py.File(path, "a") as file:
        file["Conv1/Conv1/kernel:0"][0, 0, 0, 0] = np.nan
    with raises_code("weights-unreadable", found="not finite"):
        weights.load(str(path), None, None, 0)


def test_variables_of_any_size_are_not_read(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(files["b.h5"].read_bytes())
    with h5py.File(path, "a") as file:
        del file["Conv1/Conv1/kernel:0"]
        file.create_dataset("Conv1/Conv1/kernel:0", (1 << 20, 1 << 20), "f", chunks=(256, 256))
    with raises_code("weights-unreadable", found="values"):
        weights.load(str(path), None, None, 0)


def test_another_alpha_than_the_file_has_is_an_error(files: dict[str, Path]) -> None:
    with raises_code("weights-alpha-mismatch", found="alpha 0.35", fix="--alpha 0.35"):
        weights.load(str(files["b.h5"]), 0.5, None, 0)


def test_a_truncated_file_is_an_error(files: dict[str, Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.h5"
    cut.write_bytes(files["b.h5"].read_bytes()[:100_000])
    with raises_code("weights-unreadable", found=str(cut)):
        weights.load(str(cut), None, None, 0)


def test_another_architecture_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "other.keras"
    layers = keras().layers
    keras().Sequential([layers.Input((8, 8, 3)), layers.Conv2D(2, 3), layers.Flatten()]).save(path)
    with raises_code("weights-layout-mismatch", expected="104"):
        weights.load(str(path), None, None, 0)


def test_an_unknown_name_suggests_the_nearest() -> None:
    with raises_code("unknown-weights", found="'imagnet'", fix="'imagenet'"):
        weights.load("imagnet", None, None, 0)


def test_a_missing_file_is_called_missing() -> None:
    with raises_code("weights-not-found", found="my/weights.h5"):
        weights.load("my/weights.h5", None, None, 0)


def test_random_weights_follow_the_seed_and_say_so() -> None:
    first, again, other = (weights.load("none", 0.35, 96, seed) for seed in (1, 1, 2))
    assert not first.pretrained
    assert "random" in first.notes[0]
    assert first.fingerprint == again.fingerprint != other.fingerprint
    kernels = [b.build().get_layer("Conv1").get_weights()[0] for b in (first, again, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.abs(kernels[0] - kernels[2]).max() > 0.01


@pytest.mark.usefixtures("home", "silent_proxy")
def test_a_network_that_swallows_everything_is_given_up_in_time() -> None:
    start = time.perf_counter()
    with raises_code("weights-unavailable", fix="--weights none"):
        weights.load("imagenet", None, None, 0)
    assert time.perf_counter() - start < 30  # a hang guard


@pytest.mark.usefixtures("home", "refusing_proxy")
def test_without_a_network_the_error_names_the_ways_out() -> None:
    with raises_code("weights-unavailable") as error:
        weights.load("imagenet", None, None, 0)
    for way in ("connect", "--weights builtin", "--weights FILE", "--weights none"):
        assert way in error.value.fix


@pytest.mark.usefixtures("home", "refusing_proxy")
def test_the_default_falls_back_to_builtin_weights_and_says_so() -> None:
    loaded = weights.load(None, None, None, 0)
    assert loaded.weights == "builtin"
    assert loaded.fingerprint == weights.load("builtin", None, None, 0).fingerprint
    assert "ImageNet" in loaded.notes[0]


@pytest.mark.usefixtures("refusing_proxy")
def test_weights_in_the_cache_of_keras_need_no_network(files: dict[str, Path], home: Path) -> None:
    folder = home / ".keras" / "models"
    folder.mkdir(parents=True)
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_128_no_top.h5"
    (folder / name).write_bytes(files["b.h5"].read_bytes())
    loaded = weights.load(None, 0.35, 128, 0)
    assert (loaded.weights, loaded.size, loaded.notes) == ("imagenet", 128, ())


def test_imagenet_weights_exist_in_published_sizes_only() -> None:
    with raises_code("unsupported-input-size", fix="--size 224"):
        weights.load("imagenet", None, 256, 0)
