"""The page evaluation.html: one self-contained file without scripts."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from converters.evaluation.records import Evaluation
from converters.report import confusion, evaluation_text, formatting, plots
from converters.report.precision_recall_plot import (
    describe_precision_recall,
    precision_recall_svg,
)
from converters.report.sections import ReliabilityBinReport
from edge.quantities import plural

_HERE = Path(__file__).parent


def render(evaluation: Evaluation) -> str:
    """Render the page, to be written as UTF-8; all text that comes from the user is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("milliseconds", "number", "percent", "sentence"):
        environment.filters[name] = getattr(formatting, name)
    environment.filters["breakable"] = _breakable
    page = environment.get_template("evaluation.html.jinja")
    classes = evaluation.details["classes"]
    return page.render(
        style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),
        e=evaluation,
        figures=evaluation_text.figures(evaluation),
        further=list(evaluation_text.further(evaluation)),
        comparison=list(evaluation_text.comparison(evaluation)),
        time=evaluation_text.time_sentence(evaluation),
        headings=evaluation_text.class_headings(evaluation),
        rows=evaluation_text.class_rows(evaluation),
        classes=classes,
        named_columns=len(classes) <= confusion.NAMED_COLUMNS,
        **_confusion(evaluation, classes),
        **_curves(evaluation),
    )


def _breakable(names: str) -> str:
    """Escape names of files, and allow lines to break after their separators."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"(?<=[/_])(?=[^/_\s])", "<wbr>", str(escape(names))))


def _confusion(evaluation: Evaluation, classes: Sequence[str]) -> dict[str, Any]:
    """Return the confusion matrix with a last column for other classes, or its worst pairs."""
    counts = evaluation.details.get("confusion")
    if counts is None:
        return {"matrix": None, "pairs": []}
    columns = [*classes, "other"]
    if not any(row[-1] for row in counts):
        columns, counts = list(classes), [row[:-1] for row in counts]
    drawn = len(classes) <= confusion.MATRIX_CLASSES
    return {
        "columns": columns,
        "matrix": confusion.matrix(counts) if drawn else None,
        "pairs": [] if drawn else confusion.worst_pairs(counts, columns),
        "unit": "pixels" if evaluation.task == "segment" else "images",
    }


def _curves(evaluation: Evaluation) -> dict[str, Any]:
    """Return the curves of a detector, and scores against what is correct where there are any."""
    from markupsafe import Markup

    plotted = []
    if curves := evaluation.details.get("curves"):
        plotted.append(
            (
                "Precision by recall, IoU 0.5",
                describe_precision_recall(curves, dict(evaluation_text.main_figures(evaluation))),
                Markup(precision_recall_svg(curves)),
            )
        )
    if entries := evaluation.details.get("reliability"):
        noun = "detection" if evaluation.task == "detect" else "image"
        bins = [
            ReliabilityBinReport(b["low"], b["high"], b["count"], b["confidence"], b["correct"])
            for b in entries
        ]
        plotted.append(
            (
                "Share that is correct, by score",
                plots.describe_reliability(bins, noun),
                Markup(plots.reliability_svg(bins, plural(noun))),
            )
        )
    return {"curves": plotted}
