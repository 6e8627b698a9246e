"""Names of classes and given splits of a YOLO data set: data.yaml, classes.txt or obj.names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from converters.dataset import label_files
from converters.dataset.entries import FileTree
from converters.dataset.image_index import ImageIndex
from converters.dataset.listing import class_name
from edge.errors import DatasetError
from edge.modelfile.small_yaml import Node, YamlError, read_keys

_LISTS = frozenset({"classes.txt", "obj.names", "_darknet.labels", "labels.txt", "names.txt"})
_LIST_SUFFIX = ".names"
_YAML = (".yaml", ".yml")
_MAX_PLACES = 50
"""Folders and lists of a split that are looked for."""

_SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""Keys of data.yaml."""


@dataclass(frozen=True, slots=True)
class YoloNames:
    """Names of classes by number.

    ``source``: the file that has them; ``splits``: of images, where the file names their folders;
    ``has_keypoints``: keypoints follow each box; ``used``: names of the files that were read.
    """

    classes: tuple[str, ...]
    source: str
    splits: Mapping[str, str]
    has_keypoints: bool
    used: frozenset[str]


def find(files: FileTree) -> tuple[str, ...]:
    """Return the names of the files with names of classes, the preferred ones first."""
    lists = [name for name in files.labels if _is_list(name)]
    configs = [name for name in files.labels if PurePosixPath(name).suffix.lower() in _YAML]
    with_names = [name for name in configs if "names" in _keys(files, name, strict=False)]
    return (*sorted(with_names, key=_by_depth), *sorted(lists, key=_by_depth))


def read(files: FileTree) -> YoloNames:
    """Read the names of classes.

    Raises:
        DatasetError: there are none, or they differ between the files of splits.
    """
    every = find(files)
    if not every:
        broken = [name for name in files.labels if name.lower().endswith(_YAML)]
        for name in broken:
            _keys(files, name, strict=True)
        raise DatasetError(
            "the names of the classes in data.yaml or classes.txt",
            "neither" if not broken else f"{broken[0]} without the key names",
            "write classes.txt with a name on each line, in the order of the classes' numbers",
            code="yolo-names-missing",
        )
    source, depth = every[0], _by_depth(every[0])[0]
    classes = _classes(files, source)
    for other in every[1:]:
        same_kind = (PurePosixPath(other).suffix in _YAML) == (
            PurePosixPath(source).suffix in _YAML
        )
        if same_kind and _by_depth(other)[0] == depth and _classes(files, other) != classes:
            raise DatasetError(
                "the same names of classes in every file",
                f"different ones in {source} and {other}",
                "keep one of the files",
                code="yolo-names-differ",
            )
    keys = {} if _is_list(source) else _keys(files, source, strict=True)
    return YoloNames(classes, source, _splits(files, keys), "kpt_shape" in keys, frozenset(every))


def _is_list(name: str) -> bool:
    path = PurePosixPath(name.lower())
    return path.name in _LISTS or path.suffix == _LIST_SUFFIX


def _by_depth(name: str) -> tuple[int, str]:
    return name.count("/"), name


def _keys(files: FileTree, name: str, *, strict: bool) -> dict[str, Node]:
    """Return the keys of a YAML file; none where it cannot be read and need not be."""
    try:
        return read_keys(label_files.read_text(files.labels[name], name, label_files.MAX_TABLE))
    except YamlError as error:
        if strict:
            raise _unreadable(name, error) from None
    except DatasetError:
        if strict:
            raise
    return {}


def _classes(files: FileTree, name: str) -> tuple[str, ...]:
    if _is_list(name):
        text = label_files.read_text(files.labels[name], name, label_files.MAX_TABLE)
        lines = [class_name(line) for line in text.splitlines()]
        while lines and not lines[-1]:
            lines.pop()
        return tuple(line or f"class {number}" for number, line in enumerate(lines))
    try:
        return _named(name, _keys(files, name, strict=True)["names"].read())
    except YamlError as error:
        raise _unreadable(name, error) from None


def _named(name: str, names: Any) -> tuple[str, ...]:
    """Return names in the order of their numbers, from a list or from a dictionary by number."""
    if isinstance(names, dict):
        numbers = {int(key): value for key, value in names.items() if key.isdecimal()}
        if len(numbers) == len(names) and set(numbers) == set(range(len(names))):
            names = [numbers[number] for number in range(len(names))]
    if isinstance(names, list) and names and all(isinstance(each, str) for each in names):
        return tuple(class_name(each) for each in names)
    raise _unreadable(name, "names that are no list, and not numbered from 0 without a gap")


def _unreadable(name: str, reason: object) -> DatasetError:
    return DatasetError(
        "names of classes in YAML, such as names: [cat, dog]",
        f"{reason} in {name}",
        "write the names as a list",
        code="yolo-yaml-unreadable",
    )


def _splits(files: FileTree, keys: Mapping[str, Node]) -> dict[str, str]:
    """Return the splits of images whose folders or lists the keys train, val and test name."""
    folders: dict[str, str] = {}
    splits: dict[str, str] = {}
    for key, subset in _SPLITS.items():
        for place in _places(keys.get(key)):
            if place.endswith(".txt"):
                splits.update(_listed(files, place, subset))
            elif folders.setdefault(place, subset) != subset:
                return {}  # train and val are the same folder: no split
    if len(set(folders.values())) > 1:
        for image in files.images:
            parents = PurePosixPath(image.name).parents
            names = [parent.as_posix() for parent in parents]
            subsets = {subset for place, subset in folders.items() if _is_among(place, names)}
            if len(subsets) == 1:
                splits[image.name] = subsets.pop()
    return splits if len(set(splits.values())) > 1 else {}


def _places(node: Node | None) -> Iterable[str]:
    """Return the paths of a key, without the steps up that some tools write."""
    try:
        value = None if node is None else node.read()
    except YamlError:
        return []
    values = value if isinstance(value, list) else [value]
    paths = [each.replace("\\", "/") for each in values[:_MAX_PLACES] if isinstance(each, str)]
    return [
        "/".join(part for part in path.split("/") if part not in ("", ".", "..")) for path in paths
    ]


def _is_among(place: str, folders: list[str]) -> bool:
    """Check for a folder whose path ends with the place, or that the place ends with."""
    return bool(place) and any(
        folder == place or folder.endswith(f"/{place}") or place.endswith(f"/{folder}")
        for folder in folders
        if folder != "."
    )


def _listed(files: FileTree, place: str, subset: str) -> dict[str, str]:
    """Return the images that a list of paths names."""
    name = next((each for each in files.labels if _is_among(place, [each])), None)
    if name is None:
        return {}
    index = ImageIndex(files.images, {})
    text = label_files.read_text(files.labels[name], name, label_files.MAX_TABLE)
    images = (index.find(line) for line in text.splitlines() if line.strip())
    return {image.name: subset for image in images if image is not None}
