"""The built-in MobileNetV2 with a head on generated shapes, made without TensorFlow.

Random weights would not do: deep random layers blow up any rounding, which trained ones do not.
"""

import micro_model
import numpy as np

from converters.backbone.mobilenet_v2 import BLOCKS, Weights, block_prefix
from converters.backbone.weights import read_builtin
from converters.writer.folding import FoldedNetwork, fold
from converters.writer.ranges import RangeProbe
from edge.modelwriter.heads import LinearLayer

SIZE, CLASSES = micro_model.SIZE, len(micro_model.SHAPES)
PREPROCESSING = micro_model.PREPROCESSING
RIDGE = 1.0


def weights() -> Weights:
    return read_builtin()[1]


def classifier(images: np.ndarray, labels: np.ndarray) -> FoldedNetwork:
    """A network whose head is fitted on embeddings of these images by least squares."""
    backbone = fold(weights(), SIZE)
    probe = RangeProbe(backbone)
    embeddings = np.stack([probe.run(PREPROCESSING.normalize(x)[None])[0] for x in images])
    mean = embeddings.mean(axis=0)
    centered = (embeddings - mean).astype(np.float64)
    targets = 6 * (np.eye(CLASSES)[labels] - 1 / CLASSES)
    gram = centered @ centered.T + RIDGE * np.eye(len(images))
    kernel = (centered.T @ np.linalg.solve(gram, targets)).astype(np.float32)
    head = LinearLayer(kernel, (-mean @ kernel).astype(np.float32))
    return FoldedNetwork(backbone.size, backbone.blocks, head)


def narrowed(made: Weights, seed: int = 3) -> tuple[Weights, Weights]:
    """Silence a third of the expansion channels of each block; also return it without them."""
    rng = np.random.default_rng(seed)
    silent = {name: [array.copy() for array in arrays] for name, arrays in made.items()}
    pruned = dict(silent)
    for index in range(1, len(BLOCKS)):
        prefix = block_prefix(index)
        (project,) = silent[f"{prefix}project"]
        width = project.shape[2]
        gone = rng.permutation(width)[: width // 3 + index]
        project[:, :, gone] = 0
        kept = np.setdiff1d(np.arange(width), gone)
        pruned[f"{prefix}project"] = [project[:, :, kept]]
        pruned[f"{prefix}expand"] = [silent[f"{prefix}expand"][0][..., kept]]
        pruned[f"{prefix}depthwise"] = [silent[f"{prefix}depthwise"][0][:, :, kept]]
        for norm in ("expand_BN", "depthwise_BN"):
            pruned[f"{prefix}{norm}"] = [array[kept] for array in silent[f"{prefix}{norm}"]]
    return silent, pruned
