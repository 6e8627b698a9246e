"""How metadata describes the outputs of each task; see :mod:`edge.modelfile.metadata_writer`."""

from edge.modelfile.flatbuffer_writer import Part, Scalar, Table, Tables, numbers, scalar, text
from edge.modelfile.metadata import (
    LABELS_FILE,
    TENSOR_AXIS_LABELS,
    TENSOR_VALUE_LABELS,
    THRESHOLDING_OPTIONS,
    ModelMetadata,
)
from edge.modelfile.tflite import ModelFile, TensorInfo

_FEATURES, _BOUNDING_BOX = 1, 3  # of ContentProperties
_BOUNDARIES = 1  # of BoundingBoxType: two corners; in parts of the image by default
_CORNERS = (1, 0, 3, 2)  # where left, top, right and bottom are among y1, x1, y2, x2

_POST_PROCESSING = "TFLite_Detection_PostProcess"

Fields = dict[int, Scalar | Part]


def describe_outputs(file: ModelFile, metadata: ModelMetadata) -> list[Table]:
    """Return the descriptions of all outputs, in their order."""
    if metadata.task == "detect":
        if any(operation.custom == _POST_PROCESSING for operation in file.main.operators):
            return _selected_boxes(metadata)
        return [_level(tensor, metadata) for tensor in file.outputs]
    if metadata.task == "segment":
        return [_logits(tensor, metadata) for tensor in file.outputs]
    return [_scores(metadata)] + [Table({0: text(tensor.name)}) for tensor in file.outputs[1:]]


def file_entry(name: str, description: str, kind: int = 0) -> Table:
    """Return the entry of a packed file; ``kind``: its AssociatedFileType."""
    fields: Fields = {0: text(name), 1: text(description)}
    return Table(fields | {2: scalar("B", kind)} if kind else fields)


def value_range(low: tuple[float, ...], high: tuple[float, ...]) -> Table:
    """Return a range of values, one for all channels or one for each."""
    return Table({0: numbers("f", high), 1: numbers("f", low)})


def _scores(metadata: ModelMetadata) -> Table:
    fields = _feature("probability", "A score from 0 to 1 for each label.")
    fields[5] = value_range((0.0,), (1.0,))
    fields |= _threshold(metadata)
    if metadata.labels is not None:
        about = "The labels, one per line, in the order of the scores."
        fields[6] = Tables([file_entry(LABELS_FILE, about, TENSOR_AXIS_LABELS)])
    return Table(fields)


def _level(tensor: TensorInfo, metadata: ModelMetadata) -> Table:
    """Describe boxes, offsets or logits of one level of a detector."""
    if not tensor.name.startswith(("classes", "centers")):
        return Table(_feature(tensor.name, "A coded box or point, one for each cell."))
    return _logits(tensor, metadata)


def _logits(tensor: TensorInfo, metadata: ModelMetadata) -> Table:
    fields = _feature(tensor.name, "A logit for each cell and label.") | _threshold(metadata)
    if metadata.labels is not None:
        about = "The labels, one per line, in the order of the last axis."
        fields[6] = Tables([file_entry(LABELS_FILE, about, TENSOR_AXIS_LABELS)])
    return Table(fields)


def _selected_boxes(metadata: ModelMetadata) -> list[Table]:
    """Describe boxes, classes, scores and their number, by the names that MediaPipe knows."""
    box = Table({0: numbers("I", _CORNERS), 1: scalar("B", _BOUNDARIES)})
    axis = Table({0: scalar("i", 2), 1: scalar("i", 2)})
    location: Fields = {
        0: text("location"),
        1: text("The boxes in parts of the image: top, left, bottom, right."),
        3: Table({0: scalar("B", _BOUNDING_BOX), 1: box, 2: axis}),
    }
    category = _feature("category", "The index of each box's label.")
    if metadata.labels is not None:
        about = "The labels, one per line, by the value of the output."
        category[6] = Tables([file_entry(LABELS_FILE, about, TENSOR_VALUE_LABELS)])
    score = _feature("score", "The score of each box, 0 to 1.") | _threshold(metadata)
    count = _feature("number of detections", "How many of the boxes count.")
    return [Table(location), Table(category), Table(score), Table(count)]


def _feature(name: str, description: str) -> Fields:
    return {0: text(name), 1: text(description), 3: Table({0: scalar("B", _FEATURES), 1: Table()})}


def _threshold(metadata: ModelMetadata) -> Fields:
    if metadata.threshold is None:
        return {}
    options = Table({0: scalar("f", metadata.threshold)})
    return {4: Tables([Table({0: scalar("B", THRESHOLDING_OPTIONS), 1: options})])}
