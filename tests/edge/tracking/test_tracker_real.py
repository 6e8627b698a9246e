"""The tracker on real detections, as others judge it, and on a real clip."""

from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.realdata, pytest.mark.usefixtures("solver")]


LIBRARY = {  # MOTA, IDF1 and HOTA of the best library on each
    "TUD-Campus": (25, 63.2, 74.5, 53.4),
    "PETS09-S2L1": (7, 59.5, 50.4, 38.4),
    "KITTI-17": (10, 59.2, 74.4, 47.3),
}


@pytest.mark.parametrize("rate", ["known", "estimated"])
@pytest.mark.parametrize("name", LIBRARY)
def test_people_are_followed_at_least_as_well_as_by_the_best_library(
    test_data: Path, tmp_path: Path, run_here, name: str, rate: str
) -> None:
    from track_judges import judge

    fps, mota, idf1, hota = LIBRARY[name]
    folder, out = test_data / "mot" / name, tmp_path / "tracks.txt"
    given = ("--fps", fps) if rate == "known" else ()
    done = run_here("track", folder / "det.txt", "-o", out, *given)
    assert done.returncode == 0, done.stderr
    truth, tracks = (np.loadtxt(path, delimiter=",") for path in (folder / "gt.txt", out))
    verdict = judge(truth, tracks)
    assert verdict.mota >= mota
    assert verdict.idf1 >= idf1
    assert verdict.hota >= hota


@pytest.mark.parametrize("every", [2, 3])
def test_it_copes_with_fewer_frames(test_data: Path, every: int) -> None:
    """The clip at 12.5 and 8.3 frames a second."""
    from track_judges import follow, judge

    folder = test_data / "mot" / "TUD-Campus"
    truth, detections = (np.loadtxt(folder / f, delimiter=",") for f in ("gt.txt", "det.txt"))
    kept = []
    for rows in (truth, detections):
        some = rows[rows[:, 0] % every == 1]
        some[:, 0] = (some[:, 0] - 1) // every + 1
        kept.append(some)
    verdict = judge(kept[0], follow(kept[1]))
    assert verdict.mota >= 57
    assert verdict.idf1 >= 70


def test_the_three_people_of_the_store_keep_their_ids(test_data: Path) -> None:
    from edge.sources import open_source
    from edge.sources.source import SourceOptions
    from edge.tasks.detect.detector import Detector
    from edge.tracking.tracker import MultiObjectTracker

    models = test_data / "models"
    task = Detector.open(
        models / "coco_ssd_mobilenet_v1_1.0_quant.tflite",
        labels=models / "coco_ssd_labels.txt",
        classes=("person",),
        threshold=0.15,
        delegate="cpu",
    )
    source = open_source(str(test_data / "video" / "store-aisle.gif"), SourceOptions())
    tracker = MultiObjectTracker()
    seen: dict[int, list[tuple[int, float]]] = {}
    while (frame := source.read()) is not None:
        actual = task.postprocess(task.runtime.invoke(*task.preprocess(frame)), frame).detections
        boxes = np.array([item.box for item in actual]).reshape(-1, 4)
        tracks = tracker.update(boxes, np.array([item.score for item in actual]))
        for identity, box in zip(tracks.ids.tolist(), tracks.boxes, strict=True):
            seen.setdefault(identity, []).append((frame.index, (box[0] + box[2]) / 2))
    source.close()
    assert sorted(seen) == [1, 2, 3]
    assert seen[1][0][0] < 5 and seen[2][0][0] < 5 and seen[3][0][0] < 40
    assert [places[-1][0] for places in seen.values()] == [66, 66, 66]
    at_shelf, reaching, passing = ([x for _, x in seen[identity]] for identity in (1, 2, 3))
    assert all(265 < x < 335 for x in at_shelf)  # of 480 pixels
    assert all(345 < x < 385 for x in reaching)
    assert passing[0] > 385 and passing[-1] < 365
