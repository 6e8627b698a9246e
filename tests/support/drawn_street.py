"""A drawn street: people of a generated sequence, and a detector that sees them with its mistakes.

The boxes come from :mod:`sequences`: some are missed, they tremble, and there are false ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from sequences import Detector, Scene, Sequence, generate
from streams import Runtime

from edge.frame import Frame
from edge.results import Detection, Detections
from edge.tasks.task import TaskSettings

SIZE = (640, 360)
FPS = 12.0
SCENE = Scene(
    seed=61, people=9, frames=108, fps=FPS, size=SIZE, height=2.6, speed=1.5, depth=(5.0, 13.0),
    detector=Detector(missed=0.05, ghosts=0.1, doubles=0.0, trembling=0.6),
)  # fmt: skip

_FINE = 4
"""Bits below the pixel in which shapes are drawn."""

_SHIRTS = ("e4572e", "3d9a8b", "f0b429", "5b7db1", "8e6c8a", "d97a9c", "6a994e", "b5651d", "2f6690")
_SKIN = ("f2c9a1", "c98d5f", "8a5a3c")
_HAIR = ("3b2a20", "1f1a17", "7a5230")
_TROUSERS = ("33415c", "4a4e57", "5a4636")


def _bgr(code: str) -> tuple[int, int, int]:
    red, green, blue = (int(code[at : at + 2], 16) for at in (0, 2, 4))
    return blue, green, red


def _polygon(image: NDArray[np.uint8], points: object, code: str) -> None:
    scaled = np.rint(np.asarray(points, np.float64) * 2**_FINE).astype(np.int32)
    cv2.fillPoly(image, [scaled], _bgr(code), cv2.LINE_AA, _FINE)


def _disc(image: NDArray[np.uint8], center: tuple[float, float], radius: float, code: str) -> None:
    at = tuple(round(part * 2**_FINE) for part in center)
    cv2.circle(image, at, round(radius * 2**_FINE), _bgr(code), -1, cv2.LINE_AA, _FINE)


def scenery() -> NDArray[np.uint8]:
    """Houses behind a square of slabs, as seen by a camera at a height of 2.6 m."""
    width, height = SIZE
    horizon = round(0.35 * height)
    image = np.full((height, width, 3), _bgr("cfe3ee"), np.uint8)
    random = np.random.default_rng(4)
    left = 0
    for code in ("d9c7b0", "c4b4a6", "dfd0bd", "b9aca3", "d3bfa8", "c9b8a8", "dccab2"):
        right = left + int(random.integers(80, 120))
        top = int(random.integers(4, 44))
        cv2.rectangle(image, (left, top), (right, horizon + 30), _bgr(code), -1)
        for y in range(top + 12, horizon + 4, 26):
            for x in range(left + 12, right - 18, 24):
                cv2.rectangle(image, (x, y), (x + 11, y + 15), _bgr("8fa5b3"), -1)
        left = right
    ground = horizon + 30
    cv2.rectangle(image, (0, ground), (width, height), _bgr("b8b6ae"), -1)
    focal = 0.9 * width
    for away in (*np.arange(3.0, 16.0), 18.0, 22.0):
        y = round(0.35 * height + focal * SCENE.height / away)
        if ground < y < height:
            cv2.line(image, (0, y), (width, y), _bgr("a6a49c"), 1, cv2.LINE_AA)
    for across in np.arange(-16.0, 17.0, 2.0):
        ends = [
            (round(width / 2 + focal * across / away),
             round(0.35 * height + focal * SCENE.height / away))
            for away in (2.5, 16.0)
        ]  # fmt: skip
        cv2.line(image, *ends, _bgr("a6a49c"), 1, cv2.LINE_AA)
    cv2.rectangle(image, (0, horizon + 26), (width, ground + 3), _bgr("8d8b84"), -1)
    return image


def person(image: NDArray[np.uint8], box: NDArray[np.float64], number: int, phase: float) -> None:
    """Draw a person into a box (x, y, width, height); ``phase`` of the steps, in radians."""
    x, y, wide, tall = box
    middle = x + wide / 2
    hip, shoulder, foot = y + 0.52 * tall, y + 0.19 * tall, y + 0.985 * tall
    stride = 0.13 * tall * np.sin(phase)
    shade = np.array([image])[0]
    overlay = shade.copy()
    cv2.ellipse(
        overlay, (round(middle), round(foot)), (round(0.16 * tall), max(1, round(0.03 * tall))),
        0, 0, 360, _bgr("55534e"), -1, cv2.LINE_AA,
    )  # fmt: skip
    cv2.addWeighted(overlay, 0.35, shade, 0.65, 0, dst=image)
    trousers, shirt = _TROUSERS[number % 3], _SHIRTS[number % len(_SHIRTS)]
    skin, hair = _SKIN[number % 3], _HAIR[(number // 2) % 3]
    thick = 0.075 * tall
    for side in (1, -1):
        _limb(image, (middle, hip - 0.03 * tall), (middle + side * stride, foot), thick, trousers)
    _limb(image, (middle, shoulder + 0.05 * tall),
          (middle + 0.75 * stride, hip), 0.045 * tall, skin)  # fmt: skip
    half = 0.105 * tall
    _polygon(
        image,
        [(middle - half, shoulder), (middle + half, shoulder),
         (middle + 0.8 * half, hip), (middle - 0.8 * half, hip)],
        shirt,
    )  # fmt: skip
    _disc(image, (middle - half * 0.62, shoulder + 0.012 * tall), half * 0.4, shirt)
    _disc(image, (middle + half * 0.62, shoulder + 0.012 * tall), half * 0.4, shirt)
    _limb(image, (middle, shoulder + 0.05 * tall),
          (middle - 0.75 * stride, hip - 0.01 * tall), 0.05 * tall, shirt)  # fmt: skip
    _disc(image, (middle, y + 0.085 * tall), 0.075 * tall, hair)
    _disc(image, (middle, y + 0.1 * tall), 0.062 * tall, skin)


def _limb(
    image: NDArray[np.uint8],
    start: tuple[float, float],
    end: tuple[float, float],
    thick: float,
    code: str,
) -> None:
    along = np.array(end) - np.array(start)
    across = np.array([-along[1], along[0]]) / (np.hypot(*along) + 1e-9) * thick / 2
    corners = [start + across, start - across, end - 0.8 * across, end + 0.8 * across]
    _polygon(image, corners, code)
    _disc(image, end, 0.4 * thick, code)


def frames() -> Iterator[Frame]:
    """The frames of the street, with the farthest person drawn first."""
    backdrop, truth = scenery(), generate(SCENE).truth
    for number in range(SCENE.frames):
        image = backdrop.copy()
        rows = truth[truth[:, 0] == number + 1]
        for row in rows[np.argsort(rows[:, 3] + rows[:, 5])]:
            identity = int(row[1])
            phase = 2 * np.pi * 0.95 * number / FPS + identity
            person(image, row[2:6], identity, phase)
        yield Frame(number, number / FPS, image)


def _no_model() -> Runtime:
    runtime = Runtime(0.0, "cpu", None)
    runtime.name = "generated boxes"
    return runtime


@dataclass(frozen=True)
class StreetDetector:
    """Stands for a detector of people: its boxes are those of the generated sequence."""

    sequence: Sequence = field(default_factory=lambda: generate(SCENE))
    threshold: float = 0.4
    runtime: Runtime = field(default_factory=_no_model)
    notes: tuple[str, ...] = ()
    finds_points: bool = False

    def preprocess(self, _: Frame) -> tuple[()]:
        return ()

    def postprocess(self, _: object, frame: Frame) -> Detections:
        rows = self.sequence.detections
        found = rows[rows[:, 0] == frame.index % SCENE.frames + 1]
        return Detections(
            tuple(
                Detection("person", 0, float(score), (x, y, x + wide, y + tall))
                for x, y, wide, tall, score in found[:, 2:7].tolist()
            )
        )

    def label(self, index: int) -> str:
        return "person"

    def settings(self) -> TaskSettings:
        return TaskSettings(self.threshold, None, ("person",))

    def with_settings(self, settings: TaskSettings) -> "StreetDetector":
        return self
