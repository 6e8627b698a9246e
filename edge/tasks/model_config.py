"""What a TOML file next to a model says of it: normalization, and a detector's head.

``birds.toml`` next to ``birds.tflite``:

mean = [0]                  # a pixel p of 0–255 means (p - mean) / std to the model:
std = [255]                 # one number each, or three for R, G, B
head = "yolo-grid"          # or "yolo-rows" (YOLOv5), "yolo-free" (YOLOv8), "ssd"
anchors = { 16 = [[12, 18], [37, 49], [52, 132]], 32 = [[115, 73], [119, 199], [242, 238]] }
letterbox = true            # false: the image is resized without keeping its aspect ratio

All keys are optional; ``anchors`` and ``letterbox`` belong to a head.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import toml_config
from edge.errors import UsageError, did_you_mean
from edge.modelfile.normalization import Normalization, normalization

HEADS = ("ssd", "yolo-grid", "yolo-rows", "yolo-free")
_KEYS = ("head", "anchors", "letterbox", "mean", "std")

Anchors = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Values of a file, None where it has none.

    Attributes:
        head: One of ``HEADS``.
        anchors: Width and height in pixels, by stride.
        letterbox: True where the image keeps its aspect ratio in the model's input.
        normalization: From pixels to the model's input.
    """

    head: str | None = None
    anchors: dict[int, Anchors] | None = None
    letterbox: bool | None = None
    normalization: Normalization | None = None


def find_config(model: Path) -> Path | None:
    """Return the TOML file of a model: named after it, else after the model for the CPU."""
    names = (model.with_suffix(".toml"), cpu_path(model).with_suffix(".toml"))
    return next((path for path in names if path != model and path.is_file()), None)


def cpu_path(model: Path) -> Path:
    """Return the path of the model for the CPU: the name without the last ``_edgetpu``."""
    before, _, after = model.name.rpartition("_edgetpu")
    return model.with_name(before + after)


def read_model_config(path: Path) -> ModelConfig:
    """Read what a TOML file says of a model.

    Raises:
        UsageError: the file cannot be read, or has unknown keys or values.
    """
    values = toml_config.table(path, "a TOML file that describes a model", _SEE)
    toml_config.check_keys(values, _KEYS, str(path))
    head = values.get("head")
    if head not in HEADS and {"head", "anchors", "letterbox"} & values.keys():
        fix = did_you_mean(str(head), HEADS, _SEE)
        raise UsageError(
            f"head = one of {', '.join(HEADS)} in {path}", repr(head), fix, code="invalid-config"
        )
    try:
        return ModelConfig(
            head,
            _anchors(values.get("anchors")),
            _flag(values.get("letterbox")),
            normalization(values.get("mean"), values.get("std")),
        )
    except (TypeError, ValueError, AttributeError, UsageError) as error:
        problem = error.found if isinstance(error, UsageError) else str(error)
        raise UsageError(
            f"a valid description of a model in {path}",
            problem,
            _SEE,
            code="invalid-config",
            summary=f"invalid description of a model in {path}: {problem}",
        ) from None


_SEE = "see the example in 'edge demo detect --help'"


def _anchors(value: Any) -> dict[int, Anchors] | None:
    if value is None:
        return None
    return {
        int(stride): tuple((float(wide), float(high)) for wide, high in pairs)
        for stride, pairs in value.items()
    }


def _flag(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"letterbox = {value!r} is neither true nor false")
    return value
