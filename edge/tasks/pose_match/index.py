"""Index of the poses in a folder of images or in a video.

Poses are cached by the content of a file and of the model, so that a moved image costs nothing,
and a new one only itself. An interrupted folder continues with the next image; a video, where each
frame helps with the next, starts again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge import sources
from edge.errors import CorruptFrameError, ImageError, SourceError, UsageError
from edge.files import native_path
from edge.frame import BgrImage, Frame
from edge.image import read_image
from edge.modelfile.normalization import Normalization
from edge.quantities import counted
from edge.sources import images as files
from edge.sources.source import SourceOptions
from edge.tasks.pose.estimator import PoseEstimator
from edge.tasks.pose_match.cache import CachedPoses, PoseCache, pose_cache
from edge.tasks.pose_match.similarity import (
    KeypointArray,
    PoseDatabase,
    keypoint_array,
    normalize_pose,
    pose_database,
)

Progress = Callable[[int, int], None]
"""Called with the images or frames that are done, and how many there are in all."""


@dataclass(frozen=True, slots=True)
class PoseLocation:
    """Location of a pose: the file, the frame in a video, and a small copy of the image."""

    name: str
    frame: int | None
    image: Path


@dataclass(frozen=True, slots=True, eq=False)
class PoseIndex:
    """Poses to choose from, and their locations; ``notes``: sentences about what was left out."""

    database: PoseDatabase
    locations: tuple[PoseLocation, ...]
    notes: tuple[str, ...]


def build_index(
    address: str,
    model: Path,
    open_estimator: Callable[[], PoseEstimator],
    progress: Progress = lambda done, total: None,
    chosen: Normalization | None = None,
) -> PoseIndex:
    """Return the poses of ``address``: a directory or glob of images, an image, or a video.

    Of several people in an image, the first one that the task reports is used.

    Args:
        address: As the address of a source.
        model: The model's file; poses are cached by its content.
        open_estimator: Opens that model; called if something is not cached yet.
        progress: Called with the number of images or frames that are done, and of all.
        chosen: The normalization that was chosen for the model, None for its own.

    Raises:
        SourceError: there are no images, or nobody is in them.
        UsageError: a camera or stream, which has no end.
        OutputError: the cache cannot be written.
        ModelError, DelegateError: the model fails.
    """
    scheme, where = sources.resolve(address)
    if scheme == "video" and not Path(where).exists():
        raise SourceError(
            "a directory of images, or a video",
            f"no such file or directory {where}",
            "check the path",
            code="source-not-found",
        )
    cache = pose_cache(model, chosen)
    if scheme == "images":
        locations, vectors, notes = _index_images(where, cache, open_estimator, progress)
    elif scheme == "video":
        locations, vectors, notes = _index_video(where, cache, open_estimator, progress)
    else:
        raise UsageError(
            "a directory of images, or a video",
            f"--index {address}",
            "record it to a file first",
            code="index-not-a-file",
        )
    if not locations:
        raise SourceError(
            f"people whose body is mostly visible in {address}",
            "none",
            "use images that show whole bodies",
            code="no-poses-found",
        )
    return PoseIndex(pose_database(vectors), tuple(locations), notes)


_Poses = tuple[list[PoseLocation], list[NDArray[np.float32]], tuple[str, ...]]
"""Locations, their normalized bodies, and notes."""


def _index_images(
    address: str, cache: PoseCache, open_estimator: Callable[[], PoseEstimator], progress: Progress
) -> _Poses:
    task: PoseEstimator | None = None

    def estimate(path: Path) -> Iterator[tuple[BgrImage, KeypointArray | None]]:
        nonlocal task
        image = read_image(path)
        task = task or open_estimator()
        yield image, _body(task, Frame(0, 0.0, image, str(path)))

    locations: list[PoseLocation] = []
    vectors: list[NDArray[np.float32]] = []
    unreadable = 0
    paths = files.find_images(address)
    for done, path in enumerate(paths):
        progress(done, len(paths))
        try:
            stored = cache.get(path, partial(estimate, path))
        except ImageError:
            unreadable += 1
            continue
        for _, vector in _normalized(stored):
            locations.append(PoseLocation(path.name, None, stored.image(0)))
            vectors.append(vector)
    progress(len(paths), len(paths))
    notes = (
        (f"{unreadable} of {counted(len(paths), 'image')} in {address} cannot be read",)
        if unreadable
        else ()
    )
    return locations, vectors, notes


def _index_video(
    address: str, cache: PoseCache, open_estimator: Callable[[], PoseEstimator], progress: Progress
) -> _Poses:
    path = Path(address)
    source = sources.open_source(address, SourceOptions())  # reports an unusable file early

    def estimate() -> Iterator[tuple[BgrImage, KeypointArray | None]]:
        task = open_estimator()
        with native_path(path) as name:
            total = int(cv2.VideoCapture(name).get(cv2.CAP_PROP_FRAME_COUNT))
        done = 0
        while True:
            try:
                frame = source.read()
            except CorruptFrameError:
                continue
            if frame is None:
                return
            done = frame.index + 1
            progress(done, max(done, total))
            yield frame.image, _body(task, frame)

    try:
        stored = cache.get(path, estimate)
    finally:
        source.close()
    rows = list(_normalized(stored))
    locations = [PoseLocation(path.name, number, stored.image(number)) for number, _ in rows]
    return locations, [vector for _, vector in rows], ()


def _normalized(stored: CachedPoses) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for number, body in enumerate(stored.bodies):
        if (vector := normalize_pose(body)) is not None:
            yield number, vector


def _body(task: PoseEstimator, frame: Frame) -> KeypointArray | None:
    """Return the body of the first person, if enough of it is visible to compare."""
    result = task.postprocess(task.runtime.invoke(*task.preprocess(frame)), frame)
    body = keypoint_array(result.poses[0]) if result.poses else None
    return body if body is not None and normalize_pose(body) is not None else None
