"""Lines of words."""

from typing import Any

import numpy as np
import pytest

from edge.results import (
    Classification,
    ClassScore,
    Detection,
    Detections,
    Segment,
    Segmentation,
)
from edge.sinks import open_sink, text


def seen(label: str, score: float) -> Classification:
    return Classification((ClassScore(label, 0, score),))


def people(count: int) -> Detections:
    return Detections((Detection("person", 0, 0.9, (0.0, 0.0, 9.0, 9.0)),) * count)


def covered(**shares: float) -> Segmentation:
    box = (0.0, 0.0, 9.0, 9.0)
    segments = (Segment(label, 0, share, box) for label, share in shares.items())
    return Segmentation(tuple(segments), np.zeros((9, 9), np.uint8))


@pytest.fixture
def sink(stream: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(text, "_PAUSE", 0.0)
    return open_sink("text", stream.context)


def test_a_line_where_the_answer_changes(sink: Any, output: Any, capsys: Any) -> None:
    answers = [seen("cat", 0.9), seen("cat", 0.8), seen("class 1", 0.7), seen("class 2", 0.7),
               people(1), people(2), people(3), people(3), people(0), people(0)]  # fmt: skip
    for index, answer in enumerate(answers):
        sink.write(output(index, result=answer))
    said = [line.split(" s  ")[1] for line in capsys.readouterr().err.splitlines()]
    assert said == ["cat 90 %", "class 1 70 %", "class 2 70 %",
                    "person", "person × 2", "person × 3", "nothing"]  # fmt: skip


def test_shares_that_waver_are_no_news(sink: Any, output: Any, capsys: Any) -> None:
    answers = [covered(person=0.34, dog=0.10), covered(person=0.35, dog=0.10),
               covered(person=0.36, dog=0.12), covered(person=0.36)]  # fmt: skip
    for index, answer in enumerate(answers):
        sink.write(output(index, result=answer))
    said = [line.split(" s  ")[1] for line in capsys.readouterr().err.splitlines()]
    assert said == ["person 34 %, dog 10 %", "person 36 %"]


def test_every_image_has_its_line(stream: Any, output: Any, capsys: Any) -> None:
    sink = open_sink("text", stream.context)
    for name in ("a.jpg", "b.jpg"):
        sink.write(output(name=name))
    assert capsys.readouterr().err.splitlines() == ["a.jpg: cat 91 %", "b.jpg: cat 91 %"]


def test_a_stream_is_not_told_faster_than_one_reads(stream: Any, output: Any, capsys: Any) -> None:
    sink = open_sink("text", stream.context)
    for index in range(50):
        sink.write(output(index, result=seen(f"class {index}", 0.9)))
    assert len(capsys.readouterr().err.splitlines()) == 1
