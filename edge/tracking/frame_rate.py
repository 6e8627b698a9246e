"""A frame rate for files that do not tell it, estimated from how fast their objects move.

People walk about half of their height a second past whatever camera. The estimate is coarse, and
serves the tracker even where the objects are no people: it expects motion as fast as there is.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from edge.tracking.state import Array, centered, iou
from edge.tracking.tracker import DEFAULT_FPS

_WALK = 0.5
"""Speed of people in heights per second, a typical one across cameras."""
_FPS_RANGE = (5.0, 30.0)
_LINKS = 5
"""Frames over which a speed is measured: detections tremble more than objects move in one."""
_LINK_IOU = 0.4


def estimate_fps(frames: Iterable[tuple[int, Array]]) -> float:
    """Return the frame rate at which objects move by half of their height a second.

    Args:
        frames: Numbers of frames, ascending, with boxes float64 [n, 4], x1, y1, x2, y2.

    Returns:
        5 to 30 frames per second; 15 where no object stays for some frames.
    """
    speeds: list[float] = []
    chains: list[tuple[Array, int]] = []  # first box and length, for each box of the last frame
    before, last = np.empty((0, 4)), 0
    for frame, boxes in frames:
        earlier = chains
        chains = [(box, 0) for box in boxes]
        for row, column in _links(before, boxes) if frame == last + 1 else ():
            first, length = earlier[row]
            if length + 1 < _LINKS:
                chains[column] = (first, length + 1)
            else:
                speeds.append(_heights(first, boxes[column]) / _LINKS)
        before, last = boxes, frame
    if not speeds:
        return DEFAULT_FPS
    return float(np.clip(_WALK / max(float(np.median(speeds)), 1e-6), *_FPS_RANGE))


def _links(boxes: Array, others: Array) -> Iterator[tuple[int, int]]:
    """Yield the rows of boxes that overlap each other most."""
    if not (len(boxes) and len(others)):
        return
    overlap = iou(centered(boxes.T), centered(others.T))
    for row, column in enumerate(overlap.argmax(axis=1).tolist()):
        if overlap[row, column] >= _LINK_IOU and overlap[:, column].argmax() == row:
            yield row, column


def _heights(first: Array, box: Array) -> float:
    """Return the distance of two boxes' centers in heights."""
    way = (box[:2] + box[2:] - first[:2] - first[2:]) / 2
    return float(np.hypot(*way) / ((box[3] - box[1] + first[3] - first[1]) / 2))
