"""What both ways of quantization-aware training share: options, ranges, training, the file.

Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from converters import tflite
from converters.compress import distillation
from converters.compress.context import RecipeContext, RecipeState
from converters.compress.keras_models import strip_wrappers
from converters.training import epochs

_DECAY = 0.999
"""Of the moving average in which the toolkit keeps the range of an activation."""

_ROUNDS = 2
"""The ranges of a first round are found behind layers whose own were still wrong."""

_NARROWEST = 1e-4
"""The least range of a channel's weights, in parts of the largest of its layer."""

_RANGES = tuple(
    f"{what}_{end}:0"
    for what in ("output", "pre_activation", "post_activation")
    for end in ("min", "max")
)


@dataclass(frozen=True, slots=True)
class QatOptions:
    """``epochs``, ``rate`` and ``hard`` as in :class:`converters.compress.distillation.DistillationConfig`;
    ``input_type`` and ``output_type``: what the file takes and gives, of ``quantize.TYPES``.

    Raises:
        UsageError: a value out of its range.
    """

    epochs: int = 3
    rate: float = 1e-4
    hard: float = 0.1
    input_type: str = "uint8"
    output_type: str = "uint8"

    def __post_init__(self) -> None:
        tflite.check_types(self.input_type, self.output_type)
        self.plan()

    def plan(self) -> distillation.DistillationConfig:
        return distillation.DistillationConfig(
            "quantization-aware training", self.epochs, self.rate, hard=self.hard
        )


def learn(
    draft: RecipeState, wrapped: Any, options: QatOptions, material: RecipeContext
) -> RecipeState:
    """The draft with the file of ``wrapped`` once it is trained, and the plain model behind it.

    Args:
        draft: its model is what ``wrapped`` was made of.
        wrapped: a model within the toolkit's quantization wrappers.
        options: how to train, and the types at the file's ends.
        material: images, and the teacher.

    Raises:
        ConversionError: the converter refused the model, or the scale of the input is not that of
            a pixel.
    """
    calibrate_ranges(wrapped, material)
    done = distillation.distil(wrapped, material.teacher, material, options.plan())
    floor_weight_ranges(wrapped)
    content = tflite.from_qat_model(
        wrapped,
        material.dataset.preprocessing,
        input_type=options.input_type,
        output_type=options.output_type,
    )
    plain = strip_wrappers(wrapped, like=draft.model)
    details = {"recovery": done.to_dict()}
    return replace(draft, model=plain, content=content, details=(*draft.details, details))


def calibrate_ranges(wrapped: Any, material: RecipeContext) -> None:
    """Give every activation the range that it has on the calibration set.

    A moving average starts at -6 to 6 and forgets that only after thousands of steps. As Adam does
    with its moments, its start is taken out: after n steps it still weighs decay ** n.
    """
    preprocessing = material.dataset.preprocessing
    inputs = np.concatenate(
        list(tflite.representative_samples(material.calibration, preprocessing))
    )
    batches = np.array_split(inputs, -(-len(inputs) // 32))
    ranges = [w for w in wrapped.non_trainable_weights if w.name.endswith(_RANGES)]
    with epochs.batch_norm_frozen(wrapped):
        for _ in range(_ROUNDS):
            before = [value.numpy() for value in ranges]
            for batch in batches:
                wrapped(batch, training=True)
            weight = _DECAY ** len(batches)
            for value, start in zip(ranges, before, strict=True):
                value.assign((value - weight * start) / (1 - weight))


def floor_weight_ranges(wrapped: Any) -> None:
    """Give channels without weights a range, which changes nothing that ``wrapped`` says.

    The bias of a channel counts in steps of its weights' range. Where that is next to nothing,
    the bias does not fit into 32 bits, and the converter cuts it off without a word.
    """
    values = {weight.name: weight for weight in wrapped.non_trainable_weights}
    for name, most in values.items():
        if name.endswith("kernel_max:0") and most.shape.rank == 1:
            least = values[name.replace("kernel_max:0", "kernel_min:0")]
            floor = _NARROWEST * max(float(np.max(most)), float(-np.min(least)))
            most.assign(np.maximum(most, floor))
            least.assign(np.minimum(least, -floor))
