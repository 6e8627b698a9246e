"""Page report.html of a conversion."""

import base64
import re
from dataclasses import replace
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from conversion import FAILED, OPEN, PASS, VALIDATED, Conversion
from report_page import Page, page_of

from converters.report import gallery, verdict_text
from converters.selection.select import Limits
from converters.training.config import Curve
from converters.verification.verdict import Judgment

CURVE = Curve(
    "Fine-tuning",
    "epoch",
    "accuracy and loss",
    (1.0, 2.0, 3.0),
    {
        "validation accuracy": (0.5, 0.75, 0.875),
        "validation loss": (1.5, 0.9, 0.7),
        "training loss": (1.4, 0.8, 0.4),
    },
)

RECIPES = Conversion(recipes=("channels-50", "magnitude-75"))
CLEAN = "No broken files"


@cache
def plain_page() -> str:
    """Return the page of a minimal conversion."""
    return Conversion().page()


def test_the_verdict_comes_first_in_one_sentence() -> None:
    page = Page(plain_page())
    line = verdict_text.verdict_line(Conversion().report()).replace("\N{NO-BREAK SPACE}", " ")
    assert page.text.index(line) < 200
    for figure in (
        "int8",
        "100 % (96.0–100)",
        "9 ",
        "2.7 MB",
        "3.4 ms",
        "ai-edge-litert 2.3.0, cpu, 2 threads",
    ):
        assert figure in line, figure


def test_a_failed_verdict_names_the_classes_and_layers_that_suffer() -> None:
    page = Page(Conversion(wrong=3, verdict=FAILED).page())
    assert "2 points" in page.text
    assert "66.7 %" in page.text
    assert "int8 loses 33.3 points." in page.text
    assert "square, circle." in page.text
    assert any(attrs.get("class") == "verdict fail" for _, attrs in page.tags)
    assert "block_1_expand (3 dB)" in page.text


def test_a_drop_within_the_limit_is_not_called_none() -> None:
    def line(drop: float) -> str:
        return verdict_text.verdict_line(Conversion(verdict=replace(PASS, drop=drop)).report())

    assert "2 points" in line(1.5)
    assert "2 points" not in line(0.0)


def test_what_is_not_proven_is_not_green() -> None:
    page = Page(Conversion(verdict=OPEN).page())
    classes = [attrs.get("class") or "" for _, attrs in page.tags]
    assert "verdict not-proven" in classes and "verdict pass" not in classes
    assert "Not proven." in page.text and "Pass." not in page.text
    assert "may lose more than the 2 points allowed" in page.text


def test_a_missed_limit_is_not_green() -> None:
    page = Page(Conversion(limits=Limits(max_size_kb=2000)).page())
    classes = [attrs.get("class") or "" for _, attrs in page.tags]
    assert "verdict fail" in classes and "verdict pass" not in classes


def test_it_is_told_which_accuracy_is_cross_validated() -> None:
    page = Page(Conversion(validated=VALIDATED).page())
    assert "Cross-validated head: 90.0 %" in page.text and "not int8 itself" in page.text
    assert "9 held-out test images" in page.text
    assert "ross-validated" not in Page(plain_page()).text


def test_the_page_is_one_file_that_needs_nothing_else() -> None:
    html = Conversion(wrong=3, curves=(CURVE, CURVE)).page()
    page = Page(html)
    assert "http" not in html
    assert "@import" not in html
    assert all(uri.startswith("data:image/jpeg;base64,") for uri in page.images())
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    references = re.findall(r"url\(([^)]*)\)", html) + [
        attrs["href"] or "" for _, attrs in page.tags if "href" in attrs
    ]
    assert all(ref.startswith("#") and ref[1:] in page.ids for ref in references)


def test_every_image_has_a_text_and_can_be_decoded() -> None:
    page = Page(Conversion(wrong=2).page())
    tags = [attrs for name, attrs in page.tags if name == "img"]
    assert len(tags) == 3 * 6 + 2
    for tag in tags:
        assert tag["alt"]
        data = base64.b64decode((tag["src"] or "").partition(",")[2])
        assert len(data) <= gallery.MAX_BYTES
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert decoded.shape[:2] == (int(tag["height"] or 0), int(tag["width"] or 0))


