"""The page report.html: one self-contained file without scripts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.dataset.audit import Dataset
from converters.dataset.split import SPLITS, Split
from converters.report import formatting, pareto_plot, plots, steps, tables, text, verdict_text
from converters.report.drawing import to_svg
from converters.report.gallery import DrawLabels, Gallery
from converters.report.model import Report
from converters.report.sections import CurveReport
from converters.report.tables import columns
from converters.report.variant import BASELINE

_HERE = Path(__file__).parent
_BROAD, _SLIM = (648.0, 317.0), (346.0, 346.0)
"""Widths and heights of the plot in points, for a screen and for a phone."""

_LISTED = 12
"""Names of files listed before "and N more"."""


@dataclass(frozen=True, slots=True)
class TaskPage:
    """The part of the page that a task fills.

    ``templates``: folder of ``results.html.jinja``, what the chosen variant does right and wrong,
    and where there is one ``scores.html.jinja``; ``values`` of their variables. ``trained``: how
    the model was trained, the beginning of a sentence; ``baseline``: what a model without any
    knowledge reaches (0–1), and how; ``measured``: how files were run, the end of a sentence;
    ``not_measured``: sentences. ``draw``: draws the labels on images; ``counted``: what the counts
    of classes are of, and ``counts`` of it for each class and subset of the split, None for images.
    """

    templates: Path
    values: Mapping[str, Any]
    trained: str
    baseline: tuple[float, str] | None = None
    measured: str = ""
    not_measured: tuple[str, ...] = ()
    draw: DrawLabels | None = None
    counted: str = "images"
    counts: Sequence[Mapping[str, int]] | None = None


def render(report: Report, *, dataset: Dataset, split: Split, task: TaskPage) -> str:
    """Render the page, to be written as UTF-8.

    Images, drawings and styles are inside it, and all text that comes from the user is escaped.
    Its size is bounded for any number of images: at most 150 samples, a few mistakes and
    duplicates, 8 kB each at most.

    Args:
        report: all figures come from it.
        dataset: the pixels that are shown.
        split: of ``dataset``.
        task: what is different for each task.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from converters.report.template_cache import TemplateCache

    environment = Environment(
        loader=FileSystemLoader([_HERE, task.templates]),
        bytecode_cache=TemplateCache(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("percent", "interval", "size", "milliseconds", "number", "sentence", "heading"):
        environment.filters[name] = getattr(formatting, name)
    environment.filters["steps"] = steps.steps
    environment.filters["breakable"] = _breakable
    environment.filters["options_whole"] = _options_whole
    page = environment.get_template("template.html.jinja")
    return page.render(
        style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),
        curves=_curves(report.training.curves),
        listed=_LISTED,
        r=report,
        **_figures(report),
        **_compared(report),
        **_on_board(report),
        **_shown(report, dataset, split, task),
        task=task,
        **task.values,
    )


def _breakable(names: str) -> str:
    """Escape names of files, and allow lines to break after their separators, not within words."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"(?<=[/_])(?=[^/_\s])", "<wbr>", str(escape(names))))


def _options_whole(text: str) -> str:
    """Escape a text, and keep lines from breaking within its options, as after the dashes."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"--[\w-]+", r'<span class="option">\g<0></span>', str(escape(text))))


def _figures(report: Report) -> dict[str, Any]:
    """Return the values of the tables."""
    stages = {name: s for name, s in report.seconds.items() if name != "total"}
    return {
        "chosen": report.chosen_variant,
        "reference": report.variants["float32"],
        **_verdict(report),
        "noise_warning": text.noise_warning(report.variants.values()),
        "settings": tables.flat(report.settings),
        "provenance": tables.flat(report.weights.provenance),
        "details": tables.flat(report.training.details),
        "stages": stages,
        "slowest": max(stages.values(), default=0.0) or 1.0,
    }


def _verdict(report: Report) -> dict[str, Any]:
    """Return what the images prove."""
    status = verdict_text.overall_status(report)
    return {
        "status": status,
        "status_name": verdict_text.STATUS_NAMES[status],
        "verdict_line": verdict_text.verdict_line(report),
        "reasons": verdict_text.reasons(report),
        "cross_validation": verdict_text.cross_validation_summary(report),
    }


def _compared(report: Report) -> dict[str, Any]:
    """Return the variants side by side, and the Edge TPU."""
    rows = tuple(report.variants.values())
    chosen, prediction = report.chosen_variant, report.chosen_variant.edgetpu
    assert prediction is not None  # only schema 1 lacks it
    return {
        "rows": rows,
        "columns": columns(rows, report.metric.name),
        "baseline": report.variants[BASELINE],
        "pareto": _pareto(report),
        "recipes": [
            (variant, _curves(steps.recoveries(variant)))
            for variant in rows
            if variant.notes or variant.steps
        ],
        "edgetpu": text.edgetpu_summary(chosen.name, prediction),
        "refusals": tables.refusals(prediction),
        "memory": text.memory_summary(prediction.parameters) if prediction.parameters else "",
    }


def _on_board(report: Report) -> dict[str, Any]:
    """Return the section on the board that the model is for."""
    if report.board is None:
        return {}
    return {
        "board": text.board_summary(report.board, report.chosen),
        "board_rows": text.board_rows(report.board),
        "board_published": text.published_latencies(report.board),
    }


def _pareto(report: Report) -> dict[str, str]:
    """Return the plot for a screen and for a phone, and its description."""
    from markupsafe import Markup

    points = [
        pareto_plot.ParetoPoint(
            name=row.name,
            group="",
            p50_ms=row.timing.p50_ms,
            quality=row.quality.value,
            interval=row.quality.interval,
            front=row.name in report.choice.pareto,
            chosen=row.name == report.chosen,
        )
        for row in report.variants.values()
    ]
    return {
        "description": pareto_plot.describe(points, report.metric.name),
        "broad": Markup(to_svg(pareto_plot.draw(points, report.metric.name, _BROAD))),
        "slim": Markup(to_svg(pareto_plot.draw(points, report.metric.name, _SLIM))),
    }


def _curves(curves: Iterable[CurveReport]) -> list[tuple[CurveReport, str, str]]:
    """Return each curve with its description and its plot."""
    from markupsafe import Markup

    return [
        (curve, plots.describe_curve(curve), Markup(plots.curve_svg(curve))) for curve in curves
    ]


def _shown(report: Report, dataset: Dataset, split: Split, task: TaskPage) -> dict[str, Any]:
    """Return the images, and the numbers of images per class and subset."""
    album = Gallery(dataset, split, task.draw)
    per_subset = _per_subset(dataset, split) if task.counts is None else task.counts
    audit = report.dataset.audit
    return {
        "samples": album.samples(),
        "duplicates": album.groups(audit.duplicates),
        "across_split": album.groups(audit.across_split),
        "near_conflicts": album.groups(audit.near_conflicts),
        "counts": tables.counts(report.dataset.counts, per_subset),
    }


def _per_subset(dataset: Dataset, split: Split) -> list[dict[str, int]]:
    """Count the images of each class in each subset."""
    number = len(dataset.classes)
    counted = {
        subset: np.bincount(dataset.labels[getattr(split, subset)], minlength=number).tolist()
        for subset in SPLITS
    }
    return [{subset: int(counted[subset][label]) for subset in SPLITS} for label in range(number)]
