"""Labels: the names of a model's outputs, from a file or from the model."""

from collections.abc import Sequence
from pathlib import Path

from edge.errors import LabelsError
from edge.modelfile import label_formats
from edge.modelfile.label_lines import LabelFormatError, Labels, unnamed
from edge.quantities import counted

BACKGROUND = "background"
_BACKGROUNDS = ("background", "_background_", "__background__", "???", "unlabeled", "unlabelled")
_NO_NAMES = ("n/a", "???")

MAX_BYTES = 2 * 1024 * 1024
"""Size of a file of labels; a larger one is something else."""


def read_labels(path: str | Path) -> Labels:
    """Read a file of labels, by class index.

    It is text with one label per line, or with the number of the class and its label, counted from
    0 or 1; CSV; JSON; the ``names`` of a ``data.yaml``; or a label map (``.pbtxt``): see
    :mod:`edge.modelfile.label_formats`. A remark may follow text: a paragraph of its own that ends
    in a full stop.

    Raises:
        LabelsError: the file is missing, empty, not text, or not understood.
    """
    text = _read_text(Path(path))
    try:
        labels = label_formats.parse(text, Path(path).suffix.lower())
    except LabelFormatError as error:
        raise LabelsError(
            "labels: text with one per line, CSV, JSON, data.yaml or .pbtxt",
            f"{path}, which {error}",
            "write one label per line, in the order of the model's classes",
            code="labels-format",
            summary=f"the labels file {path} {error}",
        ) from None
    if not labels:
        raise LabelsError(
            "labels as text, one per line",
            f"{path}, which is empty",
            "write one label per line",
            code="labels-empty",
        )
    return labels


def format_labels(labels: Sequence[str]) -> str:
    """Return the text of a file that :func:`read_labels` reads as exactly these labels.

    It has one label per line. Where names would not come back, because they look like numbered
    lines ("1 euro", "2 dollars") or another format, each line begins with the number of its class.
    """
    plain = "".join(f"{label}\n" for label in labels)
    try:
        if label_formats.parse(plain, ".txt") == tuple(labels):
            return plain
    except LabelFormatError:
        pass
    return "".join(f"{index}: {label}\n" for index, label in enumerate(labels))


def is_background(label: str) -> bool:
    """Return whether a label stands for the background."""
    return label.strip().lower() in _BACKGROUNDS


def is_unused(label: str, index: int) -> bool:
    """Return whether a label only fills the place of a class that the model never reports."""
    return label.strip().lower() in _NO_NAMES or label == unnamed(index)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
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
        text = "\0"
    if "\0" in text or len(data) > MAX_BYTES:
        raise LabelsError(
            "labels as text, one per line",
            f"{path}, which is {'not UTF-8 text' if chr(0) in text else 'too large'}",
            "choose the file of labels, and save it as UTF-8",
            code="labels-not-text",
        )
    return text


def find_labels(model: Path) -> Path | None:
    """Find the labels file next to a model: one named after the model, or ``labels.txt``.

    A file that is named after another model with a longer name belongs to that.
    """
    longer = [
        other.stem
        for other in model.parent.glob("*.tflite")
        if other.stem.startswith(model.stem) and other.stem != model.stem
    ]
    own = sorted(
        path
        for path in model.parent.glob("*labels.txt")
        if path.name.startswith(model.stem)
        and (path.name == f"{model.stem}labels.txt" or not path.name[len(model.stem)].isalnum())
        and not path.name.startswith(tuple(longer))
        and path.is_file()
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
    background = bool(labels) and is_background(labels[0])
    if len(labels) == outputs:
        return tuple(labels), ()
    if len(labels) == outputs - 1 and outputs == 1001 and not background:
        note = f"{source} lacks the model's background class: added it as the first label"
        return (BACKGROUND, *labels), (note,)
    if len(labels) == outputs + 1 and background:
        note = f"{source} has a background class that the model lacks: dropped it"
        return tuple(labels[1:]), (note,)
    raise LabelsError(
        f"{counted(outputs, 'label')}, one per output of the model",
        f"{len(labels)} in {source}",
        "pass the right file with --labels",
        code="labels-count-mismatch",
    )
