"""Build the report of a conversion from the results of its stages."""

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from boards import profile
from converters.backbone.weights import Backbone
from converters.dataset.audit import Audit, Dataset
from converters.dataset.split import SPLITS, Split
from converters.report import analysis, evidence, sections, variant
from converters.report.codec import from_plain, to_plain
from converters.report.model import ACCURACY, SCHEMA, Report
from converters.selection.plan import CompressionPlan
from converters.selection.select import Selection
from converters.stages import ConversionResult
from converters.task import TrainingResult, TrainingTask
from converters.verification.calibration import Reliability, ScoreThreshold
from converters.verification.evaluate import (
    EvaluatedVariant,
    LatencyEstimate,
    MeasuredLatency,
    ScoreCalibration,
)
from converters.verification.quality import Quality, QualityMetric
from converters.verification.verdict import Verdict
from edge.version import __version__

_PACKAGES = ("tensorflow", "tf-keras", "numpy", "opencv-python", "scikit-learn")


def build_report(
    training: TrainingResult,
    result: ConversionResult,
    plan: CompressionPlan,
    *,
    settings: Mapping[str, Any],
    seconds: Mapping[str, float],
    command: str,
) -> Report:
    """Gather everything that was measured.

    Args:
        training: the trained model, its dataset and split.
        result: the variants, and which of them is sections.tflite.
        plan: for the board.
        settings: the options of the run, plain values; ``seed`` is among them.
        seconds: ``total`` and one entry per stage.
        command: as typed.
    """
    interpreters = (evaluated.metrics.latency.interpreter for evaluated in result.variants)
    report = Report(
        schema=SCHEMA,
        toolkit=sections.ToolkitReport("edge-toolkit", __version__),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        source=from_plain(sections.SourceReport, training.source) if training.source else None,
        task=training.task.name,
        metric=_metric(training.task.metric),
        dataset=_dataset(training),
        split=_split(training.split, training.dataset),
        preprocessing=from_plain(
            sections.PreprocessingReport, to_plain(training.dataset.preprocessing.to_dict())
        ),
        weights=from_plain(sections.WeightsReport, to_plain(training.weights)),
        seed=settings["seed"],
        training=_training(training),
        calibration=None if result.calibration is None else _calibration(result.calibration),
        variants={
            evaluated.name: _variant(evaluated, training.task) for evaluated in result.variants
        },
        choice=_choice(result.selection, training.task.metric),
        chosen=result.selection.chosen,
        compiled=None
        if result.compiled is None
        else from_plain(sections.CompiledReport, to_plain(result.compiled.to_dict())),
        board=_board(training, result, plan),
        verdict=_verdict(result.verdict),
        cross_validation=_cross_validation(training),
        weak_classes=tuple(
            evidence.WeakClassReport(weak.label, weak.taken_for, weak.count, weak.images)
            for weak in result.weak
        ),
        analysis=_analysis(training),
        seconds=seconds,
        environment=_environment(interpreters),
        settings=settings,
    )
    return Report.from_dict(report.to_dict())  # plain numbers, rounded as in report.json


def about_weights(backbone: Backbone) -> dict[str, Any]:
    """Return the section ``weights`` for the backbone that training started from."""
    return {
        "name": backbone.weights,
        "alpha": backbone.alpha,
        "size": backbone.size,
        "fingerprint": backbone.fingerprint,
        "learned": backbone.pretrained,
        "provenance": backbone.provenance,
        "notes": backbone.notes,
    }


def _metric(metric: QualityMetric) -> sections.MetricReport:
    return sections.MetricReport(metric.key, metric.name, metric.option)


def _dataset(training: TrainingResult) -> sections.DatasetReport:
    dataset = training.dataset
    return sections.DatasetReport(
        name=dataset.name,
        path=str(training.path),
        classes=dataset.classes,
        counts=dataset.audit.counts,
        images=len(dataset.images),
        audit=_audit(dataset.audit),
    )


def _audit(audit: Audit) -> sections.AuditReport:
    return sections.AuditReport(
        broken=tuple(sections.BrokenFile(name, reason) for name, reason in audit.broken),
        duplicates=audit.duplicates,
        across_split=audit.across_split,
        conflicts=audit.conflicts,
        near_conflicts=audit.near_conflicts,
        converted=audit.converted,
        ignored=audit.ignored,
        warnings=audit.warnings,
    )


def _split(split: Split, dataset: Dataset) -> sections.SplitReport:
    sizes = {subset: len(getattr(split, subset)) for subset in SPLITS}
    return from_plain(sections.SplitReport, {"sizes": sizes, **to_plain(split.to_dict(dataset))})


def _training(training: TrainingResult) -> sections.TrainingReport:
    trained = training.trained
    return sections.TrainingReport(
        method=trained.method,
        validation_quality=trained.validation_quality,
        **training.task.training_fields(trained),
        notes=trained.notes,
        details=trained.details,
        curves=tuple(
            sections.CurveReport(curve.title, curve.x_label, curve.y_label, curve.x, curve.series)
            for curve in trained.curves
        ),
    )


def _calibration(calibration: ScoreCalibration) -> sections.CalibrationReport:
    before, after = calibration.test
    return sections.CalibrationReport(
        temperature=calibration.temperature,
        validation=_change(*calibration.validation),
        test=_change(*calibration.test),
        reliability=sections.ReliabilityReport(_bins(before), _bins(after)),
    )


def _change(before: Reliability, after: Reliability) -> sections.CalibrationChange:
    return sections.CalibrationChange(before.log_loss, after.log_loss, before.ece, after.ece)


