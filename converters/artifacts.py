"""The output folder: what may be replaced there, and the models, labels and metadata in it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edge.errors import OutputError
from edge.files import check_result_folder
from edge.known_models import trust_model
from edge.modelfile import metadata
from edge.modelfile.labels import format_labels
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata

if TYPE_CHECKING:  # "edge compare" needs a file name from here, and no OpenCV
    from converters.tflite import Variant
    from converters.verification.evaluate import EvaluatedVariant


def describe(variant: "Variant", information: ModelMetadata) -> "Variant":
    """Write metadata into the file of a variant, with the recipe that made it."""
    provenance = dict(information.provenance or {})
    if variant.recipe:
        provenance["recipe"] = variant.recipe
    content = write_metadata(variant.content, replace(information, provenance=provenance))
    return replace(variant, content=content)


def with_threshold(variant: "Variant", score: float) -> "Variant":
    """Write the minimum accepted score (0–1) into the metadata of a described variant."""
    information = metadata.read(variant.content) or ModelMetadata()
    content = write_metadata(variant.content, replace(information, threshold=score))
    return replace(variant, content=content)


def save(
    folder: Path,
    classes: Sequence[str],
    variants: "Sequence[EvaluatedVariant]",
    selected: "EvaluatedVariant",
    keras_model: Any = None,
    companions: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Write models and labels into ``folder``.

    Args:
        folder: exists.
        classes: one label per output.
        variants: all of them.
        selected: becomes model.tflite.
        keras_model: the trained model, for model.keras where no recipe changed it; None where
            TensorFlow had no part in it: then variants/float32.tflite has the network's weights.
        companions: further model files, by name.
    """
    network = keras_model if selected.variant.model is None else selected.variant.model
    if network is not None:
        # tf_keras forgets its own format once it has loaded a file in a thread other than the one
        # that imported it, and would write HDF5.
        network.save(folder / KERAS_FILE, save_format="keras_v3")
    (folder / "variants").mkdir()
    for variant in (evaluated.variant for evaluated in variants):
        (folder / "variants" / f"{variant.name}.tflite").write_bytes(variant.content)
    (folder / "model.tflite").write_bytes(selected.variant.content)
    for name, content in companions.items():
        (folder / name).write_bytes(content)
        trust_model(content)
    for evaluated in variants:  # the selected one is among them
        trust_model(evaluated.variant.content)
    (folder / "labels.txt").write_text(format_labels(classes), encoding="utf-8")


KERAS_FILE = "model.keras"
"""The trained network where TensorFlow had a part in it."""

FLOAT_FILE = "variants/float32.tflite"
"""The trained network's weights where it had none."""

REPORT_FILE = "report.json"
"""The file that identifies a folder as an earlier result."""


def check_output(out: Path, dataset: Path, force: bool) -> None:
    """Reject an output folder where data would be lost, before any work is done.

    Raises:
        OutputError: ``out`` exists and may not be replaced, contains ``dataset`` or is inside
            it.
    """
    check_result_folder(out, dataset)
    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / REPORT_FILE).is_file():
        raise OutputError(
            "a new or empty output folder",
            f"{out}, which contains other files",
            "choose another folder with -o",
            code="output-folder-not-empty",
        )
    if not force:
        raise OutputError(
            "a new or empty output folder",
            f"an earlier result in {out}",
            "add --force to replace it, or choose another folder with -o",
            code="output-exists",
        )
