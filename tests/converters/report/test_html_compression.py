"""report.html: what a reader sees of compression, scores and the Edge TPU."""

import re
from dataclasses import replace
from typing import Any

from conversion import PASS, Conversion
from report_page import Page, page_of

from converters.report import plots
from converters.selection.select import Limits

RECIPES = Conversion(recipes=("channels-50", "magnitude-75"))


def test_all_variants_stand_in_one_table_with_what_they_cost() -> None:
    page = page_of(RECIPES)
    table = page.section("variants")
    for heading in ("accuracy", "agreement", "size", "gzipped", "sparsity", "operations",
                    "1 thread", "2 threads", "Edge TPU", "threshold"):  # fmt: skip
        assert heading in table, heading
    row = table.partition(" channels-50 ")[2].partition(" magnitude-75 ")[0]
    for figure in ("100 % 96.0–100", "1.8 MB 0.66×", "1.5 MB 0.68×", "171 M 0.57×",
                   "4.0 / 4.6 ms 0.62×", "2.1 / 2.7 ms 0.62×", "67 of 67", "62.0 %"):  # fmt: skip
        assert figure in row, figure
    assert " int8 baseline " in table
    assert " magnitude-75 model.tflite " in table
    assert " channels-50 Pareto-optimal " in table


def test_the_chosen_variant_is_the_one_that_is_judged() -> None:
    verdict = replace(PASS, variant="magnitude-75", drop=1.5)
    page = page_of(replace(RECIPES, verdict=verdict))
    assert any(attrs.get("class") == "verdict pass" for _, attrs in page.tags)
    assert page.text.index("magnitude-75") < 200
    assert "Accuracy, magnitude-75" in page.text
    assert "magnitude-75" in page.section("confusion")


def test_accuracy_over_time_is_drawn_once_for_a_screen_and_once_for_a_phone() -> None:
    page = page_of(RECIPES)
    html = RECIPES.page()
    for kind in ("broad", "slim"):
        start = html.index(f'<div class="{kind}"')
        svg = html[start : html.index("</svg>", start)]
        assert svg.count(">channels-50</text>") == 1
        assert not re.search(r"(fill|stroke): ?#", svg), "a color that one scheme cannot show"
    described = [attrs.get("aria-label") or "" for _, attrs in page.tags]
    plots = [text for text in described if ": channels-50 (100" in text]
    assert len(plots) == 2


def test_the_recipes_say_what_they_did_and_what_was_not_gained() -> None:
    def recover(record: dict[str, Any]) -> None:
        record["variants"]["channels-50"]["steps"][0] |= {
            "recovery": {
                "epochs": 2, "losses": [0.5, 0.4], "validation_accuracies": [0.8, 0.9],
                "validation_losses": [0.6, 0.5],
            },
            "channels": {f"block_{block}": 8 * block for block in range(1, 9)},
        }  # fmt: skip

    page = page_of(RECIPES, recover)
    did = page.section("recipes")
    assert "Half of the expansion channels were removed. Recovery: 8 epochs in 95 s." in did
    assert "prune channels kept 0.5, epochs 8, seconds 95, recovery.epochs 2 " in did
    assert "layer channels block_1 8 block_2 16 " in did
    assert "quantize int8" in did
    assert "Recovery of channels-50" in did
    nothing = page.section("gains")
    assert "magnitude-75: No speed was gained: nothing skips single zeros of int8." in nothing
    assert "channels-50" not in nothing


def test_a_conversion_without_recipes_speaks_of_none() -> None:
    page = page_of(Conversion())
    assert not page.has_section("recipes")
    assert not page.has_section("gains")


def test_scores_are_held_against_the_truth_before_and_after() -> None:
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


def test_scores_that_were_left_alone_are_drawn_once() -> None:
    def unchanged(record: dict[str, Any]) -> None:
        record["confidence"]["temperature"] = 1

    page = page_of(Conversion(), unchanged)
    assert "logits" not in page.section("scores")
    assert scores_drawn(page) == 1


def scores_drawn(page: Page) -> int:
    """How many reliability diagrams the page has."""
    title = plots.describe_reliability([]).partition(".")[0]
    return sum((attrs.get("aria-label") or "").startswith(title) for _, attrs in page.tags)


def test_a_threshold_that_is_none_or_misses_is_not_praised() -> None:
    def without(record: dict[str, Any]) -> None:
        record["variants"]["int8"]["threshold"] = None

    def missed(record: dict[str, Any]) -> None:
        record["variants"]["int8"]["threshold"]["reached"] = 0.9

    assert "--precision" in page_of(Conversion(), without).section("scores")
    scores = page_of(Conversion(), missed).section("scores")
    assert "No threshold" in scores and "95.0 %" in scores


def test_what_the_edge_tpu_takes_is_foreseen_for_the_chosen_file() -> None:
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


def test_a_limit_that_nothing_keeps_to_is_said_at_the_top() -> None:
    conversion = replace(RECIPES, limits=Limits(max_size_kb=1))
    page = page_of(conversion)
    reason = conversion.record()["choice"]["reason"]
    assert page.text.index(reason[1:]) < page.text.index("Variants")


def test_a_network_that_was_trained_elsewhere_says_where() -> None:
    def compressed(record: dict[str, Any]) -> None:
        record["source"] = {
            "name": "shapes-model", "created": "2026-11-20T10:00:00+00:00",
            "command": "edge convert <shapes>", "chosen": "int8",
        }  # fmt: skip

    text = page_of(Conversion(), compressed).text
    for part in ("shapes-model", "2026-11-20", "edge convert <shapes>"):
        assert part in text
