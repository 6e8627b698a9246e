"""Weights come from where the user says, or an error says where else to get them."""

import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import micro_backbone
import numpy as np
import pytest
from errors import raises_code

from converters.backbone import weights
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
def files(model: Any, with_head: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same weights in every layout that Keras writes."""
    folder = tmp_path_factory.mktemp("weights")
    paths = {name: folder / name for name in ("a.weights.h5", "b.h5", "c.keras", "d.h5")}
    model.save_weights(str(paths["a.weights.h5"]))
    model.save_weights(str(paths["b.h5"]), save_format="h5")
    with_head.save(paths["c.keras"])
    keras().models.save_model(with_head, str(paths["d.h5"]), save_format="h5")
    return paths


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


@pytest.mark.parametrize("name", ["a.weights.h5", "b.h5", "c.keras", "d.h5"])
def test_every_keras_layout_gives_the_same_backbone(
    name: str, files: dict[str, Path], model: Any
) -> None:
    loaded = weights.load(str(files[name]), None, 96, 0)
    assert (loaded.weights, loaded.alpha, loaded.pretrained) == (name, 0.35, True)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 96, 96, 3)).astype(np.float32)
    want = model(images, training=False).numpy()
    np.testing.assert_allclose(loaded.build()(images, training=False).numpy(), want, atol=1e-5)


def test_the_fingerprint_is_of_the_weights_not_of_the_file(files: dict[str, Path]) -> None:
    prints = {weights.load(str(path), None, 96, 0).fingerprint for path in files.values()}
    assert len(prints) == 1
    assert weights.load(str(files["b.h5"]), None, 128, 0).fingerprint not in prints


def test_a_whole_model_tells_its_input_size(files: dict[str, Path]) -> None:
    assert weights.load(str(files["c.keras"]), None, None, 0).size == 96


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
    first, again, other = (weights.load("none", None, None, seed) for seed in (1, 1, 2))
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
