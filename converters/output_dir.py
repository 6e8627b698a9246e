"""The output folder of a conversion: what may be replaced there."""

from pathlib import Path

from edge.errors import OutputError

REPORT_FILE = "report.json"
"""The file by which an earlier result is known."""


def check(out: Path, dataset: Path, force: bool) -> None:
    """Refuse an output folder that would lose something, before any work is done.

    Raises:
        OutputError: ``out`` exists and may not be replaced, or lies around or in ``dataset``.
    """
    place, photos = out.resolve(), dataset.resolve()
    if place == photos or place in photos.parents or photos in place.parents:
        raise OutputError(
            "an output folder outside the dataset",
            f"{out}, which overlaps with {dataset}",
            "choose another folder with -o",
            code="output-overlaps-input",
        )
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(
            "an output folder",
            f"the file {out}",
            "choose another path with -o",
            code="output-is-file",
        )
    if not any(out.iterdir()):
        return
    if not (out / REPORT_FILE).is_file():
        raise OutputError(
            "a new or empty output folder",
            f"{out}, which contains other files",
            "choose another folder with -o",
            code="output-folder-not-empty",
        )
    if not force:
        raise OutputError(
            "a new or empty output folder",
            f"an earlier result in {out}",
            "add --force to replace it, or choose another folder with -o",
            code="output-exists",
        )
