"""The files of a result: what they say about themselves, and how they are written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from converters.dataset.audit import Dataset
from converters.dataset.split import SPLITS, Split
from converters.tflite import Variant
from edge.modelfile import metadata
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.version import __version__


def information(
    dataset: Dataset, split: Split, provenance: Mapping[str, Any], method: str, seed: int
) -> ModelMetadata:
    """Labels, normalization, description and provenance, the same for every variant."""
    return ModelMetadata(
        name=f"{dataset.name} classifier",
        description=(
            f"Classifies images into the {len(dataset.classes)} classes of {dataset.name}."
        ),
        labels=dataset.classes,
        mean=dataset.preprocessing.mean,
        std=dataset.preprocessing.std,
        provenance={
            "toolkit": f"edge-toolkit {__version__}",
            "weights": provenance,
            "method": method,
            "seed": seed,
            "preprocessing": dataset.preprocessing.to_dict(),
            "pictures": {side: len(getattr(split, side)) for side in SPLITS},
        },
    )


def describe(variant: Variant, about: ModelMetadata) -> Variant:
    """The variant with ``about`` inside its file, and the recipe that made it."""
    provenance = dict(about.provenance or {})
    if variant.recipe:
        provenance["recipe"] = variant.recipe
    content = write_metadata(variant.content, replace(about, provenance=provenance))
    return replace(variant, content=content)


def with_threshold(variant: Variant, score: float) -> Variant:
    """The described variant with a least score that is an answer (0–1) inside its file."""
    about = metadata.read(variant.content) or ModelMetadata()
    return replace(
        variant, content=write_metadata(variant.content, replace(about, threshold=score))
    )


def save(
    folder: Path, classes: Sequence[str], variants: Sequence[Variant], chosen: Variant, network: Any
) -> None:
    """Write the models and the labels into ``folder``; ``network`` is the one behind ``chosen``."""
    # tf_keras forgets its own format once it has loaded a file in a thread other than the one that
    # imported it, and would write HDF5.
    network.save(folder / "model.keras", save_format="keras_v3")
    (folder / "variants").mkdir()
    for variant in variants:
        (folder / "variants" / f"{variant.name}.tflite").write_bytes(variant.content)
    (folder / "model.tflite").write_bytes(chosen.content)
    names = "".join(f"{name}\n" for name in classes)
    (folder / "labels.txt").write_text(names, encoding="utf-8")
