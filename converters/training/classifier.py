"""The complete classifier as a flat tf_keras model: backbone, pooling, dropout, softmax head."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.backbone.weights import Backbone


def assemble(
    backbone: Backbone,
    classes: int,
    kernel: NDArray[np.float32] | None = None,
    bias: NDArray[np.float32] | None = None,
    dropout: float = 0.0,
) -> Any:
    """Build a flat model: float32 [n, size, size, 3] in [-1, 1] to softmax float32 [n, classes].

    ``kernel`` [d, classes] and ``bias`` [classes] fill the layer "head"; without them it is
    initialized by Keras. ``dropout`` (a share) adds a layer before it, which pruning and
    quantization-aware training treat like any other.
    """
    keras = tf.keras()
    base = backbone.build()
    features = keras.layers.GlobalAveragePooling2D(name="pool")(base.output)
    if dropout:
        features = keras.layers.Dropout(dropout, name="dropout")(features)
    scores = keras.layers.Dense(classes, activation="softmax", name="head")(features)
    model = keras.Model(base.input, scores, name="classifier")
    if kernel is not None and bias is not None:
        model.get_layer("head").set_weights([kernel, bias])
    return model
