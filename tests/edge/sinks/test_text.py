"""The text sink."""

from typing import Any

import numpy as np
import pytest

from edge.results import (
    Classification,
    ClassScore,
    Detection,
    Detections,
    Poses,
    Segment,
    Segmentation,
    TrackedDetections,
)
from edge.sinks import open_sink
from edge.sinks.text import TextSink


def classified(label: str, score: float) -> Classification:
    return Classification((ClassScore(label, 0, score),))


def people(count: int) -> Detections:
    return Detections((Detection("person", 0, 0.9, (0.0, 0.0, 9.0, 9.0)),) * count)


def segmented(**shares: float) -> Segmentation:
    box = (0.0, 0.0, 9.0, 9.0)
    segments = (Segment(label, 0, share, box) for label, share in shares.items())
    return Segmentation(tuple(segments), np.zeros((9, 9), np.uint8))


@pytest.fixture
def sink() -> TextSink:
    return TextSink(min_interval_s=0.0)


def test_prints_a_line_when_the_result_changes(sink: Any, output: Any, capsys: Any) -> None:
    results = [classified("cat", 0.9), classified("cat", 0.8),
               classified("class 1", 0.7), classified("class 2", 0.7),
               people(1), people(2), people(3), people(3), people(0), people(0)]  # fmt: skip
    for index, result in enumerate(results):
        sink.write(output(index, result=result))
    summaries = [line.split(" s  ")[1] for line in capsys.readouterr().err.splitlines()]
    assert summaries == ["cat 90 %", "class 1 70 %", "class 2 70 %",
                    "person", "person × 2", "person × 3", "nothing"]  # fmt: skip


def test_what_is_counted_is_printed(sink: Any, output: Any, capsys: Any) -> None:
    none, one = {"in": 0, "out": 0}, {"in": 1, "out": 0}
    crossings = [TrackedDetections((), (), counts={"door": count}) for count in (none, one, one)]
    squats = [Poses((), (), {"squat": count, "push_up": 0}) for count in (0, 1, 2)]
    for index, result in enumerate([*crossings, *squats]):
        sink.write(output(index, result=result))
    summaries = [line.split(" s  ")[1] for line in capsys.readouterr().err.splitlines()]
    assert summaries == [
        "nothing; door: 0 in, 0 out", "nothing; door: 1 in, 0 out",
        "nothing", "nothing; squat × 1", "nothing; squat × 2",
    ]  # fmt: skip


def test_small_changes_of_shares_print_nothing(sink: Any, output: Any, capsys: Any) -> None:
    results = [segmented(person=0.34, dog=0.10), segmented(person=0.35, dog=0.10),
               segmented(person=0.36, dog=0.12), segmented(person=0.36)]  # fmt: skip
    for index, result in enumerate(results):
        sink.write(output(index, result=result))
    summaries = [line.split(" s  ")[1] for line in capsys.readouterr().err.splitlines()]
    assert summaries == ["person 34 %, dog 10 %", "person 36 %"]


def test_prints_a_line_for_each_image(stream: Any, output: Any, capsys: Any) -> None:
    sink = open_sink("text", stream.context)
    for name in ("a.jpg", "b.jpg"):
        sink.write(output(name=name))
    assert capsys.readouterr().err.splitlines() == ["a.jpg: cat 91 %", "b.jpg: cat 91 %"]


def test_limits_the_rate_of_lines(stream: Any, output: Any, capsys: Any) -> None:
    sink = open_sink("text", stream.context)
    for index in range(50):
        sink.write(output(index, result=classified(f"class {index}", 0.9)))
    assert len(capsys.readouterr().err.splitlines()) == 1
