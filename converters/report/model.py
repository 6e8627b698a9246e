"""The record of a conversion, ``report.json``: everything that was measured, as plain JSON.

Its shape is versioned by ``schema`` and fixed in ``report.schema.json`` beside this file. A field
may be added within a version; one that changes its meaning or goes away makes a new version.

=================  ===============================================================================
``schema``         2
``toolkit``        ``name`` and ``version`` of what wrote it
``created``        when, UTC, ISO 8601
``command``        the command as it was typed
``source``         null, or what was compressed: ``name`` of its folder, and its ``created``,
                   ``command`` and ``chosen``
``dataset``        ``name``, ``path`` (where it lay), ``classes`` (in the order of the outputs),
                   ``counts`` (usable images per class), ``images`` (their sum), ``audit``
                   (``broken`` {name, reason}, ``duplicates``, ``across_split``, ``conflicts``,
                   ``near_conflicts``: groups of names; ``converted``: kind to names; ``ignored``;
                   ``warnings``)
``split``          ``seed``, ``given``, ``fractions``, ``sizes`` per side, and for ``train``,
                   ``validation`` and ``test`` the sha256 of every image's file
``preprocessing``  how an image becomes the model's input
``weights``        ``name``, ``alpha``, ``size``, ``fingerprint``, ``learned``, ``provenance``,
                   ``notes`` of the backbone
``seed``           of every random choice
``training``       ``method`` (frozen, fine-tuned or scratch), ``validation_accuracy`` (0–1),
                   ``notes``, ``details``, ``curves`` (``title``, ``x_label``, ``y_label``, ``x``,
                   ``series``: name to values)
``confidence``     ``temperature`` that the scores were divided by; for ``validation`` and ``test``
                   ``log_loss`` (nats) and ``ece`` of float32, each ``_before`` and ``_after``;
                   ``reliability`` on the test side, ``before`` and ``after``: bins of ``low`` and
                   ``high`` score, ``count``, mean ``confidence`` and ``accuracy``
``variants``       for float32, float16, int8 and every recipe: see below
``choice``         ``target``, ``limits`` (``max_latency_ms``, ``max_size_kb``, ``min_accuracy``,
                   null where there is none), ``chosen``, ``met`` (whether it keeps to them),
                   ``reason``, ``failures`` (``variant``, ``limit``, ``found``, ``wanted``, in the
                   unit of the limit; for the limit ``edgetpu`` operations on the CPU), ``pareto``
                   (variants that no other beats in accuracy and time)
``chosen``         the variant in model.tflite
``compiled``       null, or what came of compiling it for the Edge TPU: ``file`` (null where there
                   is none), ``notes``, ``compiler`` (whether there is one here), its ``version``,
                   ``mapped`` (operations on the Edge TPU), ``cpu`` (the others: name to count)
``board``          null, or the board it was made for: ``name``, ``title``, ``tried``, ``target``,
                   ``size``, ``threads`` (null: one per core, at most 4), ``estimates``: per
                   variant null, or ``ms`` (``low_ms`` to ``high_ms``) that it would take on what
                   it ``runs_on``, by latencies ``published`` by others, not measured
``verdict``        ``variant`` (the chosen one), ``status`` (pass, warn or fail), ``reason``,
                   ``max_drop`` and ``drop`` of it against float32 in points, its 95 %
                   ``interval``, ``classes`` that lose most, ``layers`` (``layer``, ``snr_db``)
                   that are furthest from float32
``seconds``        ``total`` and per stage
``environment``    ``python``, ``platform``, ``cpu``, ``cores``, ``packages`` with versions
``settings``       the options of the run
=================  ===============================================================================

Of a variant:

=================  ===============================================================================
``file``           below the output folder
``recipe``         that made it; empty for those that are always made
``notes``          sentences on what was done
``steps``          the same in plain values, one object per step of the recipe
``gain``           null, or a sentence that says what was not gained, and why
``accuracy``       0–1, on the test side, with its 95 % ``accuracy_interval``;
                   ``validation_accuracy`` on the validation side
``agreement``      share of test images with the top-1 of float32
``log_loss``       of the test side in nats; ``ece``: its expected calibration error
``threshold``      null, or for a wanted precision on the validation side: ``wanted``, the least
                   ``score`` that is an answer, the precision ``reached`` with it
                   (``lower``: its 95 % bound), ``coverage`` (share of images answered) and
                   ``images`` of that side
``bytes``          of the file; ``gzip_bytes``: compressed
``parameters``     weights and biases; ``sparsity``: share of zeros among the weights of
                   convolutions and dense layers; ``multiply_adds`` of one invoke
``latencies``      by rising number of threads: ``threads``, ``p50_ms``, ``p95_ms``,
                   ``interpreter``, ``delegate``
``p50_ms``         and ``p95_ms`` with the threads that the interpreter takes by itself;
                   ``latency`` says what ran them: ``interpreter``, ``delegate``, ``threads``
``edgetpu``        foreseen from the file: ``status`` (full, partly, none), ``mapped``, ``cpu``,
                   ``first_refused``, ``parameters``, as printed by ``edge check --json``
``per_class``      ``label``, ``precision``, ``recall``, ``f1`` (0–1), ``support``: test images
``confusion``      rows: true class
=================  ===============================================================================

Numbers keep 8 significant digits. A value that is not finite becomes null.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from boards import profile
from converters.backbone.weights import Backbone
from converters.dataset.audit import Audit
from converters.dataset.split import SPLITS
from converters.report import environment
from converters.report.plain import to_plain
from converters.selection.plan import CompressionPlan
from converters.selection.select import Selection
from converters.stages import ConversionResult, TrainingResult
from converters.verification.metrics import (
    EvaluatedVariant,
    LatencyEstimate,
    MeasuredLatency,
    ScoreCalibration,
)
from converters.verification.verdict import Verdict
from edge.version import __version__

SCHEMA = 2


def build(
    training: TrainingResult,
    result: ConversionResult,
    plan: CompressionPlan,
    *,
    settings: Mapping[str, Any],
    seconds: Mapping[str, float],
    command: str,
) -> dict[str, Any]:
    """Gather everything that was measured as plain JSON values (see the tables in this module).

    Args:
        training: the trained model, its dataset and split.
        result: the variants, and which of them is model.tflite.
        plan: for the board.
        settings: the options of the run, plain values; ``seed`` is among them.
        seconds: ``total`` and one entry per stage.
        command: as typed.
    """
    dataset, split, trained = training.dataset, training.split, training.trained
    interpreters = (evaluated.metrics.latency.interpreter for evaluated in result.variants)
    record = {
        "schema": SCHEMA,
        "toolkit": {"name": "edge-toolkit", "version": __version__},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "source": training.source,
        "dataset": {
            "name": dataset.name,
            "path": str(training.path),
            "classes": dataset.classes,
            "counts": dataset.audit.counts,
            "pictures": len(dataset.images),
            "audit": _audit(dataset.audit),
        },
        "split": {
            "sizes": {side: len(getattr(split, side)) for side in SPLITS},
            **split.to_dict(dataset),
        },
        "preprocessing": dataset.preprocessing.to_dict(),
        "weights": training.weights,
        "seed": settings["seed"],
        "training": {
            "method": trained.method,
            "validation_accuracy": trained.validation_accuracy,
            "notes": trained.notes,
            "details": trained.details,
            "curves": [asdict(curve) for curve in trained.curves],
        },
        "confidence": _confidence(result.calibration),
        "variants": {evaluated.name: _variant(evaluated) for evaluated in result.variants},
        "choice": _choice(result.selection),
        "chosen": result.selection.chosen,
        "compiled": None if result.compiled is None else result.compiled.to_dict(),
        "board": _board(training, result, plan),
        "verdict": _verdict(result.verdict),
        "seconds": seconds,
        "environment": environment.describe(interpreters),
        "settings": settings,
    }
    plain: dict[str, Any] = to_plain(record)
    return plain


def about_weights(backbone: Backbone) -> dict[str, Any]:
    """The section ``weights`` for the backbone that training started from."""
    return {
        "name": backbone.weights,
        "alpha": backbone.alpha,
        "size": backbone.size,
        "fingerprint": backbone.fingerprint,
        "learned": backbone.learned,
        "provenance": backbone.provenance,
        "notes": backbone.notes,
    }


def _audit(audit: Audit) -> dict[str, Any]:
    return {
        "broken": [{"name": name, "reason": reason} for name, reason in audit.broken],
        "duplicates": audit.duplicates,
        "across_split": audit.across_split,
        "conflicts": audit.conflicts,
        "near_conflicts": audit.near_conflicts,
        "converted": audit.converted,
        "ignored": audit.ignored,
        "warnings": audit.warnings,
    }


def _confidence(confidence: ScoreCalibration) -> dict[str, Any]:
    sides = {"validation": confidence.validation, "test": confidence.test}
    before, after = confidence.test
    return {
        "temperature": confidence.temperature,
        **{
            side: {
                "log_loss_before": first.log_loss,
                "log_loss_after": then.log_loss,
                "ece_before": first.ece,
                "ece_after": then.ece,
            }
            for side, (first, then) in sides.items()
        },
        "reliability": {
            "before": [asdict(bin_) for bin_ in before.bins],
            "after": [asdict(bin_) for bin_ in after.bins],
        },
    }


def _board(
    training: TrainingResult, result: ConversionResult, plan: CompressionPlan
) -> dict[str, Any] | None:
    board = plan.board
    if board is None:
        return None
    return {
        "name": board.name,
        "title": board.title,
        "tried": board.tested,
        "target": plan.limits.target,
        "size": training.dataset.preprocessing.width,
        "threads": board.run.threads or None,
        "estimates": {
            evaluated.name: None if evaluated.estimate is None else _estimate(evaluated.estimate)
            for evaluated in result.variants
        },
    }


def _estimate(estimate: LatencyEstimate) -> dict[str, Any]:
    networks = profile.networks()
    published = [
        {**asdict(known), "multiply_adds": round(1e6 * networks[known.model].multiply_adds)}
        for known in estimate.published
    ]
    return {**asdict(estimate), "published": published}


def _variant(evaluated: EvaluatedVariant) -> dict[str, Any]:
    variant, measured = evaluated.variant, evaluated.metrics
    latency, threshold = measured.latency, evaluated.threshold
    return {
        "file": f"variants/{variant.name}.tflite",
        "recipe": variant.recipe,
        "notes": variant.notes,
        "steps": variant.details,
        "gain": evaluated.gain,
        "accuracy": measured.accuracy,
        "accuracy_interval": measured.interval,
        "validation_accuracy": measured.validation_accuracy,
        "agreement": measured.agreement,
        "log_loss": measured.log_loss,
        "ece": measured.ece,
        "threshold": None if threshold is None else asdict(threshold),
        "bytes": measured.bytes,
        "gzip_bytes": measured.gzip_bytes,
        **asdict(measured.cost),
        "latencies": [_timing(timed) for timed in measured.latencies],
        "p50_ms": round(latency.p50_ms, 4),
        "p95_ms": round(latency.p95_ms, 4),
        "latency": {
            "interpreter": latency.interpreter,
            "delegate": latency.delegate,
            "threads": latency.threads,
        },
        "edgetpu": measured.edgetpu,
        "per_class": [asdict(figures) for figures in measured.per_class],
        "confusion": measured.confusion,
    }


def _timing(latency: MeasuredLatency) -> dict[str, Any]:
    times = {"p50_ms": round(latency.p50_ms, 4), "p95_ms": round(latency.p95_ms, 4)}
    return {**asdict(latency), **times}


def _choice(choice: Selection) -> dict[str, Any]:
    limits = choice.limits
    return {
        "target": limits.target,
        "limits": {
            "max_latency_ms": limits.max_latency_ms,
            "max_size_kb": limits.max_size_kb,
            "min_accuracy": limits.min_accuracy,
        },
        "chosen": choice.chosen,
        "met": choice.met,
        "reason": choice.reason,
        "failures": [
            {
                "variant": failure.variant,
                "limit": failure.limit,
                "found": failure.actual,
                "wanted": failure.required,
            }
            for failure in choice.failures
        ],
        "pareto": choice.pareto,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    layers = [{"layer": name, "snr_db": round(snr, 2)} for name, snr in verdict.layers]
    return {**asdict(verdict), "layers": layers}
