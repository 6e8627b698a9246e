"""A backbone that counts as learned, made in seconds: MobileNetV2 0.35 at 96 pixels.

Its weights are random, its BatchNorm statistics those of generated pictures, so that its
embeddings tell the shapes apart as a trained network's would.
"""

from pathlib import Path
from typing import Any

from micro_model import PREPROCESSING, SIZE, pictures

from converters.backbone import weights
from converters.backbone.weights import Backbone
from converters.tf import keras, seed_everything

ALPHA = 0.35


def model() -> Any:
    """A flat tf_keras backbone, float32 [n, 96, 96, 3] to [n, 3, 3, 1280]."""
    seed_everything(0)
    made = keras().applications.MobileNetV2(
        (SIZE, SIZE, 3), alpha=ALPHA, include_top=False, weights=None
    )
    norms = [n for n in made.layers if isinstance(n, keras().layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = 0.0  # one pass in training mode takes over the batch's statistics
    made(PREPROCESSING.normalise(pictures(8, seed=9)[0]), training=True)
    return made


def backbone(folder: Path) -> Backbone:
    """The backbone as the toolkit loads it from a file that this writes into ``folder``."""
    path = folder / "micro.weights.h5"
    if not path.exists():
        model().save_weights(str(path))
    return weights.load(str(path), None, SIZE, 0)
