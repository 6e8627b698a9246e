"""Head descriptions in TOML, for models whose head is not recognized.

head = "yolo-grid"          # or "yolo-rows" (YOLOv5), "yolo-free" (YOLOv8), "ssd"
anchors = { 16 = [[12, 18], [37, 49], [52, 132]], 32 = [[115, 73], [119, 199], [242, 238]] }
letterbox = true            # false: the image is resized without keeping its aspect ratio
mean = [0]                  # a pixel p means (p - mean) / std to the model
std = [255]
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge import toml_config
from edge.errors import ModelError, UsageError, did_you_mean
from edge.interpreter import Runtime
from edge.tasks.detect.heads import DetectionHead, ssd, yolo

HEADS = ("ssd", "yolo-grid", "yolo-rows", "yolo-free")
_KEYS = ("head", "anchors", "letterbox", "mean", "std")


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """Values of a file, None where it has none; ``mean`` and ``std`` come together."""

    head: str
    anchors: dict[int, yolo.Anchors] | None
    letterbox: bool | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None


def read_head_config(path: Path) -> HeadConfig:
    """Read a head description.

    Raises:
        UsageError: the file cannot be read, or has unknown keys or values.
    """
    values = toml_config.table(path, "a TOML file that describes a head", _SEE)
    toml_config.check_keys(values, _KEYS, str(path))
    head = values.get("head")
    if head not in HEADS:
        fix = did_you_mean(str(head), HEADS, _SEE)
        raise UsageError(
            f"head = one of {', '.join(HEADS)} in {path}", repr(head), fix, code="invalid-config"
        )
    try:
        return HeadConfig(
            head,
            _anchors(values.get("anchors")),
            _flag(values.get("letterbox")),
            *_normalization(values),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"a valid head description in {path}",
            str(error),
            _SEE,
            code="invalid-config",
            summary=f"invalid head description in {path}: {error}",
        ) from None


def build_head(config: HeadConfig, runtime: Runtime, name: str) -> DetectionHead:
    """Return the described head of a model.

    Raises:
        ModelError: the model's outputs are not those of such a head.
    """
    size = (runtime.inputs[0].shape[2], runtime.inputs[0].shape[1])
    spec = runtime.outputs[0]
    head: DetectionHead | None = None
    if config.head == "ssd":
        head = ssd.match_head(runtime)
    elif config.head == "yolo-grid":
        if all(len(output.shape) == 4 for output in runtime.outputs):
            head = yolo.grid(runtime, config.anchors or yolo.FASTEST)
    elif len(spec.shape) == 3 and min(spec.shape[1:]) >= 5:
        head = yolo.rows(spec, size, objectness=config.head == "yolo-rows")
    if head is None:
        outputs = ", ".join(str(list(output.shape)) for output in runtime.outputs)
        raise ModelError(
            f"the outputs of a {config.head} head",
            f"{outputs} in {name}",
            "correct the head description",
            code="model-head-mismatch",
        )
    if config.letterbox is not None:
        head = replace(head, letterbox=config.letterbox)  # type: ignore[type-var]
    return head


_SEE = "see the example in 'edge demo detect --help'"


def _anchors(value: Any) -> dict[int, yolo.Anchors] | None:
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


def _normalization(
    values: dict[str, Any],
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    mean, std = (_numbers(key, values.get(key)) for key in ("mean", "std"))
    if (mean is None) != (std is None):
        raise ValueError("std without mean" if mean is None else "mean without std")
    if std is not None and 0 in std:
        raise ValueError(f"std = {values['std']!r} contains 0")
    return mean, std


def _numbers(key: str, value: Any) -> tuple[float, ...] | None:
    if value is None:
        return None
    numbers = value if isinstance(value, list) else [value]
    known = all(type(number) in (int, float) and math.isfinite(number) for number in numbers)
    if not known or len(numbers) not in (1, 3):
        raise ValueError(f"{key} = {value!r} is neither one number nor a list of three")
    return tuple(map(float, numbers))
