"""Labels: the names of a model's outputs, from a file or from the model."""

import re
from collections.abc import Sequence
from pathlib import Path

from edge.errors import LabelsError

BACKGROUND = "background"
_NUMBERED = re.compile(r"(\d+)\s*(?::\s*|\s)(\S.*)")

Labels = tuple[str, ...]


def read_labels(path: str | Path) -> Labels:
    """Read a file of labels: one per line, or every line as ``index label`` or ``index: label``.

    A remark may follow: a paragraph of its own that ends in a full stop.

    Raises:
        LabelsError: the file is missing, empty, or not text.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise LabelsError(
            "a labels file",
            f"{path} ({error.strerror})",
            "check the path",
            code="labels-unreadable",
            summary=f"cannot read {path} ({error.strerror})",
        ) from None
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise LabelsError(
            "labels as text, one per line",
            f"{path}, which is not UTF-8 text",
            "save it as UTF-8",
            code="labels-not-text",
        ) from None
    lines = [line for line in _without_remark(text).splitlines() if line]
    if not lines or "\0" in text:
        raise LabelsError(
            "labels as text, one per line",
            f"{path}, which is {'not text' if lines else 'empty'}",
            "write one label per line",
            code="labels-not-text" if lines else "labels-empty",
        )
    return _unnumbered(lines)


def _without_remark(text: str) -> str:
    """Strip the lines and drop a remark at the end, as in the list of PASCAL VOC's classes."""
    stripped = "\n".join(line.strip() for line in text.splitlines()).rstrip()
    labels, _, last = stripped.rpartition("\n\n")
    return labels if labels and last.endswith(".") else stripped


def _unnumbered(lines: list[str]) -> Labels:
    """Remove the numbers if every line has one, ascending from 0; gaps are filled."""
    matches = [_NUMBERED.fullmatch(line) for line in lines]
    named = {int(match[1]): match[2] for match in matches if match}
    numbers = list(named)
    counts_up = len(named) == len(lines) and numbers == sorted(numbers)
    if not counts_up or numbers[0] != 0 or numbers[-1] > 10 * len(lines):
        return tuple(lines)
    return tuple(named.get(index, f"class {index}") for index in range(numbers[-1] + 1))


def find_labels(model: Path) -> Path | None:
    """Find the labels file next to a model: one named after the model, or ``labels.txt``."""
    own = sorted(
        path
        for path in model.parent.glob("*labels.txt")
        if path.name.startswith(model.stem) and path.is_file()
    )
    common = model.parent / "labels.txt"
    return own[0] if own else common if common.is_file() else None


def fit_labels(labels: Sequence[str], outputs: int, source: str) -> tuple[Labels, tuple[str, ...]]:
    """Fit labels to exactly ``outputs`` classes, with notes on the background class.

    ImageNet models come with 1,000 or, with a background class first, 1,001 outputs, and so do
    label files; the background class is added or dropped as needed.

    Raises:
        LabelsError: the counts differ otherwise.
    """
    first = labels[0].strip().lower() if labels else ""
    if len(labels) == outputs:
        return tuple(labels), ()
    if len(labels) == outputs - 1 and outputs == 1001 and first != BACKGROUND:
        note = f"{source} lacks the model's background class: added it as the first label"
        return (BACKGROUND, *labels), (note,)
    if len(labels) == outputs + 1 and first == BACKGROUND:
        note = f"{source} has a background class that the model lacks: dropped it"
        return tuple(labels[1:]), (note,)
    raise LabelsError(
        f"{outputs} labels, one per output of the model",
        f"{len(labels)} in {source}",
        "pass the right file with --labels",
        code="labels-count-mismatch",
    )
