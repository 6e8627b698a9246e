"""The folder of ``edge explain``: an overlay for each image, a contact sheet, a record."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2

from edge import draw
from edge.errors import ImageError, OutputError
from edge.explanation import Explanation
from edge.files import atomic_directory, check_result_folder
from edge.frame import BgrImage
from edge.image import read_image

RECORD = "explanations.json"
"""The file by which a folder is known as an earlier result."""

SHEET = "sheet.png"
SHEET_TILES = 120
"""Images on the sheet; further images have their own overlays only."""

ExplainImage = Callable[[BgrImage], tuple[Explanation, dict[str, Any]]]
"""Returns an explanation, and further fields of the image's row."""

Row = dict[str, Any]
"""``{"file", "class", "score", "peak", "method", "overlay", …}``, or ``{"file", "error"}``."""


def write_explanations(
    files: Sequence[Path], explain: ExplainImage, out: Path, show: Callable[[Row], None]
) -> list[Row]:
    """Explain images into the folder ``out``, which appears when all is written.

    Args:
        files: the images; those that cannot be read have an error in their row.
        explain: explains an image.
        out: new, empty, or of an earlier call.
        show: called with each row as soon as it is there.

    Raises:
        ImageError: none of the images can be read.
        ModelError: the model fails.
        OutputError: the folder cannot be written, or has other files.
    """
    _check_output(out, files)
    rows: list[Row] = []
    tiles: list[BgrImage] = []
    names = {Path(SHEET).stem}
    with atomic_directory(out) as staging:
        for file in files:
            try:
                image = read_image(file)
            except ImageError as error:
                rows.append({"file": str(file), "error": str(error)})
            else:
                explanation, more = explain(image)
                name = _free_name(file.stem, names)
                write_png(staging / name, draw.overlay(image, explanation))
                if len(tiles) < SHEET_TILES:
                    tiles.append(draw.tile(image, explanation))
                rows.append(_row(file, explanation, out / name) | more)
            show(rows[-1])
        if not tiles:
            raise _unreadable(rows)
        write_png(staging / SHEET, draw.contact_sheet(tiles))
        (staging / RECORD).write_text(json.dumps(rows, indent=2) + "\n", "utf-8")
    return rows


def write_png(path: Path, picture: BgrImage) -> None:
    """Write a picture, uint8 BGR [h, w, 3], as PNG."""
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())


def _row(file: Path, explanation: Explanation, overlay: Path) -> Row:
    explained = explanation.to_dict()["explained"]
    return {
        "file": str(file),
        "class": explained["label"],
        "score": explained["score"],
        "peak": explained["peak"],
        "method": explained["method"],
        "overlay": str(overlay),
    }


def _free_name(stem: str, names: set[str]) -> str:
    """Return a name for the overlay of an image; images of several folders may share one."""
    name, number = stem, 2
    while name in names:
        name, number = f"{stem}-{number}", number + 1
    names.add(name)
    return f"{name}.png"


def _check_output(out: Path, files: Sequence[Path]) -> None:
    """Refuse a folder where something else would be lost, before any work is done."""
    for file in files:
        check_result_folder(out, file)
    if out.is_dir() and any(out.iterdir()) and not (out / RECORD).is_file():
        raise OutputError(
            "a new or empty output folder, or one of 'edge explain'",
            f"{out}, which contains other files",
            "choose another folder with -o",
            code="output-folder-not-empty",
        )


def _unreadable(rows: Sequence[Row]) -> ImageError:
    return ImageError(
        "an image that can be read",
        f"{len(rows)} that cannot" if len(rows) > 1 else str(rows[0]["error"]),
        "check the paths",
        code="no-readable-image",
    )
