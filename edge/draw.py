"""Drawing results onto frames, legible on any background."""

from collections.abc import Sequence

import cv2

from edge.frame import Picture, Status
from edge.results import Classification, Detection


def status(picture: Picture, now: Status) -> None:
    """Draw live figures into the lower left corner, in place."""
    text = f"{now.fps:.1f} fps  {now.invoke_ms:.1f} ms  {now.delegate}"
    place = (8, picture.shape[0] - 8)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3, 1, cv2.LINE_AA)


def detections(picture: Picture, found: Sequence[Detection]) -> None:
    """Draw boxes with their labels, in place."""
    for one in found:
        left, top, right, bottom = map(round, one.box)
        cv2.rectangle(picture, (left, top), (right, bottom), (0, 200, 0), 2)
        text = f"{one.label} {100 * one.score:.0f} %"
        place = (left + 3, max(14, top - 4))
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3, 1, cv2.LINE_AA)


def classification(picture: Picture, said: Classification) -> None:
    """Draw the best classes into the upper left corner, in place."""
    text = said.summary()
    cv2.putText(picture, text, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 4, cv2.LINE_AA)
    cv2.putText(picture, text, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255,) * 3, 1, cv2.LINE_AA)
