"""Export a pretrained backbone: packed weights and the model card."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone.builtin import Card
from converters.backbone.mobilenet_v2 import Weights
from edge.files import output_errors, write_atomic

LICENSE = (
    "The weights are under the project's license. They were trained on ImageNet images, which are "
    "for research and education, with a teacher trained on ImageNet; they contain no image. Check "
    "the terms of ImageNet before commercial use."
)


def pack(weights: Weights, path: Path) -> None:
    """Write weights to ``path`` (.npz) atomically, for :func:`converters.backbone.builtin.unpack`.

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


def write_card(card: Card, path: Path) -> None:
    """Write ``card`` as TOML: plain values first, then one table after another.

    Raises:
        OutputError: it cannot be written.
    """
    lines = _assignments({k: v for k, v in card.items() if not isinstance(v, dict)})
    for name, table in card.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *_assignments(table)]
    write_atomic(path, "\n".join(lines) + "\n")


def _assignments(table: dict[str, Any]) -> list[str]:
    # Strings, numbers, booleans and flat lists are written alike in JSON and TOML.
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]
