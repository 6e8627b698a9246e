"""Generated sequences of walking people: what is really there, and what a detector says of it.

People walk on a plane before a pinhole camera, so that paths cross, sizes change and the nearer
hide the farther. The detector misses, trembles, doubts and sees what is not there, about as much
as the detections of MOT15 do. Everything follows from a seed.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

BODY = 1.7
"""Height of a person in meters."""


@dataclass(frozen=True, slots=True)
class Detector:
    """How well people are detected.

    ``missed``: share of plainly visible people not found (in runs of some frames);
    ``ghosts``: false detections a frame; ``doubles``: share of people found a second time, in
    part; ``trembling``: noise of the boxes, 1 for that of MOT15's detections; ``confidence``:
    factor on all scores, which differ from detector to detector; ``visible_only``: whether boxes
    end where a nearer person begins, or go on as if nobody stood there.
    """

    missed: float = 0.06
    ghosts: float = 0.25
    doubles: float = 0.03
    trembling: float = 1.0
    confidence: float = 1.0
    visible_only: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """A sequence to generate: ``size`` in pixels, camera ``height`` in meters, ``speed`` in m/s.

    ``moving``: the camera turns and shakes, ``sway`` times as much as in a walker's hand, and goes
    ``forward`` in m/s; ``depth``: nearest and farthest distance in meters; ``above``: it hangs over
    them and looks down, and nobody hides anybody.
    """

    seed: int
    people: int = 8
    frames: int = 200
    fps: float = 25.0
    size: tuple[int, int] = (960, 540)
    height: float = 2.0
    speed: float = 1.2
    depth: tuple[float, float] = (4.0, 14.0)
    moving: bool = False
    sway: float = 1.0
    forward: float = 0.3
    above: bool = False
    detector: Detector = field(default_factory=Detector)


@dataclass(frozen=True, slots=True)
class Sequence:
    """Rows ``frame, id, x, y, width, height, score``: the true boxes, and the detected (id -1)."""

    truth: Array
    detections: Array


def generate(scene: Scene) -> Sequence:
    """The true and the detected boxes of a scene."""
    rng = np.random.default_rng(scene.seed)
    boxes = _project(scene, _walk(scene, rng), _camera(scene, rng), rng)  # [frames, people, 4]
    visible = np.stack([_visibility(frame, scene.size) for frame in boxes])
    frames, people = np.nonzero(visible > 0.1)
    truth = np.column_stack(
        [frames + 1, people + 1, boxes[frames, people, :4], np.ones(len(frames))]
    )
    shown = boxes[..., :4]
    if scene.detector.visible_only:
        shown = np.stack([_uncovered(frame) for frame in boxes])
    return Sequence(truth, _detect(scene, shown, visible, rng))


def _walk(scene: Scene, rng: np.random.Generator) -> Array:
    """Places on the ground in meters [frames, people, 2] (to the right, away).

    Everyone heads for one point after the other, slower or faster, and now and then stands.
    """
    near, far = scene.depth
    wide = far * 0.8
    low, high = np.array([-wide, near]), np.array([wide, far])
    places = rng.uniform(low, high, (scene.people, 2))
    goals = rng.uniform(low, high, (scene.people, 2))
    pace = scene.speed * rng.uniform(0.5, 1.5, scene.people)
    velocity = np.zeros((scene.people, 2))
    path = np.empty((scene.frames, scene.people, 2))
    step = 1 / scene.fps
    standing = np.zeros(scene.people)
    for frame in range(scene.frames):
        away = goals - places
        distance = np.linalg.norm(away, axis=1, keepdims=True)
        arrived = (distance[:, 0] < 0.5) | (rng.random(scene.people) < 0.1 * step)
        goals[arrived] = rng.uniform(low, high, (int(arrived.sum()), 2))
        standing = np.where(rng.random(scene.people) < 0.06 * step, 2.0, standing - step)
        target = np.where(standing[:, None] > 0, 0, pace[:, None] * away / (distance + 1e-9))
        velocity += (target - velocity) * min(1.0, step / 0.4)
        places += velocity * step
        path[frame] = places
    return path


def _camera(scene: Scene, rng: np.random.Generator) -> Array:
    """Camera of each frame [frames, 3]: meters forward, pan and tilt in radians."""
    seconds = np.arange(scene.frames) / scene.fps
    if not scene.moving:
        return np.zeros((scene.frames, 3))
    shaking = rng.normal(0, 0.004, (scene.frames, 2)).cumsum(axis=0) * np.sqrt(1 / scene.fps)
    pan = 0.12 * np.sin(0.5 * seconds + rng.uniform(0, 6)) + shaking[:, 0]
    tilt = 0.01 * np.sin(2 * np.pi * 1.8 * seconds) + shaking[:, 1]
    return np.stack([scene.forward * seconds, scene.sway * pan, scene.sway * tilt], axis=1)


def _project(scene: Scene, places: Array, camera: Array, rng: np.random.Generator) -> Array:
    """Boxes in pixels and distances [frames, people, 5]: x, y, width, height, meters."""
    if scene.above:
        return _project_down(scene, places, rng)
    focal = scene.size[0] * 0.9
    across, away = places[..., 0], places[..., 1] - camera[:, None, 0]
    across = np.where(away < 1, 1e6, across)  # passed, and out of the image
    away = np.maximum(away, 1)
    middle = scene.size[0] / 2 + focal * (across / away + camera[:, None, 1])
    foot = scene.size[1] * 0.35 + focal * (scene.height / away + camera[:, None, 2])
    tall = focal * BODY * rng.uniform(0.92, 1.08, scene.people) / away
    gait = 2 * np.pi * 0.9 * np.arange(scene.frames)[:, None] / scene.fps
    wide = tall * (0.38 + 0.08 * np.abs(np.sin(gait + rng.uniform(0, 3, scene.people))))
    return np.stack([middle - wide / 2, foot - tall, wide, tall, away], axis=-1)


def _project_down(scene: Scene, places: Array, rng: np.random.Generator) -> Array:
    """The same for a camera above the middle of the ground."""
    near, far = scene.depth
    scale = scene.size[1] / (far - near)
    middle = (places - [0.0, (near + far) / 2]) * scale + np.array(scene.size) / 2
    extent = scale * rng.uniform(0.5, 0.8, (scene.people, 2))
    boxes = np.concatenate([middle - extent / 2, np.broadcast_to(extent, middle.shape)], axis=-1)
    return np.concatenate([boxes, np.full((*places.shape[:2], 1), scene.height)], axis=-1)


def _visibility(boxes: Array, size: tuple[int, int]) -> Array:
    """Share of each box [people, 5] that is in the image and not behind a nearer one."""
    start, end = boxes[:, :2], boxes[:, :2] + boxes[:, 2:4]
    area = boxes[:, 2] * boxes[:, 3]
    inside = np.clip(np.minimum(end, size) - np.maximum(start, 0), 0, None).prod(axis=1) / area
    low = np.maximum(start[:, None], start[None])
    high = np.minimum(end[:, None], end[None])
    covered = np.clip(high - low, 0, None).prod(axis=2) / area[:, None]
    covered *= boxes[None, :, 4] < boxes[:, None, 4]
    return inside * np.prod(1 - covered, axis=1)  # type: ignore[no-any-return]


def _uncovered(boxes: Array) -> Array:
    """The largest part of each box [people, 5] beside or above the one that covers most of it."""
    parts = boxes[:, :4].copy()
    for at, (x, y, wide, tall, away) in enumerate(boxes):
        nearer = boxes[boxes[:, 4] < away]
        start = np.maximum(nearer[:, :2], [x, y])
        end = np.minimum(nearer[:, :2] + nearer[:, 2:4], [x + wide, y + tall])
        common = np.clip(end - start, 0, None).prod(axis=1)
        if not len(common) or common.max() < 0.1 * wide * tall:
            continue
        (left, top), (right, _) = start[common.argmax()], end[common.argmax()]
        beside = [
            (x, y, wide, top - y), (x, y, left - x, tall), (right, y, x + wide - right, tall)
        ]  # fmt: skip
        largest = max(beside, key=lambda part: part[2] * part[3])
        if largest[2] > 0.25 * wide and largest[3] > 0.25 * tall:
            parts[at] = largest
    return parts


def _noise(
    scene: Scene, shape: tuple[int, ...], rng: np.random.Generator, memory: float = 0.08
) -> Array:
    """Normal noise [frames, …] that remembers itself for about ``memory`` seconds."""
    kept = np.exp(-1 / (memory * scene.fps))
    noise = rng.normal(size=shape)
    for frame in range(1, len(noise)):
        noise[frame] = kept * noise[frame - 1] + np.sqrt(1 - kept**2) * noise[frame]
    return noise


def _detect(scene: Scene, boxes: Array, visible: Array, rng: np.random.Generator) -> Array:
    """Rows ``frame, -1, x, y, width, height, score`` of what the detector says."""
    from math import erf

    detector = scene.detector
    luck = 0.5 * (1 + np.vectorize(erf)(_noise(scene, visible.shape, rng, 0.15) / np.sqrt(2)))
    chance = np.clip((visible - 0.25) / 0.4, 0, 1) * (1 - detector.missed)
    detected = luck < chance
    unsure = np.clip(1.4 - 0.9 * visible, 0.5, 1.2) * detector.trembling
    spread = np.array([0.04, 0.035, 0.16, 0.08]) * boxes[..., 3:4] * unsure[..., None]
    spread[..., 2] *= 0.45  # a share of the width, which is less than the height
    error = _noise(scene, boxes.shape, rng) * spread
    middle = boxes[..., :2] + boxes[..., 2:] / 2 + error[..., :2]
    extent = np.maximum(boxes[..., 2:] + error[..., 2:], boxes[..., 2:] * 0.3)
    score = 1 - np.abs(rng.normal(0, 0.03 + 0.5 * (1 - visible) ** 2))
    seen = np.concatenate([middle - extent / 2, extent, np.clip(score, 0.3, 1)[..., None]], axis=-1)
    rows = [np.concatenate([np.full((int(f.sum()), 1), at + 1.0), seen[at][f]], axis=1)
            for at, f in enumerate(detected)]  # fmt: skip
    rows += [_doubles(scene, seen, detected, rng), _ghosts(scene, boxes, rng)]
    table = np.concatenate(rows)
    table[:, 5] *= detector.confidence
    table = np.insert(table, 1, -1.0, axis=1)
    return table[np.lexsort((-table[:, 6], table[:, 0]))]


def _doubles(scene: Scene, seen: Array, detected: Mask, rng: np.random.Generator) -> Array:
    """Parts of people taken for a second person: rows ``frame, x, y, width, height, score``."""
    frames, people = np.nonzero(detected & (rng.random(detected.shape) < scene.detector.doubles))
    part = seen[frames, people].copy()
    part[:, 3] *= rng.uniform(0.4, 0.7, len(part))
    part[:, 2] *= rng.uniform(0.6, 1.2, len(part))
    part[:, 4] = rng.uniform(0.3, 0.8, len(part))
    return np.column_stack([frames + 1.0, part])


def _ghosts(scene: Scene, boxes: Array, rng: np.random.Generator) -> Array:
    """False detections that last one to some frames: rows as of :func:`_doubles`."""
    rows = [np.empty((0, 6))]
    lasting = 2.0
    for first in np.flatnonzero(rng.random(scene.frames) < scene.detector.ghosts / lasting):
        length = rng.geometric(1 / lasting)
        tall = rng.choice(boxes[first, :, 3]) * rng.uniform(0.6, 1.3)
        wide = tall * rng.uniform(0.3, 0.7)
        place = rng.uniform(0, scene.size)
        for frame in range(first, min(first + length, scene.frames)):
            x, y = place + rng.normal(0, 0.03 * tall, 2)
            rows.append(np.array([[frame + 1.0, x, y, wide, tall, rng.uniform(0.3, 0.9)]]))
    return np.concatenate(rows)
