"""The record of a conversion, ``report.json``: everything that was measured, as plain JSON.

Its shape is versioned by ``schema`` and fixed in ``report.schema.json`` beside this file. A field
may be added within a version; one that changes its meaning or goes away makes a new version.

=================  ===============================================================================
``schema``         1
``toolkit``        ``name`` and ``version`` of what wrote it
``created``        when, UTC, ISO 8601
``command``        the command as it was typed
``dataset``        ``name``, ``classes`` (in the order of the outputs), ``counts`` (usable pictures
                   per class), ``pictures`` (their sum), ``audit`` (``broken`` {name, reason},
                   ``duplicates``, ``across_split``, ``conflicts``, ``near_conflicts``: groups of
                   names; ``converted``: kind to names; ``ignored``; ``warnings``)
``split``          ``seed``, ``given``, ``fractions``, ``sizes`` per side, and for ``train``,
                   ``validation`` and ``test`` the sha256 of every picture's file
``preprocessing``  how a picture becomes the model's input
``weights``        ``name``, ``alpha``, ``size``, ``fingerprint``, ``learned``, ``provenance``,
                   ``notes`` of the backbone
``seed``           of every random choice
``training``       ``method`` (frozen, fine-tuned or scratch), ``validation_accuracy`` (0–1),
                   ``notes``, ``details``, ``curves`` (``title``, ``x_label``, ``y_label``, ``x``,
                   ``series``: name to values)
``variants``       for float32, float16 and int8: ``file`` (below the output folder), ``accuracy``
                   (0–1) with its 95 % ``accuracy_interval``, ``agreement`` (share of test pictures
                   with the top-1 of float32), ``bytes``, ``gzip_bytes``, ``p50_ms``, ``p95_ms`` of
                   one invoke, ``latency`` (what ran it: ``interpreter``, ``delegate``,
                   ``threads``), ``per_class`` (``label``, ``precision``, ``recall``, ``f1``: 0–1,
                   ``support``: test pictures), ``confusion`` (rows: true class)
``chosen``         the variant in model.tflite
``verdict``        ``status`` (pass, warn or fail), ``reason``, ``max_drop`` and ``drop`` of int8
                   against float32 in points, its 95 % ``interval``, ``classes`` that lose most,
                   ``layers`` (``layer``, ``snr_db``) that are furthest from float32
``seconds``        ``total`` and per stage
``environment``    ``python``, ``platform``, ``cpu``, ``cores``, ``packages`` with versions
``settings``       the options of the run
=================  ===============================================================================

Numbers keep 8 significant digits. A value that is not finite becomes null.
"""

import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from converters.backbone.weights import Backbone
from converters.compress.quantise import Variant
from converters.dataset.audit import Audit, Dataset
from converters.dataset.split import SIDES, Split
from converters.training.trained import Trained
from converters.verify import Measured, Verdict, Verified
from edge import __version__

SCHEMA = 1
CHOSEN = "int8"
_PACKAGES = ("tensorflow", "tf-keras", "numpy", "opencv-python", "scikit-learn")


def build(
    *,
    dataset: Dataset,
    split: Split,
    backbone: Backbone,
    trained: Trained,
    variants: Sequence[Variant],
    verified: Verified,
    settings: Mapping[str, Any],
    seconds: Mapping[str, float],
    command: str,
) -> dict[str, Any]:
    """Gather what was measured into plain JSON values (see the table in this module).

    Args:
        dataset: with its audit.
        split: of ``dataset``.
        backbone: what training started from.
        trained: how it went.
        variants: the files, in the order they are listed.
        verified: the same files, measured.
        settings: the options of the run, plain values; ``seed`` is among them.
        seconds: ``total`` and one entry per stage.
        command: as typed.

    Raises:
        KeyError: a variant was not measured.
    """
    measured = {m.name: m for m in verified.variants}
    record = {
        "schema": SCHEMA,
        "toolkit": {"name": "edge-toolkit", "version": __version__},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "dataset": {
            "name": dataset.name,
            "classes": dataset.classes,
            "counts": dataset.audit.counts,
            "pictures": len(dataset.pictures),
            "audit": _audit(dataset.audit),
        },
        "split": {
            "sizes": {side: len(getattr(split, side)) for side in SIDES},
            **split.to_dict(dataset),
        },
        "preprocessing": dataset.preprocessing.to_dict(),
        "weights": {
            "name": backbone.weights,
            "alpha": backbone.alpha,
            "size": backbone.size,
            "fingerprint": backbone.fingerprint,
            "learned": backbone.learned,
            "provenance": backbone.provenance,
            "notes": backbone.notes,
        },
        "seed": settings["seed"],
        "training": {
            "method": trained.method,
            "validation_accuracy": trained.validation_accuracy,
            "notes": trained.notes,
            "details": trained.details,
            "curves": [asdict(curve) for curve in trained.curves],
        },
        "variants": {variant.name: _variant(measured[variant.name]) for variant in variants},
        "chosen": CHOSEN,
        "verdict": _verdict(verified.verdict),
        "seconds": seconds,
        "environment": _environment(verified),
        "settings": settings,
    }
    plain: dict[str, Any] = to_plain(record)
    return plain


def to_plain(value: Any) -> Any:
    """Plain JSON values: NumPy scalars and arrays, tuples and non-finite numbers are turned.

    Raises:
        TypeError: a value that JSON has no place for.

    >>> to_plain({"a": (np.float32(0.5), float("nan"))})
    {'a': [0.5, None]}
    """
    if isinstance(value, np.ndarray | np.generic):
        return to_plain(value.tolist())
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(f"{value:.8g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(entry) for entry in value]
    raise TypeError(f"no JSON for {type(value).__name__}")


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


def _variant(measured: Measured) -> dict[str, Any]:
    latency = measured.latency
    return {
        "file": f"variants/{measured.name}.tflite",
        "accuracy": measured.accuracy,
        "accuracy_interval": measured.interval,
        "agreement": measured.agreement,
        "bytes": measured.bytes,
        "gzip_bytes": measured.gzip_bytes,
        "p50_ms": round(latency.p50_ms, 4),
        "p95_ms": round(latency.p95_ms, 4),
        "latency": {
            "interpreter": latency.interpreter,
            "delegate": latency.delegate,
            "threads": latency.threads,
        },
        "per_class": [asdict(figures) for figures in measured.per_class],
        "confusion": measured.confusion,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    layers = [{"layer": name, "snr_db": round(snr, 2)} for name, snr in verdict.layers]
    return {**asdict(verdict), "layers": layers}


def _environment(verified: Verified) -> dict[str, Any]:
    packages = {name: _version(name) for name in _PACKAGES}
    for variant in verified.variants:
        name, _, version = variant.latency.interpreter.partition(" ")
        packages[name] = version or packages.get(name) or _version(name)
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "packages": packages,
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    """The processor by name; where Linux does not tell it, the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
