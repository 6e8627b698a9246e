"""Tracking on a real clip: the people in the aisle keep their ids."""

from collections import Counter
from pathlib import Path

import pytest

from edge.sources import open_source
from edge.tasks.detect.detector import detector
from edge.tasks.track.tracker import following
from edge.tracking.counting import parse_line, parse_zone

pytestmark = pytest.mark.realdata


def test_three_people_keep_their_ids(test_data: Path) -> None:
    models = test_data / "models"
    borders = (
        parse_line("aisle:0,150,480,150"),
        parse_zone("everywhere:-9,-9,999,-9,999,999,-9,999"),
    )
    task = following(
        detector(
            models / "coco_ssd_mobilenet_v1_1.0_quant.tflite",
            labels=models / "coco_labels.txt",
            classes=["person"],
            threads=1,
        ),
        borders,
    )
    source = open_source(str(test_data / "video/store-aisle.gif"))
    ids: Counter[int | None] = Counter()
    events = []
    while (frame := source.read()) is not None:
        outputs = task.runtime.invoke(*task.preprocess(frame))
        result = task.postprocess(outputs, frame)
        ids.update(one.track_id for one in result.detections)
        events += result.events or ()
        task.draw(frame.image.copy(), result)
    source.close()
    # A woman and a man are there from the start, a third person comes in behind them.
    assert set(ids) == {1, 2, 3}
    assert min(ids[1], ids[2]) >= 60
    assert ids[3] >= 30
    assert {event.name for event in events} <= {"aisle"}  # nobody came in from outside
