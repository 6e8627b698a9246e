"""Weights as a small file: kernels in half precision, BatchNorm whole."""

import io
import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.backbone.mobilenet_v2 import Weights
from edge.errors import WeightsError
from edge.files import output_errors, write_atomic


def pack(weights: Weights, path: Path) -> None:
    """Write weights to ``path`` (.npz), whole or not at all.

    Kernels become float16, which moves a value by at most 0.05 %; vectors (BatchNorm, whose
    variances may be tiny) stay float32.

    Raises:
        OutputError: the file cannot be written.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    for layer, values in weights.items():
        for index, value in enumerate(values):
            kind = np.float16 if value.ndim > 1 else np.float32
            arrays[f"{layer}/{index}"] = value.astype(kind)
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, packed.getvalue())


def unpack(path: Path) -> Weights:
    """The weights that :func:`pack` wrote, float32, by layer name in Keras' order.

    Raises:
        WeightsError: the file is missing, damaged or of another kind.
    """
    found: defaultdict[str, dict[int, NDArray[np.float32]]] = defaultdict(dict)
    try:
        with np.load(path) as stored:
            for key in stored.files:
                layer, _, index = key.rpartition("/")
                found[layer][int(index)] = stored[key].astype(np.float32)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(
            "packed weights (.npz)",
            f"{path} ({error})",
            "reinstall the toolkit, or create the file with converters.backbone.pretrain.__main__",
            code="weights-unreadable",
        ) from None
    return {layer: [by[i] for i in sorted(by)] for layer, by in found.items()}
