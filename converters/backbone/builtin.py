"""The backbone that comes with the package: weights and model card, without TensorFlow."""

import tomllib
from pathlib import Path

from converters.backbone.mobilenet_v2 import Weights
from converters.backbone.pretrain.card import Card
from converters.backbone.pretrain.pack import unpack
from edge.errors import WeightsError

WEIGHTS = Path(__file__).with_name("builtin.npz")
CARD = Path(__file__).with_name("builtin.toml")


def read() -> tuple[Card, Weights]:
    """The model card and the weights (float32) by layer name.

    The weights are those of MobileNetV2 without its top, width ``card["alpha"]``;
    ``card["use_at"]`` is the input size at which they served best.

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
