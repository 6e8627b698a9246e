"""Drawing results onto frames, legible on any background."""

import cv2

from edge.frame import Picture, Status


def status(picture: Picture, now: Status) -> None:
    """Draw live figures into the lower left corner, in place."""
    text = f"{now.fps:.1f} fps  {now.invoke_ms:.1f} ms  {now.delegate}"
    place = (8, picture.shape[0] - 8)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3, 1, cv2.LINE_AA)
