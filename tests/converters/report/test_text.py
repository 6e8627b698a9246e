"""Sentences of the report about scores and the Edge TPU, as on the page."""

from typing import Any

from conversion import Conversion
from report_page import Page, page_of

from converters.report import plots


def test_calibration_is_compared_before_and_after() -> None:
    def worse(record: dict[str, Any]) -> None:
        record["confidence"]["temperature"] = 0.8
        record["confidence"]["test"] = {
            "log_loss_before": 0.2, "log_loss_after": 0.25,
            "ece_before": 0.031, "ece_after": 0.024,
        }  # fmt: skip

    page = page_of(Conversion(), worse)
    scores = page.section("scores")
    assert "underconfident" in scores and "0.80" in scores
    assert "rose from 0.200 to 0.250" in scores
    assert "fell from 3.1 % to 2.4 %" in scores
    assert "62.0 %" in scores and "“unknown”" in scores
    assert scores_drawn(page) == 2


def test_unchanged_scores_are_drawn_once() -> None:
    def unchanged(record: dict[str, Any]) -> None:
        record["confidence"]["temperature"] = 1

    page = page_of(Conversion(), unchanged)
    assert "logits" not in page.section("scores")
    assert scores_drawn(page) == 1


def scores_drawn(page: Page) -> int:
    """Count the reliability diagrams on the page."""
    title = plots.describe_reliability([]).partition(".")[0]
    return sum((attrs.get("aria-label") or "").startswith(title) for _, attrs in page.tags)


def test_a_missing_or_unmet_threshold_is_reported() -> None:
    def without(record: dict[str, Any]) -> None:
        record["variants"]["int8"]["threshold"] = None

    def missed(record: dict[str, Any]) -> None:
        record["variants"]["int8"]["threshold"]["reached"] = 0.9

    assert "--precision" in page_of(Conversion(), without).section("scores")
    scores = page_of(Conversion(), missed).section("scores")
    assert "No threshold" in scores and "95.0 %" in scores


def test_the_edge_tpu_prediction_of_the_chosen_file() -> None:
    section = page_of(Conversion()).section("edgetpu")
    assert "All 67 operations of int8" in section
    assert "2.4 MB" in section

    def partly(record: dict[str, Any]) -> None:
        first = {
            "op": "CUSTOM:<b>", "index": 60, "output": "a<b>", "reason": "unsupported op",
            "found": "an operation of its own", "change": "Leave it out", "source": "documented",
            "confidence": "sure",
        }  # fmt: skip
        record["variants"]["int8"]["edgetpu"] = {
            "status": "partly", "mapped": 60, "cpu": {"CUSTOM:<b>": 4, "SOFTMAX": 1},
            "first_refused": first, "parameters": {"on_chip": 7_900_000, "off_chip": 3_000_000},
            "refused": [
                {**first, "behind": {"SOFTMAX": 1}}, *(3 * [{**first, "behind": {}}]),
            ],
        }  # fmt: skip

    text = page_of(Conversion(), partly).section("edgetpu")
    assert "60 of 65 operations of int8" in text and "5 on the CPU" in text
    assert "60, CUSTOM:<b> (a<b>): an operation of its" in text
    assert (
        "CUSTOM:<b> 4 unsupported op: an operation of its own, … Leave it out 1 documented" in text
    )
    assert " 1 operation " in text
    assert ": CUSTOM:<b> 4, SOFTMAX 1." in text
    assert "3.0 MB" in text
