"""Real data sets with their embeddings, for benchmarks of what is learned from these."""

from pathlib import Path

import cv2
import numpy as np

from converters.backbone import weights
from converters.dataset.audit import Dataset
from converters.dataset.class_audit import audit_classes
from converters.dataset.intake import list_images
from converters.progress import SilentProgress
from converters.tasks.classify.suspects import EmbeddedImages, embed_all
from edge.preprocessing import Preprocessing


def fashion_images(source: Path, target: Path, per_class: int) -> Path:
    """Write the first images of each class of the training set as PNG files."""
    parts = [np.load(source / f"train_10000_part{part}.npz") for part in (0, 1)]
    images, labels = (np.concatenate([part[key] for part in parts]) for key in "xy")
    for label in np.unique(labels):
        (target / str(label)).mkdir(parents=True)
        for index in np.flatnonzero(labels == label)[:per_class]:
            cv2.imwrite(str(target / str(label) / f"{index:05d}.png"), images[index])
    return target


def embedded(folder: Path, name: str, cache: Path, work: Path) -> tuple[Dataset, EmbeddedImages]:
    """Read and embed all images of a folder."""
    backbone = weights.load(name, None, None, 0, SilentProgress())
    size = Preprocessing(backbone.size, backbone.size)
    dataset = audit_classes(list_images(folder, work), size, work, SilentProgress())
    every = np.arange(len(dataset.images))
    return dataset, embed_all(backbone, dataset, every, cache, SilentProgress())
