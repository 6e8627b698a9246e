"""An earlier result, read so that it can be compressed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converters import tf
from converters.dataset.audit import Dataset
from converters.report import saved
from converters.training.augment import Augmentation
from converters.training.result import Curve, TrainedModel
from edge.errors import DatasetError, ModelError, UsageError
from edge.preprocessing import Preprocessing

NETWORK_FILE = "model.keras"
_MEND = "convert the dataset again"


@dataclass(frozen=True, slots=True)
class PreviousRun:
    """A folder that ``edge convert`` or ``edge compress`` wrote.

    ``dataset``: where the data set lay, None where that is not recorded; ``split``, ``weights``:
    sections of its record; ``history``: how the network was trained, without the network;
    ``about``: the section ``source`` of a record that comes from this result; ``precision``: that
    its thresholds were made for; ``calibrated``: whether the network's scores are;
    ``augmentation``: how its training images may be changed.
    """

    folder: Path
    dataset: Path | None
    classes: tuple[str, ...]
    split: Mapping[str, Any]
    preprocessing: Preprocessing
    weights: Mapping[str, Any]
    history: TrainedModel
    seed: int
    about: Mapping[str, Any]
    precision: float | None
    calibrated: bool
    augmentation: Augmentation

    def trained(self) -> TrainedModel:
        """The network with what is known of its training.

        Raises:
            ModelError: the network cannot be read, or is not of the size that is recorded.
        """
        path = self.folder / NETWORK_FILE
        try:
            model = tf.keras().models.load_model(path, compile=False)
        except Exception as error:  # whatever a damaged archive makes Keras raise
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise ModelError(
                f"the trained model {path}",
                f"an unreadable file ({reason})",
                _MEND,
                code="trained-model-unreadable",
            ) from None
        wanted = (self.preprocessing.height, self.preprocessing.width, 3, len(self.classes))
        found = (*model.inputs[0].shape[1:], model.outputs[0].shape[-1])
        if found != wanted:
            raise ModelError(
                f"a model with input shape and class count {list(wanted)}",
                f"{list(found)} in {path}",
                _MEND,
                code="trained-model-mismatch",
            )
        return replace(self.history, model=model)


def read_previous_run(folder: Path) -> PreviousRun:
    """The result in ``folder``.

    Raises:
        UsageError: there is none, or its record is not whole.
    """
    record = saved.load(folder)
    try:
        earlier = _read(folder, record)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(
            "a complete report.json",
            f"a damaged one in {folder}",
            _MEND,
            code="result-invalid",
        ) from None
    if not (folder / NETWORK_FILE).is_file():
        raise UsageError(
            "a result with its trained model",
            f"no {NETWORK_FILE} in {folder}",
            _MEND,
            code="trained-model-missing",
        )
    return earlier


def check_classes(earlier: PreviousRun, dataset: Dataset) -> None:
    """Refuse images of other classes than those of ``earlier``.

    Raises:
        DatasetError: naming what differs.
    """
    if dataset.classes != earlier.classes:
        raise DatasetError(
            f"the classes {', '.join(earlier.classes)}",
            f"{', '.join(dataset.classes)} in {dataset.name}",
            "pass the dataset that the model was trained on",
            code="dataset-classes-mismatch",
        )


def _read(folder: Path, record: Mapping[str, Any]) -> PreviousRun:
    known, shape = record["training"], record["preprocessing"]
    path = record["dataset"].get("path")
    return PreviousRun(
        folder=folder,
        dataset=None if path is None else Path(path),
        classes=tuple(record["dataset"]["classes"]),
        split=record["split"],
        preprocessing=Preprocessing(
            int(shape["width"]), int(shape["height"]), tuple(shape["mean"]), tuple(shape["std"])
        ),
        weights=record["weights"],
        history=TrainedModel(
            model=None,
            method=known["method"],
            validation_accuracy=known["validation_accuracy"],
            notes=tuple(known["notes"]),
            curves=tuple(_curve(curve) for curve in known["curves"]),
            details=known["details"],
        ),
        seed=int(record["seed"]),
        about={
            "name": folder.resolve().name,
            **{key: record[key] for key in ("created", "command", "chosen")},
        },
        precision=record["settings"].get("precision"),
        calibrated="confidence" in record,
        augmentation=Augmentation(**record["settings"]["training"]["augmentation"]),
    )


def _curve(known: Mapping[str, Any]) -> Curve:
    series = {
        name: tuple(float("nan") if value is None else float(value) for value in values)
        for name, values in known["series"].items()
    }
    return Curve(known["title"], known["x_label"], known["y_label"], tuple(known["x"]), series)
