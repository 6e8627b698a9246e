"""Drawing onto frames: boxes, classes, trails, counters and the status line.

Text stands on filled labels, so that it can be read on any background, and grows with the image.
Colors belong to classes, or to tracks where objects have one, and are the same in every run.
Nothing fails at the edges of an image: what does not fit is moved, shortened or left out.
"""

from pathlib import Path

from edge.draw.boxes import detections, line, trails, true_boxes, zone
from edge.draw.explanations import contact_sheet, overlay, tile
from edge.draw.heatmaps import heatmap
from edge.draw.masks import segmentation
from edge.draw.overlays import classification, matched_poses, status
from edge.draw.skeleton import MIN_KEYPOINT_SCORE, poses
from edge.explanation import Explanation
from edge.frame import BgrImage
from edge.image import as_image, wrong_array
from edge.results import (
    Classification,
    Detections,
    MatchedPoses,
    Poses,
    Result,
    Segmentation,
    TrackedDetections,
)

__all__ = [
    "MIN_KEYPOINT_SCORE",
    "annotate",
    "classification",
    "contact_sheet",
    "detections",
    "heatmap",
    "line",
    "matched_poses",
    "overlay",
    "poses",
    "segmentation",
    "status",
    "tile",
    "trails",
    "true_boxes",
    "zone",
]


def annotate(image: BgrImage | str | Path, result: Result) -> BgrImage:
    """Return a copy of an image, uint8 BGR [height, width, 3], with a result drawn on it.

    A path is read first. Matched poses are drawn next to the image, on one twice as wide.

    Raises:
        ImageError: the file cannot be read, or the array has another shape or dtype, or not the
            size of the result's mask.
    """
    copy = as_image(image).copy()
    if isinstance(result, Classification):
        if isinstance(result, Explanation):
            heatmap(copy, result.heatmap)
        classification(copy, result)
    elif isinstance(result, Detections):
        if isinstance(result, TrackedDetections):
            trails(copy, result.trails)
        detections(copy, result.detections)
    elif isinstance(result, Segmentation):
        if copy.shape[:2] != result.mask.shape:
            raise wrong_array(f"the result's image, uint8 {[*result.mask.shape, 3]}", copy)
        segmentation(copy, result)
    elif isinstance(result, MatchedPoses):
        return matched_poses(copy, result, MIN_KEYPOINT_SCORE)
    elif isinstance(result, Poses):
        poses(copy, result, MIN_KEYPOINT_SCORE)
    else:
        raise TypeError(f"expected a result of a task, found {type(result).__name__}")
    return copy
