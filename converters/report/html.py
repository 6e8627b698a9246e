"""The page for people, ``report.html``: one file that needs nothing else, not even a script."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.dataset.audit import Dataset
from converters.dataset.split import SPLITS, Split
from converters.report import formatting, pareto_plot, plots, tables, text
from converters.report.columns import columns
from converters.report.gallery import Gallery
from converters.report.rows import BASELINE, VariantRow, rows

_HERE = Path(__file__).parent
_BROAD, _SLIM = (9.0, 4.4), (4.8, 4.8)
"""Sizes of the plot in inches, at 72 pixels an inch, for a screen and for a phone."""

_LISTED = 12
"""Names of files listed before "and N more"."""


def render(
    record: Mapping[str, Any],
    *,
    dataset: Dataset,
    split: Split,
    scores: NDArray[np.float32],
) -> str:
    """The page as text, UTF-8 when written.

    Images, drawings and styles are inside it, and all text that comes from the user is escaped.
    Its size is bounded whatever the number of images: at most 150 samples, 18 mistakes and a few
    duplicates, 8 kB each at most.

    Args:
        record: from :func:`converters.report.model.build`; all figures come from it.
        dataset: the pixels that are shown.
        split: of ``dataset``.
        scores: of the selected variant on the test split, [n, classes]; they rank the mistakes.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("percent", "interval", "size", "milliseconds", "number", "runner", "sentence"):
        environment.filters[name] = getattr(formatting, name)
    for name in ("flat", "steps"):
        environment.filters[name] = getattr(tables, name)
    page = environment.get_template("template.html.jinja")
    return page.render(
        style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),
        curves=_curves(record["training"]["curves"], "curve"),
        listed=_LISTED,
        r=record,
        **_figures(record),
        **_compared(record),
        **_on_board(record),
        **_shown(record, dataset, split, scores),
    )


def _figures(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the tables hold."""
    chosen = record["variants"][record["chosen"]]
    classes = record["dataset"]["classes"]
    stages = {name: s for name, s in record["seconds"].items() if name != "total"}
    return {
        "chosen": chosen,
        "reference": record["variants"]["float32"],
        "verdict_line": text.verdict_line(record),
        "doubt": text.baseline_warning(record),
        "majority": text.majority_share(record),
        "matrix": tables.matrix(chosen["confusion"]) if _drawn(classes) else None,
        "named_columns": len(classes) <= tables.NAMED_COLUMNS,
        "pairs": tables.worst_pairs(chosen["confusion"], classes),
        "per_class": tables.worst_first(chosen["per_class"]),
        "settings": tables.flat(record["settings"]),
        "provenance": tables.flat(record["weights"]["provenance"]),
        "details": tables.flat(record["training"]["details"]),
        "stages": stages,
        "slowest": max(stages.values(), default=0.0) or 1.0,
    }


def _compared(record: Mapping[str, Any]) -> dict[str, Any]:
    """The variants side by side, what their scores mean, and what the Edge TPU takes."""

    compared = rows(record)
    chosen, confidence = record["variants"][record["chosen"]], record["confidence"]
    return {
        "rows": compared,
        "columns": columns(compared),
        "baseline": next(row for row in compared if row.name == BASELINE),
        "trade_off": _trade_off(record, compared),
        "made": [
            (name, variant, _curves(tables.recoveries(name, variant), f"made{place}-"))
            for place, (name, variant) in enumerate(record["variants"].items())
            if variant["notes"] or variant["steps"]
        ],
        "scores": text.calibration_summary(confidence),
        "reliability": _reliability(confidence),
        "threshold": text.threshold_summary(chosen),
        "edgetpu": text.edgetpu_summary(record["chosen"], chosen["edgetpu"]),
        "refusals": tables.refusals(chosen["edgetpu"]),
        "memory": text.memory_summary(chosen["edgetpu"]),
    }


def _on_board(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the section on the board shows, where it was made for one."""
    if record["board"] is None:
        return {}
    return {
        "board": text.board_summary(record),
        "board_rows": text.board_rows(record),
        "board_published": text.published_latencies(record),
    }


def _reliability(confidence: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The diagrams with their headings; one where no temperature changed the scores."""
    from markupsafe import Markup

    shown = {"before": "Before calibration", "after": "After calibration, as in the files"}
    if confidence["temperature"] == 1:
        shown = {"after": "As in the files"}
    bins = confidence["reliability"]
    return [
        (
            heading,
            plots.describe_reliability(bins[stage]),
            Markup(plots.reliability_svg(bins[stage], stage)),
        )
        for stage, heading in shown.items()
    ]


def _trade_off(record: Mapping[str, Any], compared: tuple[VariantRow, ...]) -> dict[str, str]:
    """The plot for a screen and for a phone, and in words."""
    from markupsafe import Markup

    points = [
        pareto_plot.ParetoPoint(
            name=row.name,
            group="",
            p50_ms=row.timing.p50_ms,
            accuracy=row.accuracy,
            interval=row.interval,
            front=row.name in record["choice"]["pareto"],
            chosen=row.name == record["chosen"],
        )
        for row in compared
    ]
    return {
        "words": pareto_plot.describe(points),
        "broad": Markup(pareto_plot.svg(points, "broad", _BROAD)),
        "slim": Markup(pareto_plot.svg(points, "slim", _SLIM)),
    }


def _curves(curves: Iterable[Mapping[str, Any]], key: str) -> list[tuple[Any, str, str]]:
    """Each curve with its description and its drawing."""
    from markupsafe import Markup

    return [
        (curve, plots.describe_curve(curve), Markup(plots.curve_svg(curve, f"{key}{place}")))
        for place, curve in enumerate(curves)
    ]


def _drawn(classes: list[str]) -> bool:
    return len(classes) <= tables.MATRIX_CLASSES


def _shown(
    record: Mapping[str, Any], dataset: Dataset, split: Split, scores: NDArray[np.float32]
) -> dict[str, Any]:
    """The images, and the images per class and side."""
    album = Gallery(dataset, split)
    audit = record["dataset"]["audit"]
    return {
        "samples": album.samples(),
        "duplicates": album.groups(audit["duplicates"]),
        "across_split": album.groups(audit["across_split"]),
        "near_conflicts": album.groups(audit["near_conflicts"]),
        "mistakes": album.mistakes(scores, split.test),
        "counts": tables.counts(record, _per_side(dataset, split)),
    }


def _per_side(dataset: Dataset, split: Split) -> list[dict[str, int]]:
    """Per class its images on each side."""
    number = len(dataset.classes)
    counted = {
        side: np.bincount(dataset.labels[getattr(split, side)], minlength=number).tolist()
        for side in SPLITS
    }
    return [{side: int(counted[side][label]) for side in SPLITS} for label in range(number)]
