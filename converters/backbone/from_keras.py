"""MobileNetV2 weights out of Keras files, of whichever Keras wrote them, without TensorFlow.

Three layouts are found in the wild: weights by layer name (the ``.h5`` of Keras 2), by class and
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
    """What was read: the backbone's weights, and the input size where the file tells it."""

    weights: Weights
    size: int | None


def read(path: Path) -> KerasFile:
    """The MobileNetV2 weights in a Keras file; a top, if there is one, is left out.

    Raises:
        WeightsError: the file cannot be read, or holds no MobileNetV2.
    """
    import h5py

    try:
        content, size = _open(path)
        with h5py.File(content, "r") as file:
            found = _by_name(file) if _is_legacy(file) else _by_group(file)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            "a Keras weights file", f"{path} ({reason})", _FIX, code="weights-unreadable"
        ) from error
    return KerasFile(_pick(found, path), size)


def _open(path: Path) -> tuple[Any, int | None]:
    """What h5py can open, and the input size of a ``.keras`` archive."""
    if not zipfile.is_zipfile(path):
        return path, None
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        return io.BytesIO(archive.read("model.weights.h5")), _input_size(config)


def _input_size(config: dict[str, Any]) -> int | None:
    found = re.search(
        r'"batch(?:_input)?_shape": \[null, (\d+), (\d+), 3\]', json.dumps(config)
    )  # the first is the input layer's
    return int(found[1]) if found and found[1] == found[2] else None


def _is_legacy(file: Any) -> bool:
    return "layer_names" in file.attrs or "model_weights" in file


def _by_name(file: Any) -> dict[str, list[NDArray[np.float32]]]:
    root = file.get("model_weights", file)
    found = {}
    for name in root.attrs["layer_names"]:
        group = root[name]
        found[_text(name)] = [
            np.asarray(group[key], np.float32) for key in group.attrs["weight_names"]
        ]
    return found


def _by_group(file: Any) -> dict[str, list[NDArray[np.float32]]]:
    """Arrays of every ``…/NAME/vars`` group, by NAME."""
    found: dict[str, list[NDArray[np.float32]]] = {}

    def visit(path: str, node: Any) -> None:
        name, _, last = path.rpartition("/")
        if last == "vars" and len(node):
            keys = sorted(node, key=int)
            found[re.split(r"[/\\]", name)[-1]] = [np.asarray(node[k], np.float32) for k in keys]

    file.visititems(visit)
    return found


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _pick(found: dict[str, list[NDArray[np.float32]]], path: Path) -> Weights:
    """The backbone's layers among those found, by layer name or by class and counter."""
    table = layers(1.0)  # names and kinds are the same in every width
    weights = {layer.name: found[layer.name] for layer in table if layer.name in found}
    if not weights:
        weights = _by_class(found, table)
    missing = [layer.name for layer in table if layer.name not in weights]
    if missing:
        raise WeightsError(
            f"the {len(table)} weighted layers of MobileNetV2",
            f"{len(found)} layers in {path}, without {missing[0]!r}"
            + (f" and {len(missing) - 1} others" if len(missing) > 1 else ""),
            _FIX,
            code="weights-layout-mismatch",
        )
    return weights


def _by_class(
    found: dict[str, list[NDArray[np.float32]]], table: tuple[Layer, ...]
) -> dict[str, list[NDArray[np.float32]]]:
    weights = {}
    for kind, class_name in _CLASS_OF_KIND.items():
        # Counters start anywhere (a second model in one process goes on counting): order matters.
        counted = {
            int(match[1] or 0): arrays
            for name, arrays in found.items()
            if (match := re.fullmatch(rf"{class_name}(?:_(\d+))?", name))
        }
        names = [layer.name for layer in table if layer.kind == kind]
        weights.update(
            dict(zip(names, (counted[index] for index in sorted(counted)), strict=False))
        )
    return weights
