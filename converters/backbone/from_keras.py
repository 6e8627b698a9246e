"""Read MobileNetV2 weights from Keras files of any version, without TensorFlow.

Three layouts are in use: weights by layer name (the ``.h5`` of Keras 2), by class and
counter (``.weights.h5`` and ``.keras`` of Keras 2.12 to 3) and by layer name again (later Keras 3).
"""

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone.mobilenet_v2 import Layer, Weights, layers
from edge.errors import WeightsError

SUFFIXES = (".h5", ".hdf5", ".keras")

_CLASS_OF_KIND = {
    "conv": "conv2d",
    "depthwise": "depthwise_conv2d",
    "batch_norm": "batch_normalization",
}
_FIX = "pass the weights of a MobileNetV2, or use --weights none"


@dataclass(frozen=True, slots=True)
class KerasFile:
    """The backbone's weights, and the input size if the file contains it."""

    weights: Weights
    size: int | None


def read(path: Path) -> KerasFile:
    """Read the MobileNetV2 weights of a Keras file, without a top.

    Raises:
        WeightsError: the file cannot be read, or contains no MobileNetV2.
    """
    import h5py

    try:
        content, size = _open(path)
        with h5py.File(content, "r") as file:
            arrays = _by_name(file) if _is_legacy(file) else _by_group(file)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            "a Keras weights file", f"{path} ({reason})", _FIX, code="weights-unreadable"
        ) from error
    return KerasFile(_pick(arrays, path), size)


def _open(path: Path) -> tuple[Any, int | None]:
    """Return something h5py can open, and the input size of a ``.keras`` archive."""
    if not zipfile.is_zipfile(path):
        return path, None
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        return io.BytesIO(archive.read("model.weights.h5")), _input_size(config)


def _input_size(config: dict[str, Any]) -> int | None:
    shape = re.search(
        r'"batch(?:_input)?_shape": \[null, (\d+), (\d+), 3\]', json.dumps(config)
    )  # the first is the input layer's
    return int(shape[1]) if shape and shape[1] == shape[2] else None


def _is_legacy(file: Any) -> bool:
    return "layer_names" in file.attrs or "model_weights" in file


def _by_name(file: Any) -> dict[str, list[NDArray[np.float32]]]:
    root = file.get("model_weights", file)
    arrays = {}
    for name in root.attrs["layer_names"]:
        group = root[name]
        arrays[_text(name)] = [
            np.asarray(group[key], np.float32) for key in group.attrs["weight_names"]
        ]
    return arrays


def _by_group(file: Any) -> dict[str, list[NDArray[np.float32]]]:
    """Return the arrays of every ``…/NAME/vars`` group, by NAME."""
    arrays: dict[str, list[NDArray[np.float32]]] = {}

    def visit(path: str, node: Any) -> None:
        name, _, last = path.rpartition("/")
        if last == "vars" and len(node):
            keys = sorted(node, key=int)
            arrays[re.split(r"[/\\]", name)[-1]] = [np.asarray(node[k], np.float32) for k in keys]

    file.visititems(visit)
    return arrays


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _pick(arrays: dict[str, list[NDArray[np.float32]]], path: Path) -> Weights:
    """Select the backbone's layers, by layer name or by class and counter."""
    table = layers(1.0)  # names and kinds are the same in every width
    weights = {layer.name: arrays[layer.name] for layer in table if layer.name in arrays}
    if not weights:
        weights = _by_class(arrays, table)
    missing = [layer.name for layer in table if layer.name not in weights]
    if missing:
        raise WeightsError(
            f"the {len(table)} weighted layers of MobileNetV2",
            f"{len(arrays)} layers in {path}, without {missing[0]!r}"
            + (f" and {len(missing) - 1} others" if len(missing) > 1 else ""),
            _FIX,
            code="weights-layout-mismatch",
        )
    return weights


def _by_class(
    arrays: dict[str, list[NDArray[np.float32]]], table: tuple[Layer, ...]
) -> dict[str, list[NDArray[np.float32]]]:
    weights = {}
    for kind, class_name in _CLASS_OF_KIND.items():
        # Counters start anywhere (a second model in a process continues the count): order matters.
        counted = {
            int(match[1] or 0): values
            for name, values in arrays.items()
            if (match := re.fullmatch(rf"{class_name}(?:_(\d+))?", name))
        }
        names = [layer.name for layer in table if layer.kind == kind]
        weights.update(
            dict(zip(names, (counted[index] for index in sorted(counted)), strict=False))
        )
    return weights
