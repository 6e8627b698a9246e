"""Earlier result, read to be compressed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converters import tasks
from converters.artifacts import FLOAT_FILE, KERAS_FILE
from converters.dataset.audit import Dataset
from converters.report.codec import to_plain
from converters.report.evidence import CrossValidationReport
from converters.report.model import Report
from converters.report.sections import CurveReport
from converters.task import TrainingTask
from converters.training.augment import Augmentation
from converters.training.config import Curve, TrainedModel
from converters.training.cross_validation import CrossValidationSummary
from edge.errors import DatasetError, UsageError
from edge.preprocessing import Preprocessing

_FIX = "convert the dataset again"


@dataclass(frozen=True, slots=True)
class PreviousRun:
    """A folder that ``edge convert`` or ``edge compress`` wrote.

    ``task`` that its model was trained for; ``dataset``: path of the dataset at the time, None if
    it is not recorded; ``split``, ``weights``: sections of its report; ``history``: the training,
    without the model; ``source``: the section ``source`` of a report that is made from this result;
    ``precision`` that its thresholds were fitted for; ``calibrated``: whether the model's scores
    are calibrated; ``augmentation``: how its training images may be changed.
    """

    folder: Path
    task: TrainingTask
    dataset: Path | None
    classes: tuple[str, ...]
    split: Mapping[str, Any]
    preprocessing: Preprocessing
    weights: Mapping[str, Any]
    history: TrainedModel
    seed: int
    source: Mapping[str, Any]
    precision: float | None
    calibrated: bool
    augmentation: Augmentation

    def trained(self) -> TrainedModel:
        """Load the model, with the history of its training.

        Raises:
            ModelError: the model cannot be read, may hold code, or does not have the recorded
                size.
        """
        network = self.task.read_network(self.folder, self.preprocessing.width, len(self.classes))
        return replace(self.history, network=network)


def read_previous_run(folder: Path) -> PreviousRun:
    """Read the result in ``folder``.

    Raises:
        UsageError: there is none, or its report is damaged.
    """
    report = Report.load(folder)
    try:
        earlier = _from_report(folder, report)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(
            "a complete report.json",
            f"a damaged one in {folder}",
            _FIX,
            code="result-invalid",
        ) from None
    if not any((folder / name).is_file() for name in (KERAS_FILE, FLOAT_FILE)):
        raise UsageError(
            "a result with its trained model",
            f"neither {KERAS_FILE} nor {FLOAT_FILE} in {folder}",
            _FIX,
            code="trained-model-missing",
        )
    return earlier


def check_classes(earlier: PreviousRun, dataset: Dataset) -> None:
    """Reject a dataset with other classes than those of ``earlier``.

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


def _from_report(folder: Path, report: Report) -> PreviousRun:
    training, shape = report.training, report.preprocessing
    validated = _cross_validation(report.cross_validation)
    settings = report.settings
    return PreviousRun(
        folder=folder,
        task=tasks.load_task(report.task),
        dataset=None if report.dataset.path is None else Path(report.dataset.path),
        classes=report.dataset.classes,
        split=to_plain(report.split),
        preprocessing=Preprocessing(shape.width, shape.height, shape.mean, shape.std),
        weights=to_plain(report.weights),
        history=TrainedModel(
            network=None,
            method=training.method,
            validation_quality=training.validation_quality,
            notes=training.notes,
            curves=tuple(map(_curve, training.curves)),
            details=dict(training.details),
            validating=lambda: validated,
        ),
        seed=report.seed,
        source={
            "name": folder.resolve().name,
            "created": report.created,
            "command": report.command,
            "chosen": report.chosen,
        },
        precision=settings.get("precision"),
        calibrated=report.calibration is not None,
        augmentation=Augmentation(**settings["training"]["augmentation"]),
    )


def _cross_validation(section: CrossValidationReport | None) -> CrossValidationSummary | None:
    if section is None:
        return None
    return CrossValidationSummary(
        accuracy=section.accuracy,
        interval=section.interval,
        images=section.images,
        folds=section.folds,
        repetitions=section.repetitions,
        confusion=section.confusion,
    )


def _curve(curve: CurveReport) -> Curve:
    series = {
        name: tuple(float("nan") if value is None else value for value in values)
        for name, values in curve.series.items()
    }
    return Curve(curve.title, curve.x_label, curve.y_label, curve.x, series)
