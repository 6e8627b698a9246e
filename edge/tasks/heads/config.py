"""A head described by hand, for models that are not recognised: a TOML file.

head = "yolo-grid"          # or "yolo-rows" (YOLOv5), "yolo-free" (YOLOv8), "ssd"
anchors = { 16 = [[12, 18], [37, 49], [52, 132]], 32 = [[115, 73], [119, 199], [242, 238]] }
letterbox = true            # false: the picture is stretched
mean = [0]                  # a pixel p means (p - mean) / std to the model
std = [255]
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge import reading
from edge.errors import ModelError, UsageError, did_you_mean
from edge.interpreter import Runtime
from edge.tasks.heads import Head, ssd, yolo

HEADS = ("ssd", "yolo-grid", "yolo-rows", "yolo-free")
_KEYS = ("head", "anchors", "letterbox", "mean", "std")


@dataclass(frozen=True, slots=True)
class Config:
    """What a file says; None where it says nothing."""

    head: str
    anchors: dict[int, yolo.Anchors] | None
    letterbox: bool | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None


def read(path: Path) -> Config:
    """Read a description.

    Raises:
        UsageError: the file cannot be read, or says something that is not known.
    """
    values = reading.table(path, "a TOML file that describes a head", _SEE)
    for key in values:
        if key not in _KEYS:
            raise UsageError(
                f"one of {', '.join(_KEYS)} in {path}", f"'{key}'",
                did_you_mean(key, _KEYS, _SEE),
            )  # fmt: skip
    head = values.get("head")
    if head not in HEADS:
        fix = did_you_mean(str(head), HEADS, _SEE)
        raise UsageError(f"head = one of {', '.join(HEADS)} in {path}", repr(head), fix)
    try:
        return Config(
            head,
            _anchors(values.get("anchors")),
            _flag(values.get("letterbox")),
            _numbers(values.get("mean")),
            _numbers(values.get("std")),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"a description of a head in {path}", str(error), _SEE) from None


def build(config: Config, runtime: Runtime, name: str) -> Head:
    """The described head of a model.

    Raises:
        ModelError: the model's outputs are not those of such a head.
    """
    size = (runtime.inputs[0].shape[2], runtime.inputs[0].shape[1])
    spec = runtime.outputs[0]
    head: Head | None = None
    if config.head == "ssd":
        head = ssd.recognise(runtime)
    elif config.head == "yolo-grid":
        if all(len(output.shape) == 4 for output in runtime.outputs):
            head = yolo.grid(runtime, config.anchors or yolo.FASTEST)
    elif len(spec.shape) == 3 and min(spec.shape[1:]) >= 5:
        head = yolo.rows(spec, size, objectness=config.head == "yolo-rows")
    if head is None:
        outputs = ", ".join(str(list(output.shape)) for output in runtime.outputs)
        raise ModelError(
            f"outputs of a head {config.head}", f"{outputs} in {name}", "correct the description"
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
        raise TypeError(f"letterbox = {value!r}, which is neither true nor false")
    return value


def _numbers(value: Any) -> tuple[float, ...] | None:
    if value is None:
        return None
    return tuple(float(entry) for entry in (value if isinstance(value, list) else [value]))
