"""The page for people, ``report.html``: one file that needs nothing else, not even a script."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from converters.dataset.audit import Dataset
from converters.dataset.split import SIDES, Split
from converters.measured import Verified
from converters.report import charts, tables, words
from converters.report.pictures import Album

_HERE = Path(__file__).parent
_LISTED = 12
"""Names of files listed before "and N more"."""


def render(
    record: Mapping[str, Any],
    *,
    dataset: Dataset,
    split: Split,
    verified: Verified,
) -> str:
    """The page as text, UTF-8 when written.

    Pictures, drawings and styles are inside it, and all text that comes from the user is escaped.
    Its size is bounded whatever the number of pictures: at most 150 samples, 18 mistakes and a few
    duplicates, 8 kB each at most.

    Args:
        record: from :func:`converters.report.record.build`; all figures come from it.
        dataset: the pixels that are shown.
        split: of ``dataset``.
        verified: its scores rank the mistakes.
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
    for name in ("percent", "interval", "size", "milliseconds", "number", "runner"):
        environment.filters[name] = getattr(words, name)
    page = environment.get_template("template.html.jinja")
    return page.render(
        style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),
        curves=[
            (curve, charts.describe(curve), Markup(charts.curve_svg(curve, f"curve{place}")))
            for place, curve in enumerate(record["training"]["curves"])
        ],
        listed=_LISTED,
        r=record,
        **_figures(record),
        **_shown(record, dataset, split, verified),
    )


def _figures(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the tables hold."""
    chosen = record["variants"][record["chosen"]]
    classes = record["dataset"]["classes"]
    stages = {name: s for name, s in record["seconds"].items() if name != "total"}
    return {
        "chosen": chosen,
        "reference": record["variants"]["float32"],
        "verdict_line": words.verdict_line(record),
        "doubt": words.doubt(record),
        "majority": words.majority_share(record),
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


def _drawn(classes: list[str]) -> bool:
    return len(classes) <= tables.MATRIX_CLASSES


def _shown(
    record: Mapping[str, Any], dataset: Dataset, split: Split, verified: Verified
) -> dict[str, Any]:
    """The pictures, and the pictures per class and side."""
    album = Album(dataset, split)
    audit = record["dataset"]["audit"]
    scores = {m.name: m.scores for m in verified.variants}[record["chosen"]]
    return {
        "samples": album.samples(),
        "duplicates": album.groups(audit["duplicates"]),
        "across_split": album.groups(audit["across_split"]),
        "near_conflicts": album.groups(audit["near_conflicts"]),
        "mistakes": album.mistakes(scores, split.test),
        "counts": tables.counts(record, _per_side(dataset, split)),
    }


def _per_side(dataset: Dataset, split: Split) -> list[dict[str, int]]:
    """Per class its pictures on each side."""
    number = len(dataset.classes)
    counted = {
        side: np.bincount(dataset.labels[getattr(split, side)], minlength=number).tolist()
        for side in SIDES
    }
    return [{side: int(counted[side][label]) for side in SIDES} for label in range(number)]
