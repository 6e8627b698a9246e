"""report.html: what a reader sees of a conversion."""

import base64
import re
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from conversion import PASS, Conversion
from report_page import Page

from converters.report import gallery, text
from converters.training.result import Curve

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

CLEAN = "No broken files"


@cache
def plain_page() -> str:
    """That of the plainest conversion."""
    return Conversion().page()


def test_the_verdict_comes_first_in_one_sentence() -> None:
    page = Page(plain_page())
    line = text.verdict_line(Conversion().report()).replace("\N{NO-BREAK SPACE}", " ")
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
    verdict = replace(
        PASS,
        status="fail",
        reason="int8 loses 33.3 points",
        classes=("square", "circle"),
        layers=(("block_1_expand", 3.1),),
    )
    page = Page(Conversion(wrong=3, verdict=verdict).page())
    assert "2 points" in page.text
    assert "66.7 %" in page.text
    assert "int8 loses 33.3 points." in page.text
    assert "square, circle." in page.text
    assert any(attrs.get("class") == "verdict fail" for _, attrs in page.tags)
    assert "block_1_expand (3 dB)" in page.text


def test_a_drop_within_the_limit_is_not_called_none() -> None:
    def line(drop: float) -> str:
        return text.verdict_line(Conversion(verdict=replace(PASS, drop=drop)).report())

    assert "2 points" in line(1.5)
    assert "2 points" not in line(0.0)


def test_a_model_no_better_than_a_guess_is_called_that() -> None:
    doubt = (text.baseline_warning(Conversion(wrong=6).report()) or "").replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "33.3 %" in doubt
    assert doubt in Page(Conversion(wrong=6).page()).text
    assert text.baseline_warning(Conversion().report()) is None
    assert doubt not in Page(plain_page()).text


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
    assert references
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


def test_names_with_html_and_unicode_are_shown_and_not_obeyed() -> None:
    nasty = "<script>alert(1)</script>"
    html = Conversion(
        classes=(nasty, 'Äpfel & "Birnen"', "猫"),
        wrong=3,
        verdict=replace(PASS, status="warn", reason="<b>why</b>", classes=(nasty,)),
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


def test_the_audit_names_all_that_was_found() -> None:
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
        "greyscale (9): square/20.jpg",
        " 4 more",
        "notes.txt",
    ):
        assert entry in section, entry
    assert section.count("(1 group)") == 2
    assert CLEAN not in page.text
    # The six images of the three groups are shown beside the samples.
    assert len(page.images()) == 3 * 6 + 6


def test_a_clean_data_set_is_called_clean() -> None:
    assert CLEAN in Page(plain_page()).section("audit")


def test_the_surest_mistakes_come_first() -> None:
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


def test_it_says_how_it_was_made_and_what_was_not_measured() -> None:
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
