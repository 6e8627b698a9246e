"""Heads of models that are not recognized, as a TOML file describes them."""

from dataclasses import replace

from edge.errors import ModelError
from edge.interpreter import Runtime
from edge.tasks.detect.heads import DetectionHead, ssd, yolo
from edge.tasks.model_config import ModelConfig


def build_head(config: ModelConfig, runtime: Runtime, name: str) -> DetectionHead:
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
