"""The poses of a folder of images or of a video, to be looked for.

What is found is kept in the cache by the content of a file and the model, so that an image which
was moved costs nothing, and a new one only itself. A folder that was interrupted goes on with the
next image; a video, in which each frame helps with the next, starts again.
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
from edge.frame import BgrImage, Frame
from edge.image import read_image
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
    """Where a pose is: the file, the frame in a video, and a small copy of the image."""

    name: str
    frame: int | None
    image: Path


@dataclass(frozen=True, slots=True, eq=False)
class PoseIndex:
    """Poses to be looked for, and where each is; ``notes``: sentences about what was left out."""

    database: PoseDatabase
    locations: tuple[PoseLocation, ...]
    notes: tuple[str, ...]


def build_index(
    address: str,
    model: Path,
    poser: Callable[[], PoseEstimator],
    progress: Progress = lambda done, total: None,
) -> PoseIndex:
    """The poses of ``address``: a folder or pattern of images, an image, or a video.

    Of an image with several people it is the first that the task reports.

    Args:
        address: as a source is written.
        model: the model's file, by whose content poses are kept.
        poser: opens that model; called where something is not kept yet.
        progress: told how far it is.

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
    kept = pose_cache(model)
    if scheme == "images":
        places, vectors, notes = _of_images(where, kept, poser, progress)
    elif scheme == "video":
        places, vectors, notes = _of_video(where, kept, poser, progress)
    else:
        raise UsageError(
            "a directory of images, or a video",
            f"--index {address}",
            "record it to a file first",
            code="index-not-a-file",
        )
    if not places:
        raise SourceError(
            f"people whose body is mostly visible in {address}",
            "none",
            "use images that show whole bodies",
            code="no-poses-found",
        )
    return PoseIndex(pose_database(vectors), tuple(places), notes)


_Found = tuple[list[PoseLocation], list[NDArray[np.float32]], tuple[str, ...]]
"""Places, their normalized bodies, and notes."""


def _of_images(
    address: str, kept: PoseCache, poser: Callable[[], PoseEstimator], progress: Progress
) -> _Found:
    task: PoseEstimator | None = None

    def look(path: Path) -> Iterator[tuple[BgrImage, KeypointArray | None]]:
        nonlocal task
        image = read_image(path)
        task = task or poser()
        yield image, _body(task, Frame(0, 0.0, image, str(path)))

    places: list[PoseLocation] = []
    vectors: list[NDArray[np.float32]] = []
    unread = 0
    paths = files.find_images(address)
    for done, path in enumerate(paths):
        progress(done, len(paths))
        try:
            stored = kept.get(path, partial(look, path))
        except ImageError:
            unread += 1
            continue
        for _, vector in _usable(stored):
            places.append(PoseLocation(path.name, None, stored.image(0)))
            vectors.append(vector)
    progress(len(paths), len(paths))
    notes = (f"{unread} of {len(paths)} images in {address} cannot be read",) if unread else ()
    return places, vectors, notes


def _of_video(
    address: str, kept: PoseCache, poser: Callable[[], PoseEstimator], progress: Progress
) -> _Found:
    path = Path(address)
    source = sources.open_source(address, SourceOptions())  # tells what is wrong with a file

    def look() -> Iterator[tuple[BgrImage, KeypointArray | None]]:
        task = poser()
        total = int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))
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
        stored = kept.get(path, look)
    finally:
        source.close()
    rows = list(_usable(stored))
    places = [PoseLocation(path.name, number, stored.image(number)) for number, _ in rows]
    return places, [vector for _, vector in rows], ()


def _usable(stored: CachedPoses) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for number, one in enumerate(stored.bodies):
        if (vector := normalize_pose(one)) is not None:
            yield number, vector


def _body(task: PoseEstimator, frame: Frame) -> KeypointArray | None:
    """The body of the first person, if enough of it is seen to compare."""
    found = task.postprocess(task.runtime.invoke(*task.preprocess(frame)), frame)
    one = keypoint_array(found.poses[0]) if found.poses else None
    return one if one is not None and normalize_pose(one) is not None else None
