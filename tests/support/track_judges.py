"""What others say of our tracks: MOTA and IDF1 by motmetrics, HOTA by trackeval."""

import contextlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.tracking import mot
from edge.tracking.parameters import TrackerParameters

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """In percent, at an intersection over union of 0.5; HOTA over 0.05 to 0.95."""

    mota: float
    idf1: float
    hota: float
    switches: int

    def __str__(self) -> str:
        return f"{self.mota:5.1f} / {self.idf1:5.1f} / {self.hota:5.1f}"


def follow(
    detections: Array, fps: float | None = None, parameters: TrackerParameters | None = None
) -> Array:
    """Our tracks of rows ``frame, -1, x, y, width, height, score``, in the same shape."""
    order = np.argsort(detections[:, 0], kind="stable")
    rows = detections[order]
    corners = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    table = mot.BoxTable(rows[:, 0].astype(np.int64), corners, rows[:, 6])
    tracks = mot.track(table, fps, parameters)
    places, ends = tracks.boxes[:, :2], tracks.boxes[:, 2:]
    return np.column_stack([tracks.frames, tracks.ids, places, ends - places, tracks.scores])


def judge(truth: Array, tracks: Array) -> Verdict:
    """Compare rows ``frame, id, x, y, width, height, …``."""
    frames = np.unique(np.concatenate([truth[:, 0], tracks[:, 0]]))
    pairs = [(truth[truth[:, 0] == frame], tracks[tracks[:, 0] == frame]) for frame in frames]
    mota, idf1, switches = _by_motmetrics(pairs)
    return Verdict(100 * mota, 100 * idf1, 100 * _by_trackeval(pairs), switches)


Pairs = list[tuple[Array, Array]]


def _by_motmetrics(pairs: Pairs) -> tuple[float, float, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import motmetrics

        counted = motmetrics.MOTAccumulator(auto_id=True)
        for true, tracked in pairs:
            apart = motmetrics.distances.iou_matrix(true[:, 2:6], tracked[:, 2:6], max_iou=0.5)
            counted.update(true[:, 1], tracked[:, 1], apart)
        names = ["mota", "idf1", "num_switches"]
        row = motmetrics.metrics.create().compute(counted, metrics=names).iloc[0]
    return float(row["mota"]), float(row["idf1"]), int(row["num_switches"])


def _by_trackeval(pairs: Pairs) -> float:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from trackeval.metrics import HOTA

        true_ids, true = _numbered([true for true, _ in pairs])
        tracked_ids, tracked = _numbered([tracked for _, tracked in pairs])
        result = HOTA().eval_sequence(
            {
                "num_timesteps": len(pairs),
                "num_gt_ids": true_ids,
                "num_tracker_ids": tracked_ids,
                "num_gt_dets": sum(map(len, true)),
                "num_tracker_dets": sum(map(len, tracked)),
                "gt_ids": true,
                "tracker_ids": tracked,
                "similarity_scores": [_iou(first[:, 2:6], other[:, 2:6]) for first, other in pairs],
            }
        )
    return float(np.mean(result["HOTA"]))


def _numbered(frames: list[Array]) -> tuple[int, list[NDArray[np.int64]]]:
    """How many ids there are, and each frame's as numbers from 0."""
    ids = np.unique(np.concatenate([rows[:, 1] for rows in frames]))
    return len(ids), [np.searchsorted(ids, rows[:, 1]) for rows in frames]


def _iou(boxes: Array, others: Array) -> Array:
    start = np.maximum(boxes[:, None, :2], others[:, :2])
    end = np.minimum(boxes[:, None, :2] + boxes[:, None, 2:], others[:, :2] + others[:, 2:])
    common = np.clip(end - start, 0, None).prod(axis=2)
    areas, other_areas = boxes[:, 2:].prod(axis=1), others[:, 2:].prod(axis=1)
    return common / (areas[:, None] + other_areas - common)  # type: ignore[no-any-return]
