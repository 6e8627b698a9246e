"""An evaluation in words, on the terminal and as a page."""

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from converters.evaluation.records import (
    Evaluation,
    ImageMistake,
    ImageTime,
    MetricLimit,
    PairedDrop,
    PairedEvaluation,
)
from converters.report import evaluation_text
from converters.report.evaluation_page import render
from converters.report.evaluation_terminal import show

TIME = ImageTime(4.0, 6.0, 3.0, "ai-edge-litert", "cpu", 2)
FIGURES = {"ap50": 0.5, "ap": 0.25, "interval": (0.3, 0.7), "objects": 12, "images": 9}
EVALUATION = Evaluation(
    task="detect",
    model="int8.tflite",
    dataset="photos",
    images=40,
    split=None,
    metrics={"map50": 0.5, "map": 0.25, "map_small": None},
    intervals={"map50": (0.4, 0.6)},
    per_class={
        "dog": FIGURES,
        "<b>cat</b>": {**FIGURES, "ap50": 0.1},
        "cow": {**FIGURES, "ap50": None, "interval": None},
    },
    time=TIME,
    notes=("the dataset lacks 3 classes",),
    details={"classes": ["dog", "<b>cat</b>", "cow"], "threshold": 0.4,
             "false_alarms_per_100": 12.5},
    mistakes=(ImageMistake("street/<1>.jpg", "1 dog missed", "data:image/jpeg;base64,AAAA"),),
)  # fmt: skip


def plain(text: str) -> str:
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def terminal(evaluation: Evaluation) -> str:
    file = io.StringIO()
    show(evaluation, Console(file=file, width=100))
    return plain(file.getvalue())


def against(drop: float, interval: tuple[float, float]) -> Evaluation:
    paired = PairedDrop("map50", 0.5 + drop, 0.5, drop, interval)
    effects = ("false detections: 1 by this model, 2 by the other",)
    other = PairedEvaluation("runs/float32.tflite", (paired,), effects, replace(TIME, p50_ms=8.0))
    return replace(EVALUATION, against=other)


def test_the_terminal_shows_metrics_classes_and_mistakes() -> None:
    text = terminal(EVALUATION)

    assert "mAP50 50.0 % (95 % interval 40.0–60.0)" in text
    assert "mAP50-95, small" not in text
    assert text.index("<b>cat</b>") < text.index("dog 50.0 % (30.0–70.0)") < text.index("cow –")
    assert "12.5 false alarms per 100 images" in text
    assert "street/<1>.jpg: 1 dog missed" in text


def test_the_page_escapes_what_comes_from_the_user() -> None:
    page = render(EVALUATION)

    assert "&lt;b&gt;cat&lt;/b&gt;" in page
    assert "<b>cat</b>" not in page
    assert "&lt;1&gt;.jpg" in page
    assert 'src="data:image/jpeg;base64,AAAA"' in page
    assert "The dataset lacks 3 classes." in page


@pytest.mark.parametrize(
    ("drop", "interval", "words"),
    [
        (0.1, (0.02, 0.2), "10.0 points less than float32.tflite (60.0 %)"),
        (0.1, (0.02, 0.2), "between +2.0 and +20.0 points (95 %): proven to be lower"),
        (-0.1, (-0.2, -0.02), "between −20.0 and −2.0 points (95 %): proven to be higher"),
        (0.1, (-0.02, 0.2), "too few images to prove a difference"),
        (0.0, (-0.02, 0.02), "the same as float32.tflite (50.0 %)"),
        (0.1, (0.02, 0.2), "An image takes 0.50× the time: 4.0 ms instead of 8.0 ms."),
        (0.1, (0.02, 0.2), "False detections: 1 by this model, 2 by the other."),
    ],
)
def test_two_models_in_words(drop: float, interval: tuple[float, float], words: str) -> None:
    evaluation = against(drop, interval)

    assert words in plain(" ".join(evaluation_text.comparison(evaluation)))
    assert words in plain(terminal(evaluation))
    assert words in plain(render(evaluation))


def test_models_of_the_same_name_are_told_apart_by_their_paths() -> None:
    evaluation = replace(against(0.1, (0.0, 0.2)), model="new/float32.tflite")

    assert "less than runs/float32.tflite" in plain(
        " ".join(evaluation_text.comparison(evaluation))
    )


@pytest.mark.parametrize(("value", "met"), [(0.5, True), (0.4, False), (None, False)])
def test_a_limit_in_words(value: Any, met: bool) -> None:
    limit = MetricLimit("map50", "mAP50", 0.5, value)
    evaluation = replace(EVALUATION, limits=(limit,))

    assert evaluation.success is met
    assert limit.words in plain(render(evaluation))
    assert ("below" in limit.words) is not met


def test_many_classes_are_listed_by_the_pairs_confused_most() -> None:
    names = [f"class {number}" for number in range(40)]
    counts = [[5 * (i == j) + 2 * (j == i + 1) for j in range(41)] for i in range(40)]
    row = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "interval": (0.4, 0.6), "images": 7}
    evaluation = replace(
        EVALUATION,
        task="classify",
        metrics={"accuracy": 0.7},
        intervals={},
        per_class=dict.fromkeys(names, row),
        details={"classes": names, "confusion": counts},
    )

    page = render(evaluation)

    assert "Classes confused most often" in page
    assert "<td>class 1</td>" in page
    assert "and 10 classes with higher figures" in terminal(evaluation)
