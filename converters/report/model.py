"""The report of a conversion, report.json: everything that was measured, as frozen dataclasses.

The JSON schema in report.schema.json is generated from these classes (see
:mod:`converters.report.schema`). A field may be added within a version of the schema; one that
changes its meaning or goes away makes a new version. Numbers keep 8 significant digits, and a
value that is not finite becomes null.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Annotated, Any, Self

from converters.artifacts import REPORT_FILE
from converters.report.analysis import AnalysisReport
from converters.report.codec import Added, Key, Pattern, Since, from_plain, to_plain
from converters.report.evidence import CrossValidationReport, VerdictReport, WeakClassReport
from converters.report.sections import (
    BoardReport,
    CalibrationReport,
    ChoiceReport,
    CompiledReport,
    DatasetReport,
    EnvironmentReport,
    MetricReport,
    NextStepReport,
    PreprocessingReport,
    SourceReport,
    SplitReport,
    ToolkitReport,
    TrainingReport,
    WeightsReport,
)
from converters.report.tables import html_table
from converters.report.variant import BASELINE, Number, VariantReport
from edge.errors import UsageError

ACCURACY = MetricReport("accuracy", "accuracy", "--min-accuracy")
"""The metric of reports from the time when there was no other."""

SCHEMA = 3
READABLE = (1, 2, 3)
"""Versions of the schema that can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was measured in a conversion.

    ``schema``: version of the report; ``toolkit``; ``created``: UTC, ISO 8601; ``command``;
    ``source``: null, or the result that was compressed; ``task`` of the model; ``metric`` that it
    is judged by; ``dataset``; ``split``; ``preprocessing``; ``weights``; ``seed`` of every random
    choice; ``training``; ``calibration`` of the scores ("confidence" in the JSON), null for tasks
    without; ``variants`` by name; ``choice``; ``chosen``: the variant in model.tflite;
    ``compiled``: null, or the compilation for the Edge TPU; ``board``: null, or the board that the
    model is for; ``verdict`` on the chosen variant; ``cross_validation``: null, or that of the
    head, where the test split is small; ``weak_classes``: those that need more photos;
    ``analysis``: null, or that of data set and training; ``seconds``: total and per stage;
    ``environment``; ``settings``: options of the run; ``next_steps``: what to do with the result.
    """

    schema: int
    toolkit: ToolkitReport
    created: Annotated[str, Pattern(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")]
    command: str
    source: Annotated[SourceReport | None, Since(2, nullable=True)] = None
    task: Annotated[str, Added()] = "classify"
    metric: Annotated[MetricReport, Added()] = ACCURACY
    dataset: DatasetReport
    split: SplitReport
    preprocessing: PreprocessingReport
    weights: WeightsReport
    seed: int
    training: TrainingReport
    calibration: Annotated[CalibrationReport | None, Key("confidence"), Since(2, nullable=True)] = (
        None
    )
    variants: Mapping[str, VariantReport]
    choice: ChoiceReport
    chosen: str
    compiled: Annotated[CompiledReport | None, Since(2, nullable=True)] = None
    board: BoardReport | None = None
    verdict: VerdictReport
    cross_validation: Annotated[CrossValidationReport | None, Since(3, nullable=True)] = None
    weak_classes: Annotated[tuple[WeakClassReport, ...], Since(3)] = ()
    analysis: Annotated[AnalysisReport | None, Added()] = None
    seconds: Mapping[str, Number]
    environment: EnvironmentReport
    settings: Mapping[str, Any]
    next_steps: tuple[NextStepReport, ...] = ()

    @property
    def chosen_variant(self) -> VariantReport:
        """The variant in model.tflite."""
        return self.variants[self.chosen]

    @property
    def success(self) -> bool:
        """True if nothing was shown to be missed; see also :attr:`proven`.

        Neither accuracy nor a limit, and no compiler contradicts the prediction.
        """
        compiled = self.compiled
        contradicted = (
            compiled is not None
            and compiled.compiler
            and (compiled.file is None or bool(compiled.cpu))
        )
        return self.verdict.status != "fail" and self.choice.met and not contradicted

    @property
    def proven(self) -> bool:
        """True if it is a success, and the test images prove what is required of the accuracy."""
        return self.success and self.verdict.status == "pass"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as in report.json."""
        plain: dict[str, Any] = to_plain(self)
        return plain

    def to_json(self) -> str:
        """Return the content of report.json."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the report of the result in a folder, or a report.json itself.

        Raises:
            UsageError: there is none, it is damaged, or of a newer version.
        """
        path = Path(path)
        if not path.exists():
            raise UsageError(
                "an earlier result", f"nothing at {path}", _FIX, code="result-not-found"
            )
        file = path / REPORT_FILE if path.is_dir() else path
        if not file.is_file():
            raise UsageError(
                "an earlier result", f"no {REPORT_FILE} in {path}", _FIX, code="result-not-found"
            )
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            text = ""  # no JSON
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(
                f"a readable {REPORT_FILE}", f"{file} ({reason})", _FIX, code="result-unreadable"
            ) from error
        return cls.from_json(text, str(file))

    @classmethod
    def from_json(cls, text: str, origin: str = "the text") -> Self:
        """Read the content of a report.json, also one of an earlier version.

        Args:
            text: the JSON.
            origin: path of the file, for errors.

        Raises:
            UsageError: it is no report, it is damaged, or of a newer version.
        """
        try:
            record = json.loads(text)
        except ValueError:
            raise _invalid(f"invalid JSON in {origin}") from None
        return cls.from_dict(record, origin)

    @classmethod
    def from_dict(cls, record: Any, origin: str = "the text") -> Self:
        """Read plain JSON values; see :meth:`from_json`."""
        if not isinstance(record, dict) or "schema" not in record or "variants" not in record:
            raise _invalid(f"other JSON in {origin}")
        if record["schema"] not in READABLE:
            raise UsageError(
                f"a report with schema {' or '.join(map(str, READABLE))}",
                f"schema {record['schema']} in {origin}",
                "update the toolkit",
                code="result-version-unsupported",
            )
        if record["schema"] < SCHEMA:
            record = _from_earlier(record)
        try:
            report = from_plain(cls, _with_quality(record))
        except ValueError as error:
            raise _invalid(f"a damaged one in {origin} ({error})") from error
        missing = [name for name in (BASELINE, report.chosen) if name not in report.variants]
        if missing:
            raise _invalid(f"a damaged one in {origin} (no variant {missing[0]})")
        return report

    def _repr_html_(self) -> str:
        """Show the report in a notebook: the verdict and a table of the variants."""
        rows = tuple(self.variants.values())
        title = f"{escape(self.dataset.name)}: {self.verdict.status}"
        table = html_table(rows, self.variants[BASELINE], self.chosen, self.metric.name)
        return f"<p><b>{title}</b>. {escape(self.verdict.reason)}.</p>{table}"