def _bins(reliability: Reliability) -> tuple[sections.ReliabilityBinReport, ...]:
    return tuple(
        sections.ReliabilityBinReport(b.low, b.high, b.count, b.confidence, b.accuracy)
        for b in reliability.bins
    )


def _variant(evaluated: EvaluatedVariant, task: TrainingTask) -> variant.VariantReport:
    file, metrics = evaluated.variant, evaluated.metrics
    timing = _timing(metrics.latency)
    return variant.VariantReport(
        name=file.name,
        file=f"variants/{file.name}.tflite",
        recipe=file.recipe,
        notes=file.notes,
        steps=file.details,
        gain=evaluated.gain,
        quality=_quality(metrics.quality),
        threshold=_threshold(evaluated.threshold),
        bytes=metrics.bytes,
        gzip_bytes=metrics.gzip_bytes,
        parameters=metrics.cost.parameters,
        multiply_adds=metrics.cost.multiply_adds,
        sparsity=metrics.cost.sparsity,
        latencies=tuple(map(_timing, metrics.latencies)),
        p50_ms=timing.p50_ms,
        p95_ms=timing.p95_ms,
        latency=variant.RunnerReport(timing.interpreter, timing.delegate, timing.threads),
        edgetpu=from_plain(variant.EdgeTpuReport, to_plain(metrics.edgetpu)),
        **task.variant_fields(evaluated),
    )


def _quality(quality: Quality) -> variant.QualityReport:
    low, high = quality.interval
    return variant.QualityReport(
        value=quality.value,
        interval=(low, high),
        validation=quality.validation,
        agreement=quality.agreement,
        figures=quality.figures,
        per_class=tuple(
            variant.ClassQualityReport(row.label, row.support, row.figures)
            for row in quality.per_class
        ),
    )


def _threshold(threshold: ScoreThreshold | None) -> variant.ThresholdReport | None:
    if threshold is None:
        return None
    return variant.ThresholdReport(
        precision=threshold.precision,
        score=threshold.score,
        reached=threshold.reached,
        lower=threshold.lower,
        coverage=threshold.coverage,
        images=threshold.images,
    )


def _timing(latency: MeasuredLatency) -> variant.TimingReport:
    return variant.TimingReport(
        p50_ms=round(latency.p50_ms, 4),
        p95_ms=round(latency.p95_ms, 4),
        interpreter=latency.interpreter,
        delegate=latency.delegate,
        threads=latency.threads,
        noisy=latency.noisy,
    )


def _choice(selection: Selection, metric: QualityMetric) -> sections.ChoiceReport:
    limits = selection.limits
    minimum = "min_accuracy" if metric.key == ACCURACY.key else "min_quality"
    return sections.ChoiceReport(
        target=cast(sections.Target, limits.target),
        limits=sections.LimitsReport(
            limits.max_latency_ms, limits.max_size_kb, **{minimum: limits.min_quality}
        ),
        chosen=selection.chosen,
        met=selection.met,
        reason=selection.reason,
        failures=tuple(
            sections.LimitFailureReport(
                failure.variant, failure.limit, failure.actual, failure.required
            )
            for failure in selection.failures
        ),
        pareto=selection.pareto,
    )


def _board(
    training: TrainingResult, result: ConversionResult, plan: CompressionPlan
) -> sections.BoardReport | None:
    board = plan.board
    if board is None:
        return None
    return sections.BoardReport(
        name=board.name,
        title=board.title,
        tested=board.tested,
        target=cast(sections.Target, plan.limits.target),
        size=training.dataset.preprocessing.width,
        threads=board.run.threads or None,
        estimates={evaluated.name: _estimate(evaluated.estimate) for evaluated in result.variants},
    )


def _estimate(estimate: LatencyEstimate | None) -> sections.EstimateReport | None:
    if estimate is None:
        return None
    published = [
        {
            **asdict(known),
            "multiply_adds": round(1e6 * profile.networks()[known.model].multiply_adds),
        }
        for known in estimate.published
    ]
    return from_plain(sections.EstimateReport, {**asdict(estimate), "published": published})


def _verdict(verdict: Verdict) -> evidence.VerdictReport:
    return evidence.VerdictReport(
        variant=verdict.variant,
        status=cast(evidence.Status, verdict.status),
        reason=verdict.reason,
        max_drop=verdict.max_drop,
        drop=verdict.drop,
        interval=verdict.interval,
        classes=verdict.classes,
        layers=tuple(evidence.LayerReport(name, round(snr, 2)) for name, snr in verdict.layers),
        judgments=tuple(
            from_plain(evidence.JudgmentReport, asdict(judgment)) for judgment in verdict.judgments
        ),
    )


def _cross_validation(training: TrainingResult) -> evidence.CrossValidationReport | None:
    validated = training.trained.cross_validation
    if validated is None:
        return None
    return from_plain(evidence.CrossValidationReport, asdict(validated))


def _analysis(training: TrainingResult) -> analysis.AnalysisReport | None:
    if training.analysis is None:
        return None
    return from_plain(analysis.AnalysisReport, asdict(training.analysis))


def _environment(interpreters: Iterable[str]) -> sections.EnvironmentReport:
    """Describe this computer and the packages with their versions.

    ``interpreters``: those that ran a file, as "name version"; they are among the packages.
    """
    packages = {name: _version(name) for name in _PACKAGES}
    for interpreter in interpreters:
        name, _, version = interpreter.partition(" ")
        packages[name] = version or packages.get(name) or _version(name)
    return sections.EnvironmentReport(
        python=platform.python_version(),
        platform=platform.platform(),
        cpu=_cpu(),
        cores=os.cpu_count(),
        packages=packages,
    )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    """Return the name of the processor, or the architecture if Linux does not know it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
