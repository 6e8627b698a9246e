"""Pascal VOC: an XML file for each image, beside it or in a folder of its own.

Coordinates are taken as they are: the first pixel is 1 in the original data set, and 0 in what most
tools write; half a pixel matters to nobody.
"""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from converters.dataset import given_splits, label_files
from converters.dataset.annotations import Size, finding
from converters.dataset.entries import FileTree
from converters.dataset.formats.label_table import Box, LabeledImage, LabeledObject, LabelTable
from converters.dataset.label_files import number
from converters.dataset.listing import class_name
from edge.errors import DatasetError

_SAMPLE, _START = 20, 4096
"""Files of which one has to be of this format, and bytes of each that are read for it."""


def find(files: FileTree) -> tuple[str, ...]:
    """Return the names of the XML files, if the first of them are annotations of images."""
    names = tuple(name for name in sorted(files.labels) if name.lower().endswith(".xml"))
    starts = (label_files.peek(files.labels[name], _START) for name in names[:_SAMPLE])
    return names if any(b"<annotation" in start for start in starts) else ()


def read(files: FileTree, names: Sequence[str]) -> LabelTable:
    """Read files of labels; those that cannot be read are left out and reported."""
    beside = _images_by_stem(files)
    splits = given_splits.image_sets(files, "Main")
    images: list[LabeledImage] = []
    broken: list[str] = []
    of_others: list[str] = []
    invalid: list[str] = []
    for name in names:
        try:
            root = label_files.read_xml(files.labels[name], name)
        except DatasetError:
            broken.append(name)
            continue
        if root.tag != "annotation":
            continue
        own = beside.get(_key(name)) or PurePosixPath(name).stem
        if not _is_of(root, own):
            of_others.append(name)
            continue
        objects = [_object(element) for element in root.iter("object")]
        if None in objects:
            invalid.append(name)
        images.append(
            LabeledImage(
                own,
                name,
                tuple(thing for thing in objects if thing is not None),
                _size(root),
                split=splits.get(PurePosixPath(name).stem),
            )
        )
    return LabelTable(
        tuple(images),
        tuple(sorted({thing.label for image in images for thing in image.objects})),
        frozenset(names) | {name for name in files.labels if given_splits.is_image_set(name)},
        tuple(
            finding(kind, those, problem)
            for kind, those, problem in (
                ("labels-unreadable", broken, "Left out the images of {broken XML file}"),
                (
                    "labels-of-another-image",
                    of_others,
                    "Left out {XML file} of another image by the name inside",
                ),
                ("labels-invalid", invalid, "{XML file} with objects without a name or box"),
            )
            if those
        ),
    )


def _is_of(root: Element, image: str) -> bool:
    """Check that the file name in an XML is that of the image, whatever its folder and suffix."""
    written = (root.findtext("filename") or "").strip().replace("\\", "/").casefold()
    own = PurePosixPath(image.casefold())
    path = PurePosixPath(written)
    return not written or not {path.name, path.stem}.isdisjoint({own.name, own.stem})


def _key(name: str) -> tuple[str, str]:
    """Return what an image and its XML share: the folders but for the innermost, and the stem."""
    path = PurePosixPath(name)
    return path.parent.as_posix(), path.stem


def _images_by_stem(files: FileTree) -> dict[tuple[str, str], str]:
    """Return the images by the folder and stem that their XML has, beside them or parallel."""
    by_stem: dict[tuple[str, str], str] = {}
    for image in files.images:
        folder, stem = _key(image.name)
        for parallel in (folder, *_parallel(folder)):
            by_stem.setdefault((parallel, stem), image.name)
    return by_stem


def _parallel(folder: str) -> Iterable[str]:
    for images, labels in (("JPEGImages", "Annotations"), ("images", "annotations")):
        parts = folder.split("/")
        if images in parts:
            parts[parts.index(images)] = labels
            yield "/".join(parts)


def _size(root: Element) -> Size | None:
    """Return the size in pixels; None where it is missing or 0, as some tools write."""
    width, height = number(root.findtext("size/width")), number(root.findtext("size/height"))
    return (int(width), int(height)) if width and height and min(width, height) >= 1 else None


def _object(element: Element) -> LabeledObject | None:
    label = class_name(element.findtext("name") or "")
    box = _box(element.find("bndbox"))
    if not label or box is None:
        return None
    return LabeledObject(label, box, ignored=(element.findtext("difficult") or "").strip() == "1")


def _box(element: Element | None) -> Box | None:
    if element is None:
        return None
    left, top, right, bottom = (
        number((element.findtext(side) or "").strip()) for side in ("xmin", "ymin", "xmax", "ymax")
    )
    if left is None or top is None or right is None or bottom is None:
        return None
    return left, top, right, bottom
