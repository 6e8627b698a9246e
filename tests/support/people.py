"""People that nobody photographed: poses by number, and what is done to them."""

import numpy as np

from edge.frame import Frame
from edge.results import Keypoint, Pose, Poses
from edge.tasks.pose.keypoints import COCO


def person(seed: int, names: tuple[str, ...] = COCO, score: float = 0.9) -> Pose:
    """A person whose joints are where chance has put them."""
    random = np.random.default_rng(seed)
    places = random.uniform((100, 50), (300, 450), (len(names), 2))
    return Pose(score, tuple(Keypoint(n, *at, score) for n, at in zip(names, places, strict=True)))


def changed(pose: Pose, scale: float = 1.0, dx: float = 0.0, dy: float = 0.0) -> Pose:
    """The same pose at another place and in another size."""
    moved = (Keypoint(k.name, scale * k.x + dx, scale * k.y + dy, k.score) for k in pose.keypoints)
    return Pose(pose.score, tuple(moved))


def flipped(pose: Pose, width: float = 640.0) -> Pose:
    """What a model says of the mirrored image: the left is on the other side, and is a right."""
    sides = {"left": "right", "right": "left"}

    def other(name: str) -> str:
        first, _, rest = name.partition("_")
        return f"{sides[first]}_{rest}" if first in sides else name

    turned = {other(k.name): (width - k.x, k.y, k.score) for k in pose.keypoints}
    return Pose(pose.score, tuple(Keypoint(k.name, *turned[k.name]) for k in pose.keypoints))


class Poser:
    """Stands in for a model of poses: the gray of an image in tens is the number of its person.

    Nobody is in a black one. ``seen`` counts the images that it was shown.
    """

    name, notes, prefetchable = "pose", ("a stand-in",), True

    def __init__(self) -> None:
        self.seen = 0
        self.runtime = self

    def preprocess(self, frame: Frame) -> tuple[np.ndarray, ...]:
        return (frame.image,)

    def invoke(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
        self.seen += 1
        return (np.rint(image.mean() / 10),)

    def postprocess(self, outputs: tuple[np.ndarray, ...], frame: Frame) -> Poses:
        number = int(outputs[0])
        return Poses((person(number), person(number + 100)) if number else ())
