"""Data sets of boxes and masks with mutated files of labels, for fuzzing their readers."""

import copy
import io
import json
import random
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from labeled_images import Content, coco, write_tree
from PIL import Image

from converters.dataset import intake
from converters.dataset.box_audit import audit_boxes
from converters.dataset.mask_audit import audit_masks
from converters.progress import SilentProgress
from edge.errors import EdgeError

SECONDS, MEGABYTES = 1.0, 1000
"""Of processor and memory that a case may take."""

_ODD = (
    None, True, False, 0, -1, 1, 255, 256, 0.5, 1e300, 1e-300, 2**31, 2**63, 2**70, "", "a", "0",
    "a.jpg", "../../etc/passwd", "/dev/zero", "\0", "\ud800", [], {}, [[]], [None], {"a": 1},
    [1, 2], "9" * 400, "NaN", [[1, 2, 3, 4, 5, 6]],
)  # fmt: skip
_PIECES = (
    b"0", b"-", b"1e9", b".", b"\n", b",", b"<a>", b"nan", b'"', b"[", b"{", b":", b" ", b"&x;",
    b"\xff", b"\0", b"255", b"<!DOCTYPE a []>",
)  # fmt: skip

_BOX = {"x": 10, "y": 20, "width": 50, "height": 40, "rotation": 30, "rectanglelabels": ["cat"]}
_SIZE = {"original_width": 40, "original_height": 30, "image_rotation": 0}
_BRUSH = {"format": "rle", "rle": [0, 0, 0, 24, 57, 27, 252, 96, 19, 255, 206, 1, 31, 248],
          "brushlabels": ["cat"]}  # fmt: skip
_COCO = coco(
    [{"id": 7, "file_name": "a.jpg", "width": 40, "height": 30},
     {"id": 8, "file_name": "images/b.jpg", "width": 20, "height": 15}],
    [{"id": 1, "image_id": 7, "category_id": 1, "bbox": [4, 5, 10, 20], "iscrowd": 0,
      "segmentation": [[4, 5, 14, 5, 14, 25]]},
     {"id": 2, "image_id": 8, "category_id": 2, "bbox": [0, 0, 20, 15], "iscrowd": 1,
      "segmentation": {"size": [15, 20], "counts": [100, 50, 150]}},
     {"id": 3, "image_id": 7, "category_id": 2,
      "segmentation": {"size": [30, 40], "counts": "T3b0"}}],
)  # fmt: skip
_TASKS = [
    {"id": 1, "data": {"image": "/data/upload/1/0a1b2c3d-a.jpg"}, "annotations": [{"result": [
        {**_SIZE, "type": "rectanglelabels", "value": _BOX},
        {"original_width": 3, "original_height": 2, "value": _BRUSH},
        {**_SIZE, "value": {"points": [[1, 2], [3, 50], [60, 70]], "polygonlabels": ["dog"]}},
    ]}]},
    {"id": 2, "image": "b.jpg", "label": [{**_BOX, **_SIZE}]},
]  # fmt: skip
_XML = (
    "<annotation><filename>a.jpg</filename><size><width>40</width><height>30</height></size><object>"
    "<name>cat</name><difficult>0</difficult><bndbox><xmin>4</xmin><ymin>5</ymin><xmax>14</xmax>"
    "<ymax>25</ymax></bndbox></object></annotation>"
)
_YOLO = "1 0.5 0.5 0.25 0.5\n0 .1 .1 .5 .1 .5 .5\n"
_YAML = "path: ../x\ntrain: images\nval: [images/val, x.txt]\nnames:\n  0: cat\n  1: dog\nnc: 2\n"
_CSV = "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,40,30,cat,4,5,14,25\n"
_CELLS = json.dumps([{**_BOX, **_SIZE}]).replace('"', '""')


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """What became of a case; ``failure``: why it is one, else None."""

    kinds: tuple[str, ...]
    seconds: float
    failure: str | None


def label_cases(count: int, seed: int) -> Iterator[dict[str, Content]]:
    """Yield the files of data sets, the same for the same seed."""
    random_ = random.Random(seed)
    for _ in range(count):
        yield {**_images(random_), **random_.choice(_MAKERS)(random_)}


def label_outcome(files: dict[str, Content], root: Path) -> LabelOutcome:
    """Read a data set for every task that its labels allow."""
    shutil.rmtree(root, ignore_errors=True)
    write_tree(root, files)
    start = time.process_time()
    kinds: list[str] = []
    failure = None
    try:
        opened = intake.open_dataset(root, root)
        for task in opened.recognition.tasks:
            try:
                _READERS[task](opened)
                kinds.append(task)
            except EdgeError as error:
                kinds.append(error.code)
    except EdgeError as error:
        kinds.append(error.code)
    except Exception as error:
        failure = repr(error)[:200]
    seconds = time.process_time() - start
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if failure is None and (seconds > SECONDS or used > MEGABYTES):
        failure = f"{seconds:.1f} s, {used:.0f} MB"
    return LabelOutcome(tuple(kinds), seconds, failure)