def test_names_with_html_and_unicode_are_escaped() -> None:
    nasty = "<script>alert(1)</script>"
    html = Conversion(
        classes=(nasty, 'Äpfel & "Birnen"', "猫"),
        wrong=3,
        verdict=replace(
            OPEN, judgments=(Judgment("loss", "not-proven", "<b>why</b>"),), classes=(nasty,)
        ),
        audit={"broken": (("<i>.jpg", "<u>"),), "warnings": ("Few: <img src=x>",)},
        notes=("<svg onload=alert(1)>",),
    ).page()
    page = Page(html)
    assert "script" not in {tag for tag, _ in page.tags}
    assert nasty in page.text
    assert 'Äpfel & "Birnen"' in page.text
    assert "猫" in page.text
    assert "<i>.jpg: <u>" in page.text
    assert "<b>why</b>" in page.text
    assert "Few: <img src=x>" in page.text
    assert "<svg onload=alert(1)>" in page.text


def test_the_audit_lists_all_findings() -> None:
    page = Page(
        Conversion(
            audit={
                "broken": tuple((f"circle/b{i}.jpg", "empty, 0 bytes") for i in range(15)),
                "duplicates": (("circle/0.jpg", "circle/1.jpg"),),
                "across_split": (("circle/4.jpg", "circle/5.jpg"),),
                "conflicts": (("circle/a.jpg", "square/a.jpg"),),
                "near_conflicts": (("circle/2.jpg", "square/25.jpg"),),
                "converted": {"greyscale": tuple(f"square/{i}.jpg" for i in range(20, 29))},
                "ignored": ("notes.txt",),
                "warnings": ("Few images: circle (9).",),
            }
        ).page()
    )
    section = page.section("audit")
    for entry in (
        "Few images: circle (9).",
        "circle/b0.jpg: empty, 0 bytes",
        " 3 more",
        "circle/a.jpg = square/a.jpg",
        "grayscale (9): square/20.jpg",
        " 4 more",
        "notes.txt",
    ):
        assert entry in section, entry
    assert section.count("(1 group)") == 2
    assert CLEAN not in page.text
    # The six images of the three groups are shown beside the samples.
    assert len(page.images()) == 3 * 6 + 6


def test_a_clean_data_set_has_no_findings() -> None:
    assert CLEAN in Page(plain_page()).section("audit")


def test_the_most_confident_mistakes_come_first() -> None:
    section = Page(Conversion(wrong=3).page()).section("mistakes")
    assert "3 mistakes of int8 on 9 test images" in section
    scores = [float(score) for score in re.findall(r"predicted square ([\d.]+) %", section)]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_no_mistakes_are_no_mistakes() -> None:
    text = Page(Conversion(wrong=3, recipes=("channels-50",)).page()).section("mistakes")
    assert "channels-50" in text and "9 test images" in text
    assert "3 mistakes" not in text


@pytest.mark.parametrize("number", [2, 8, 30])
def test_the_confusion_matrix_has_a_row_and_a_column_for_each_class(number: int) -> None:
    classes = tuple(f"class {i}" for i in range(number))
    page = Page(Conversion(classes=classes, per_class=8, wrong=1).page())
    cells = [
        attrs["class"] or ""
        for tag, attrs in page.tags
        if tag == "td" and "--v" in (attrs.get("style") or "")
    ]
    assert len(cells) == number**2
    assert sum(cell.startswith("wrong") for cell in cells) == 1


def test_sixty_classes_list_the_pairs_that_are_confused() -> None:
    classes = tuple(f"class {i}" for i in range(60))
    html = Conversion(classes=classes, per_class=8, wrong=3).page()
    page = Page(html)
    assert "class 0 class 1 1 100 %" in page.text
    assert "40 classes" in page.text
    assert 'class="matrix' not in html
    assert all(f" {name} " in page.text for name in classes)


def test_two_hundred_classes_stay_below_two_megabytes() -> None:
    classes = tuple(f"class {i}" for i in range(200))
    html = Conversion(classes=classes, per_class=5, wrong=200).page()
    assert len(html) < 2_000_000
    assert "150 of 200 classes" in Page(html).section("images")