def _from_earlier(record: dict[str, Any]) -> dict[str, Any]:
    """Add what earlier schemas lacked; their verdict is judged as it is now.

    Schema 1 had no limits. Schemas 1 and 2 passed a loss that was within the limit by chance, and
    called one beyond it by chance "warn".
    """
    record = dict(record)
    if record["schema"] == 1:
        record.setdefault("choice", _first_choice(record.get("chosen")))
    try:
        verdict = dict(record["verdict"])
        proven = verdict["interval"][1] <= verdict["max_drop"]
        if verdict["status"] != "fail":
            verdict["status"] = "pass" if proven else "not-proven"
        judgment = {"requirement": "loss", "more_images": None}
        verdict["judgments"] = [
            judgment | {"status": verdict["status"], "reason": verdict["reason"]}
        ]
    except (KeyError, TypeError, ValueError, IndexError):
        return record  # damaged, which is told when it is read
    return {**record, "verdict": verdict}


def _with_quality(record: dict[str, Any]) -> dict[str, Any]:
    """Add the general figures that reports of classifiers lacked."""
    training, variants = record.get("training"), record["variants"]
    if not isinstance(training, dict) or not isinstance(variants, dict):
        return record  # damaged, which is told when it is read
    training = {"validation_quality": training.get("validation_accuracy"), **training}
    variants = {
        name: {"quality": _accuracy(row), **row} if isinstance(row, dict) else row
        for name, row in variants.items()
    }
    return {**record, "training": training, "variants": variants}


def _accuracy(row: dict[str, Any]) -> dict[str, Any]:
    """Return the quality of a classifier from the fields of its variant."""
    names = ("precision", "recall", "f1")
    per_class = row.get("per_class", ())
    return {
        "value": row.get("accuracy"),
        "interval": row.get("accuracy_interval"),
        "validation": row.get("validation_accuracy"),
        "agreement": row.get("agreement"),
        "figures": {name: row[name] for name in ("log_loss", "ece") if name in row},
        "per_class": [
            {
                "label": entry.get("label"),
                "support": entry.get("support"),
                "figures": {name: entry.get(name) for name in names},
            }
            for entry in (per_class if isinstance(per_class, list) else ())
            if isinstance(entry, dict)
        ],
    }


def _first_choice(chosen: Any) -> dict[str, Any]:
    """Return the selection of a report of schema 1, which had no limits."""
    return {
        "target": "cpu", "limits": {}, "chosen": chosen, "met": True, "reason": "", "failures": [],
        "pareto": [],
    }  # fmt: skip


def _invalid(problem: str) -> UsageError:
    return UsageError(
        "the report of a result", problem, "convert the dataset again", code="result-invalid"
    )


_FIX = "give the folder that 'edge convert' or 'edge compress' wrote"