_READERS: dict[str, Callable[[intake.OpenedDataset], object]] = {
    "classify": intake.label_images,
    "detect": lambda opened: audit_boxes(intake.list_boxes(opened), (320, 320)).sentences(),
    "segment": lambda opened: audit_masks(intake.list_masks(opened), SilentProgress()).sentences(),
}


def _images(random_: random.Random) -> dict[str, Content]:
    jpeg = cv2.imencode(".jpg", np.full((30, 40, 3), 99, np.uint8))[1].tobytes()
    broken = random_.random() < 0.2
    return {"images/a.jpg": _bytes(random_, jpeg) if broken else jpeg, "images/b.jpg": (20, 15)}


def _coco(random_: random.Random) -> dict[str, Content]:
    return {"annotations.json": _json(random_, _COCO)}


def _label_studio(random_: random.Random) -> dict[str, Content]:
    return {"project.json": _json(random_, _TASKS)}


def _pascal_voc(random_: random.Random) -> dict[str, Content]:
    other = _XML.replace("a.jpg", "b.jpg")
    return {"annotations/a.xml": _bytes(random_, _XML), "annotations/b.xml": other,
            "ImageSets/Main/train.txt": _bytes(random_, "a\n"),
            "ImageSets/Main/val.txt": _bytes(random_, "b\n")}  # fmt: skip


def _yolo(random_: random.Random) -> dict[str, Content]:
    return {"labels/a.txt": _bytes(random_, _YOLO), "labels/b.txt": _bytes(random_, _YOLO),
            "data.yaml": _bytes(random_, _YAML),
            "x.txt": _bytes(random_, "images/b.jpg\n")}  # fmt: skip


def _tables(random_: random.Random) -> dict[str, Content]:
    tasks = f'id,image,label\n1,a.jpg,"{_CELLS}"\n'
    text = random_.choice((_CSV, "cat,4,5,10,20,a.jpg,40,30\n", tasks))
    return {"labels.csv": _bytes(random_, text)}


def _masks(random_: random.Random) -> dict[str, Content]:
    names, text = random_.choice((
        ("classes.txt", "0 background\n1 cat\n2 dog\n"),
        ("labelmap.txt", "# label\nbackground:0,0,0::\ncat:128,0,0::\n"),
        ("_classes.csv", "Pixel Value, Class\n0, background\n1, cat\n2, dog\n"),
    ))  # fmt: skip
    image = Image.fromarray(np.arange(1200, dtype=np.uint8).reshape(30, 40) % 3, "P")
    image.putpalette(list(range(256)) * 3)
    file = io.BytesIO()
    image.save(file, "PNG", bits=random_.choice((2, 4, 8)))
    return {
        "masks/a.png": _bytes(random_, file.getvalue()),
        "masks/b.png": np.ones((15, 20), np.uint8),
        names: _bytes(random_, text),
    }


_MAKERS = (_coco, _coco, _label_studio, _label_studio, _pascal_voc, _yolo, _tables, _masks)


def _json(random_: random.Random, content: Any) -> str | bytes:
    text = json.dumps(_changed(random_, content, random_.choice((0.01, 0.05, 0.2))))
    return text if random_.random() < 0.7 else _bytes(random_, text)


def _changed(random_: random.Random, value: Any, share: float) -> Any:
    """Replace, drop, repeat and shuffle a share of the values in JSON."""
    if random_.random() < share:
        return copy.deepcopy(random_.choice(_ODD))
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if random_.random() > share / 3}
        return {key: _changed(random_, each, share) for key, each in kept.items()}
    if isinstance(value, list):
        items = [_changed(random_, each, share) for each in value]
        if random_.random() < share:
            items *= random_.choice((0, 2, 3))
        if random_.random() < share:
            random_.shuffle(items)
        return items
    return value


def _bytes(random_: random.Random, content: str | bytes) -> bytes:
    """Replace, drop, insert, repeat and cut bytes."""
    data = bytearray(
        content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    )
    for _ in range(random_.randint(0, 6)):
        if not data:
            break
        at, kind = random_.randrange(len(data)), random_.randrange(6)
        if kind < 2:
            data[at] = random_.randrange(256)
        elif kind == 2:
            del data[at : at + random_.randint(1, 9)]
        elif kind == 3:
            data[at:at] = random_.choice(_PIECES)
        elif kind == 4:
            other = random_.randrange(len(data))
            data[at:at] = data[other : other + random_.randint(1, 30)]
        else:
            del data[at:]
    return bytes(data)
