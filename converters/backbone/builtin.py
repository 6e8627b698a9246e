"""The built-in backbone: packed weights and model card, read without TensorFlow."""

import tomllib
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone.mobilenet_v2 import Weights
from edge.errors import WeightsError

WEIGHTS = Path(__file__).with_name("builtin.npz")
CARD = Path(__file__).with_name("builtin.toml")

Card = dict[str, Any]
"""A model card: plain values by name, and tables (dicts) of plain values."""


def read() -> tuple[Card, Weights]:
    """Read the model card, and the weights (float32) by layer name.

    The weights are those of MobileNetV2 without its top, width ``card["alpha"]``;
    ``card["use_at"]`` is the input size at which they work best.

    Raises:
        WeightsError: a file is missing or damaged.
    """
    try:
        card = tomllib.loads(CARD.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(
            "a readable model card of the built-in weights",
            f"{CARD} ({error})",
            "reinstall the toolkit",
            code="model-card-unreadable",
        ) from None
    return card, unpack(WEIGHTS)


def unpack(path: Path) -> Weights:
    """Read packed weights: float32, by layer name in Keras' order.

    Raises:
        WeightsError: the file is missing, damaged or in another format.
    """
    arrays: defaultdict[str, dict[int, NDArray[np.float32]]] = defaultdict(dict)
    try:
        with np.load(path) as stored:
            for key in stored.files:
                layer, _, index = key.rpartition("/")
                arrays[layer][int(index)] = stored[key].astype(np.float32)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(
            "packed weights (.npz)",
            f"{path} ({error})",
            "reinstall the toolkit, or create the file with converters.backbone.pretrain",
            code="weights-unreadable",
        ) from None
    return {layer: [values[i] for i in sorted(values)] for layer, values in arrays.items()}
