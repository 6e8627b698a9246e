"""Tracking on a real clip: the people in the aisle keep their ids."""

from collections import Counter
from pathlib import Path

import pytest

from edge.sources import open_source
from edge.tasks.track.tracker import Tracker
from edge.tracking.boundaries import Line, Zone

pytestmark = pytest.mark.realdata


def test_three_people_keep_their_ids(test_data: Path) -> None:
    models = test_data / "models"
    boundaries = (
        Line.parse("aisle:0,150,480,150"),
        Zone.parse("everywhere:-9,-9,999,-9,999,999,-9,999"),
    )
    task = Tracker.open(
        models / "coco_ssd_mobilenet_v1_1.0_quant.tflite",
        labels=models / "coco_labels.txt",
        classes=["person"],
        threads=1,
        boundaries=boundaries,
    )
    source = open_source(str(test_data / "video/store-aisle.gif"))
    ids: Counter[int | None] = Counter()
    events = []
    while (frame := source.read()) is not None:
        outputs = task.runtime.invoke(*task.preprocess(frame))
        result = task.postprocess(outputs, frame)
        ids.update(item.track_id for item in result.detections)
        events += result.events or ()
        task.draw(frame.image.copy(), result)
    source.close()
    # A woman and a man are there from the start, a third person comes in behind them.
    assert set(ids) == {1, 2, 3}
    assert min(ids[1], ids[2]) >= 60
    assert ids[3] >= 30
    assert {event.name for event in events} <= {"aisle"}  # nobody came in from outside
