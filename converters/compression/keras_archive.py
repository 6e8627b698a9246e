"""Trained networks in Keras archives (.keras), which are read only if they hold no code.

Loading a Keras file rebuilds the objects that its configuration names: a Lambda layer brings its
own bytecode, other entries import any module, and HDF5 files under the same name are loaded
without Keras' safe mode. So only archives of the layers that this toolkit writes are opened.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from converters import tf
from edge.errors import ModelError

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = {_CONFIG, _WEIGHTS, "metadata.json"}
_MAX_CONFIG_BYTES, _MAX_WEIGHTS_BYTES = 8 << 20, 1 << 30

_ALLOWED = {
    "keras.layers": {
        "Activation", "Add", "BatchNormalization", "Conv2D", "Dense", "DepthwiseConv2D", "Dropout",
        "Flatten", "GlobalAveragePooling2D", "InputLayer", "ReLU", "Reshape", "Softmax",
        "ZeroPadding2D",
    },
    "keras.initializers": {
        "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Ones",
        "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros",
    },
    "keras.regularizers": {"L1", "L1L2", "L2"},
    "tf_keras.src.engine.functional": {"Functional"},
}  # fmt: skip
"""Classes that may be rebuilt, by their module."""


class UnsafeNetworkError(Exception):
    """An archive that holds more than plain layers and weights; the text says what."""


def load_network(path: Path, fix: str) -> Any:
    """Load a trained network from a Keras archive.

    Args:
        path: The archive.
        fix: What the user can do about an archive that is not usable.

    Raises:
        ModelError: the archive is damaged, or holds code.
    """
    try:
        _check(path)
        return tf.keras().models.load_model(path, compile=False, safe_mode=True)
    except UnsafeNetworkError as error:
        raise ModelError(
            f"a network of plain layers in {path}, as edge convert writes it",
            f"{error}, which may run code when it is loaded",
            f"use a result that you trust, or {fix}",
            code="trained-model-unsafe",
        ) from None
    except Exception as error:  # zipfile and Keras raise many kinds for a damaged archive
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(
            f"the trained model {path}",
            f"an unreadable file ({reason})",
            fix,
            code="trained-model-unreadable",
        ) from None


def _check(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            if file.read(4) == b"\x89HDF":
                raise UnsafeNetworkError("an HDF5 file")
        raise ValueError("it is no Keras archive")
    with zipfile.ZipFile(path) as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist()}
        if others := sorted(sizes.keys() - _MEMBERS):
            raise UnsafeNetworkError(f"a file {others[0]!r}")
        if sizes[_CONFIG] > _MAX_CONFIG_BYTES or sizes[_WEIGHTS] > _MAX_WEIGHTS_BYTES:
            raise ValueError("it unpacks to too many bytes")
        config = json.loads(archive.read(_CONFIG))
    config.pop("compile_config", None)  # not read by load_model with compile=False
    for module, name in _classes(config):
        if name not in _ALLOWED.get(module, ()):
            raise UnsafeNetworkError(f"a {name} of {module}")


def _classes(config: object) -> Iterator[tuple[str, str]]:
    """Yield module and name of each class in a configuration."""
    left = [config]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "class_name" in value or "module" in value:
                yield str(value.get("module")), str(value.get("class_name"))
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
