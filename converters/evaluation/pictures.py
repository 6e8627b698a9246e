"""Pictures of the worst mistakes: the truth beside what the model predicts."""

import base64

import cv2
import numpy as np

from converters.evaluation.evaluation_task import ImageResult
from edge import draw
from edge.frame import BgrImage
from edge.results import Classification, Detections

_SIDE = 320
"""Longest side of an image in pixels."""

_MAX_BYTES = 40_000
_GAP = 6


def picture(image: BgrImage, truth: ImageResult, predicted: ImageResult) -> str:
    """Draw an image with its truth and again with the prediction to the right, as a data URI.

    Classes are not drawn: an image with one class is shown once.

    Args:
        image: uint8 BGR [height, width, 3].
        truth: in pixels of the image.
        predicted: in pixels of the image.
    """
    if isinstance(predicted, Classification):
        return _jpeg(_fitted(image))
    panes = [_fitted(_with_truth(image, truth)), _fitted(draw.annotate(image, predicted))]
    gap = np.full((panes[0].shape[0], _GAP, 3), 255, np.uint8)
    return _jpeg(np.concatenate([panes[0], gap, panes[1]], axis=1))


def _with_truth(image: BgrImage, truth: ImageResult) -> BgrImage:
    if not isinstance(truth, Detections):
        return draw.annotate(image, truth)
    copy = image.copy()
    draw.true_boxes(copy, truth.detections)
    return copy


def _fitted(image: BgrImage) -> BgrImage:
    scale = _SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(image: BgrImage) -> str:
    """Encode an image with the highest quality that keeps it small."""
    for quality in range(85, 20, -12):
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(data) <= _MAX_BYTES:
            break
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
