"""Drawing onto frames, in place: boxes, classes, trails, counters and the status line.

Words stand on filled plates, so that they can be read on any background, and grow with the image.
Colors are those of classes, or of tracks where objects have one, and stay the same from run to
run. Nothing fails at the edges of an image: what does not fit is moved, shortened or left out.
"""

from edge.draw.boxes import detections, line, trails, zone
from edge.draw.masks import segmentation
from edge.draw.overlays import classification, status
from edge.draw.side_by_side import side_by_side
from edge.draw.skeleton import poses

__all__ = [
    "classification",
    "detections",
    "line",
    "poses",
    "segmentation",
    "side_by_side",
    "status",
    "trails",
    "zone",
]