def test_curves_have_labelled_axes_and_the_colors_of_the_page() -> None:
    html = Conversion(curves=(CURVE,)).page()
    page = Page(html)
    start = html.index("<svg", html.index('id="training"'))
    svg = html[start : html.index("</svg>", start)]
    for label in ("epoch", "validation accuracy (%)", "loss", "training loss"):
        assert f">{label}</text>" in svg, label
    assert "currentColor" in svg
    assert "var(--series-2)" in svg
    assert not re.search(r"(fill|stroke): ?#", svg), "a color that one scheme cannot show"
    described = [attrs.get("aria-label") or "" for tag, attrs in page.tags if tag == "div"]
    assert any("validation accuracy from 0.5 to 0.875, best 0.875" in text for text in described)


def test_it_has_the_settings_and_the_limitations() -> None:
    text = Page(plain_page()).text
    for part in (
        "edge convert shapes",
        "weights imagenet, alpha 1.0",
        "A note on the weights.",
        "The head was enough.",
        "training.fine_tune never",
        "12 s in total",
    ):
        assert part in text, part
    limits = Page(plain_page()).section("limits")
    assert "Coral Edge TPU" in limits and "Raspberry Pi" in limits


def test_all_variants_are_in_one_table_with_their_costs() -> None:
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
    plots = [label for label in described if ": channels-50 (100" in label]
    assert len(plots) == 2


def test_recipes_list_their_steps_and_missing_gains() -> None:
    def recover(record: dict[str, Any]) -> None:
        record["variants"]["channels-50"]["steps"][0] |= {
            "recovery": {
                "epochs": 2, "best": 1, "seconds": 95.2, "losses": [0.5, 0.4],
                "validation_accuracies": [0.8, 0.9],
                "validation_losses": [0.6, 0.5],
            },
            "recovery_kept": False,
            "validation_accuracy": {"before": 0.966, "end": 0.949},
            "channels": {f"block_{block}": block for block in range(1, 9)},
            "channels_before": {f"block_{block}": 2 * block for block in range(1, 9)},
            "costs": {"block_1": {"16": 0.1, "96": 0.5}},
            "new": {"figure": 3},
        }  # fmt: skip

    page = page_of(RECIPES, recover)
    recipes = page.section("recipes")
    assert "Half of the expansion channels were removed. Recovery: 8 epochs in 95 s." in recipes
    assert "prune channels. Options: keep = 0.5 and epochs = 8. The network was trained" in recipes
    assert (
        "for 2 epochs in 95 s; epoch 1 was the best. Validation accuracy: 96.6 % before" in recipes
    )
    assert "and 94.9 % at last. The training did not improve the result" in recipes
    assert "36 of 72 channels inside the blocks were kept. Recorded: new.figure 3." in recipes
    assert "layer channels channels before block_1 1 2 block_2 2 4 " in recipes
    assert "quantize int8" in recipes
    assert "Recovery of channels-50" in recipes
    gains = page.section("gains")
    assert "magnitude-75: No speed was gained: nothing skips single zeros of int8." in gains
    assert "channels-50" not in gains


def test_a_conversion_without_recipes_has_no_such_sections() -> None:
    page = page_of(Conversion())
    assert not page.has_section("recipes")
    assert not page.has_section("gains")


def test_a_limit_that_no_variant_meets_comes_first() -> None:
    conversion = replace(RECIPES, limits=Limits(max_size_kb=1))
    page = page_of(conversion)
    reason = conversion.record()["choice"]["reason"]
    assert page.text.index(reason[1:]) < page.text.index("Variants")


def test_a_compressed_model_names_its_source() -> None:
    def compressed(record: dict[str, Any]) -> None:
        record["source"] = {
            "name": "shapes-model", "created": "2026-11-20T10:00:00+00:00",
            "command": "edge convert <shapes>", "chosen": "int8",
        }  # fmt: skip

    text = page_of(Conversion(), compressed).text
    for part in ("shapes-model", "2026-11-20", "edge convert <shapes>"):
        assert part in text


def test_noisy_timings_are_called_so() -> None:
    page = Page(Conversion(noisy=("int8",)).page())
    assert "(noisy)" in page.text[:300]
    assert "timings of int8 are noisy" in page.text
    assert "noisy" not in Page(plain_page()).text
