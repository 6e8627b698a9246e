"""Pascal VOC: an XML file for each image, beside it or in a folder of its own.

Coordinates are taken as they are: the first pixel is 1 in the original data set, and 0 in what most
tools write; half a pixel matters to nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    """Read files of labels; those that cannot be trusted are left out and reported.

    A file that names another image belongs to that one. Where most files name images that there
    are not, the images were renamed together with their files.
    """
    beside = _images_by_stem(files)
    splits = given_splits.image_sets(files, "Main")
    pages: list[_Page] = []
    broken: list[str] = []
    for name in names:
        try:
            page = _page(files, name, beside.get(_key(name)) or PurePosixPath(name).stem)
        except DatasetError:
            broken.append(name)
            continue
        if page is not None:
            pages.append(page)
    stems = {PurePosixPath(image.name).stem.casefold() for image in files.images}
    renamed = {page.name for page in pages if page.written and page.written not in stems}
    if 2 * len(renamed) <= len(pages):
        renamed = set()
    of_others = [page.name for page in pages if page.written and page.name not in renamed]
    left_out = set(of_others)
    usable = [page for page in pages if page.name not in left_out]
    problems: tuple[tuple[str, Iterable[str], str], ...] = (
        ("labels-unreadable", broken, "Left out the images of {broken XML file}"),
        ("labels-of-another-image", of_others,
         "Left out {XML file} of another image by the name inside"),
        ("labels-renamed", renamed,
         "Took {XML file} as of the image beside, not of that named inside"),
        ("labels-invalid", [page.name for page in usable if page.invalid],
         "{XML file} with objects without a name or box"),
    )  # fmt: skip
    return LabelTable(
        tuple(
            LabeledImage(
                page.image,
                page.name,
                page.objects,
                page.size,
                split=splits.get(PurePosixPath(page.name).stem),
            )
            for page in usable
        ),
        tuple(sorted({thing.label for page in usable for thing in page.objects})),
        frozenset(names) | {name for name in files.labels if given_splits.is_image_set(name)},
        tuple(finding(kind, those, problem) for kind, those, problem in problems if those),
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """An XML file: the image that it is for, by its own name, and what is in it.

    ``written``: the stem of the image that is named in it, in lower case, where this is another.
    """

    name: str
    image: str
    written: str | None
    objects: tuple[LabeledObject, ...]
    size: Size | None
    invalid: bool


def _page(files: FileTree, name: str, image: str) -> _Page | None:
    """Read an XML file; None where it is of something else.

    Raises:
        DatasetError: it cannot be read.
    """
    root = label_files.read_xml(files.labels[name], name)
    if root.tag != "annotation":
        return None
    objects = [_object(element) for element in root.iter("object")]
    usable = tuple(thing for thing in objects if thing is not None)
    return _Page(
        name, image, _other_name(root, image), usable, _size(root), len(usable) < len(objects)
    )


def _other_name(root: Element, image: str) -> str | None:
    """Return the stem of the image that an XML names, whatever the folder; None if this one's."""
    path = PurePosixPath((root.findtext("filename") or "").strip().replace("\\", "/").casefold())
    own = PurePosixPath(image.casefold())
    is_own = not path.name or not {path.name, path.stem}.isdisjoint({own.name, own.stem})
    return None if is_own else path.stem


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
    box = _box(element.find("bndbox")) or _around(element.find("polygon"))
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


def _around(polygon: Element | None) -> Box | None:
    """Return the box around a polygon of elements x1, y1, x2, y2, ..., as some tools write."""
    if polygon is None:
        return None
    corners: dict[str, list[float]] = {"x": [], "y": []}
    for element in polygon:
        value = number((element.text or "").strip())
        if element.tag[:1] in corners and element.tag[1:].isdecimal() and value is not None:
            corners[element.tag[:1]].append(value)
    if min(map(len, corners.values())) < 2:
        return None
    return min(corners["x"]), min(corners["y"]), max(corners["x"]), max(corners["y"])
