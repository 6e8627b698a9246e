"""Read MobileNetV2 weights from Keras files of any version, without TensorFlow.

Weights are read as arrays: no layer, function or model of a file is ever created. Three layouts are
in use: weights by layer name (the ``.h5`` of Keras 2, whatever the ending), by class and counter
(``.weights.h5`` and ``.keras`` of Keras 2.12 to 3) and by layer name again (later Keras 3). In each
of them the backbone may lie inside other models, as in the files of Teachable Machine.
"""

import io
import json
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.backbone.mobilenet_v2 import Layer, Weights, infer_alpha, layers
from edge.errors import WeightsError
from edge.modelfile import foreign
from edge.quantities import counted
from edge.system_files import is_system_path

SUFFIXES = (".h5", ".hdf5", ".keras")

MAX_BYTES = 2 * 2**30
"""Size of the weights in a zip above which they are not unpacked."""

MAX_VALUES = 2**24
"""Number of values above which they are not those of a MobileNetV2; the largest has 5 million."""

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_CLASS_OF_KIND = {
    "conv": "conv2d",
    "depthwise": "depthwise_conv2d",
    "batch_norm": "batch_normalization",
}
_FIX = "pass the weights of a MobileNetV2, or use --weights none"

_DAMAGES = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, EOFError,
            zipfile.BadZipFile, zlib.error)  # fmt: skip
"""What h5py, zipfile and json raise on damaged files."""

Variables = dict[str, list[Any]]
"""Layer name to its h5py datasets in Keras' order."""


@dataclass(frozen=True, slots=True)
class KerasFile:
    """The backbone's weights, and the input size if the file contains it."""

    weights: Weights
    size: int | None


def read(path: Path) -> KerasFile:
    """Read the MobileNetV2 weights of a Keras file, without a top.

    It may be a whole model, its weights, or a zip with one such file.

    Raises:
        WeightsError: the file cannot be read, or contains no MobileNetV2.
    """
    import h5py

    if not (zipfile.is_zipfile(path) or h5py.is_hdf5(path)):
        with path.open("rb") as start:
            head = start.read(foreign.HEAD_BYTES)
        raise WeightsError(
            "a Keras weights file (.h5, .weights.h5 or .keras)",
            f"{path}, which is {foreign.identify(head, head).kind}",
            _FIX,
            code="weights-unreadable",
        )
    try:
        content, config = _open(path)
        with h5py.File(content, "r") as file:
            models = [_by_name(file)] if _is_legacy(file) else _by_group(file)
            size = next(_input_sizes(json.loads(config or file.attrs.get("model_config", "{}"))), 0)
            return KerasFile(_read(_pick(models, path)), size or None)
    except _DAMAGES as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            "a Keras weights file", f"{path} ({reason})", _FIX, code="weights-unreadable"
        ) from error


def _open(file: Any) -> tuple[Any, bytes]:
    """Return something h5py can open, and the model's configuration where it lies beside it."""
    if not zipfile.is_zipfile(file):
        return file, b""
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if not is_system_path(name)]
        if _WEIGHTS in names:
            config = _unpack(archive, _CONFIG) if _CONFIG in names else b""
            return io.BytesIO(_unpack(archive, _WEIGHTS)), config
        inner = [name for name in names if name.lower().endswith(SUFFIXES)]
        if len(inner) != 1:
            raise ValueError(f"a zip without {_WEIGHTS}")
        return _open(io.BytesIO(_unpack(archive, inner[0])))


def _unpack(archive: zipfile.ZipFile, name: str) -> bytes:
    size = archive.getinfo(name).file_size
    if size > MAX_BYTES:
        raise ValueError(f"{name} unpacks to {counted(size, 'byte')}")
    return archive.read(name)


def _input_sizes(config: Any) -> Iterator[int]:
    """Yield the side of each input in a model's configuration, 0 if it is not fixed and square."""
    if isinstance(config, list):
        for part in config:
            yield from _input_sizes(part)
    if not isinstance(config, dict):
        return
    for key, value in config.items():
        if key in ("batch_input_shape", "batch_shape"):
            shape = value["items"] if isinstance(value, dict) else value  # a serialized tuple
            if isinstance(shape, list) and len(shape) == 4:
                yield shape[1] if shape[1] == shape[2] and isinstance(shape[1], int) else 0
        else:
            yield from _input_sizes(value)


def _is_legacy(file: Any) -> bool:
    return "model_weights" in file or any(key.startswith("layer_names") for key in file.attrs)


def _by_name(file: Any) -> Variables:
    """Return the variables of all layers, also those inside nested models."""
    root = file.get("model_weights", file)
    variables: Variables = {}
    for outer in _names(root, "layer_names"):
        keys = _names(root[outer], "weight_names")
        owners = {key.rpartition("/")[0] for key in keys}
        for key in keys:
            owner = key.rpartition("/")[0].rpartition("/")[2] if len(owners) > 1 else outer
            variables.setdefault(owner, []).append(root[outer][key])
    return variables


def _names(group: Any, attribute: str) -> list[str]:
    """Return a list of names, which Keras divides into several attributes if it is long."""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(f"{attribute}{len(parts)}")
    if not parts:
        raise KeyError(f"no {attribute} in {group.name}")
    names = [name for part in parts for name in group.attrs[part]]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _by_group(file: Any) -> list[Variables]:
    """Return the variables in the groups ``MODEL/LAYER/vars``, model by model.

    Each model comes twice: by the names of the groups, and by the names that later versions of
    Keras give in an attribute.
    """
    models: defaultdict[tuple[str, bool], Variables] = defaultdict(dict)
    paths: list[str] = []
    file.visit(paths.append)  # the names alone: to open each object takes longer than to read all
    for path in paths:
        *model, layer, last = ["", *re.split(r"[/\\]", path)]  # Keras on Windows wrote backslashes
        if last == "vars" and len(node := file[path]):
            variables = [node[key] for key in sorted(node, key=int)]
            models["/".join(model), False][layer] = variables
            models["/".join(model), True][str(node.attrs.get("name", layer))] = variables
    return list(models.values())


def _pick(models: list[Variables], path: Path) -> Variables:
    """Select the backbone's layers, by layer name or by class and counter."""
    table = layers(1.0)  # names and kinds are the same in every width
    choices = [select(model, table) for model in models for select in (_named, _counted)]
    best = max(
        choices, key=lambda choice: (infer_alpha(choice) is not None, len(choice)), default={}
    )
    missing = [layer.name for layer in table if layer.name not in best]
    if missing:
        raise WeightsError(
            f"the {len(table)} weighted layers of MobileNetV2",
            f"{counted(sum(map(len, models)), 'layer')} in {path}, without {missing[0]!r}"
            + (f" and {counted(len(missing) - 1, 'other')}" if len(missing) > 1 else ""),
            _FIX,
            code="weights-layout-mismatch",
        )
    return best


def _named(model: Variables, table: tuple[Layer, ...]) -> Variables:
    """Select layers by name, with the counter that TensorFlow 1 gave a second one."""
    plain = {re.sub(r"_\d+$", "", name): variables for name, variables in model.items()}
    every = plain | model
    return {layer.name: every[layer.name] for layer in table if layer.name in every}


def _counted(model: Variables, table: tuple[Layer, ...]) -> Variables:
    chosen: Variables = {}
    for kind, class_name in _CLASS_OF_KIND.items():
        # Counters start anywhere (a second model in a process continues the count): order matters.
        counted = {
            int(match[1] or 0): variables
            for name, variables in model.items()
            if (match := re.fullmatch(rf"{class_name}(?:_(\d+))?", name))
        }
        names = [layer.name for layer in table if layer.kind == kind]
        chosen.update(dict(zip(names, (counted[index] for index in sorted(counted)), strict=False)))
    return chosen


def _read(variables: Variables) -> Weights:
    count = sum(dataset.size for datasets in variables.values() for dataset in datasets)
    if count > MAX_VALUES:
        raise ValueError(f"{counted(count, 'value')}")
    weights = {
        name: [np.asarray(dataset, np.float32) for dataset in datasets]
        for name, datasets in variables.items()
    }
    if not all(np.isfinite(array).all() for arrays in weights.values() for array in arrays):
        raise ValueError("some values are not finite")
    return weights
