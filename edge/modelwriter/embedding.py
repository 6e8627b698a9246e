"""Find the embedding of a classifier: the features that its last layer turns into scores."""

import math
from dataclasses import dataclass

from edge.errors import ModelError
from edge.modelfile import tflite
from edge.modelfile.tflite import EDGETPU_OP, Graph, ModelFile, OpInfo, TensorInfo
from edge.modelwriter.pruning import cut_after, cut_in_two
from edge.quantities import counted

_SOFTMAX, _LOGISTIC = 25, 14
_PASSING = (22, 43, 114, 6)
"""RESHAPE, SQUEEZE, QUANTIZE, DEQUANTIZE: the values stay as they are."""

_FULLY_CONNECTED, _CONV_2D = 9, 3
_POOLING = (1, 17, 40, 11)
"""AVERAGE_POOL_2D, MAX_POOL_2D, MEAN, L2_NORMALIZATION: where an extractor of features ends."""

_DTYPES = ("float32", "int8", "uint8")


@dataclass(frozen=True, slots=True)
class Extractor:
    """A model of images without its head.

    ``content``: a .tflite file whose only output is the embedding; ``embedding``: that output,
    [1, d] or [1, 1, 1, d], with the scale by which its codes become real values.
    """

    content: bytes
    embedding: TensorInfo

    @property
    def dimension(self) -> int:
        """Number of features."""
        return math.prod(max(size, 1) for size in self.embedding.shape)


def behead(content: bytes, name: str = "the model") -> Extractor:
    """Cut the head off a classifier; an extractor of features stays whole.

    A head is a fully connected layer, or a 1×1 convolution of one position, and what follows it.
    Metadata, signatures and labels go too. A file for the Edge TPU must have been compiled without
    its head, since what is inside its custom operation is not known; that operation stays as it is.

    Args:
        content: a .tflite file with a float, int8 or uint8 classifier or extractor.
        name: its name in errors.

    Raises:
        ModelError: the file is damaged, or has no embedding, such as that of a detector.
    """
    file = tflite.parse(content, name)
    shorter = cut_after(file, find_embedding(file, name))
    return Extractor(shorter, tflite.parse(shorter, name).outputs[0])


def split_off_head(content: bytes, name: str = "the model") -> tuple[bytes, bytes]:
    """Cut a classifier in two: from images to the embedding, and from there to the scores.

    Both parts one after the other compute what the whole does. See :func:`behead` for the
    arguments.

    Raises:
        ModelError: as :func:`behead`; or the model has no head, or one that reads more than the
            embedding.
    """
    file = tflite.parse(content, name)
    return cut_in_two(file, find_embedding(file, name), name)


def find_embedding(file: ModelFile, name: str = "the model") -> int:
    """Return the number of the tensor of the main graph that holds the embedding.

    Raises:
        ModelError: there is none.
    """
    graph = file.main
    if len(graph.outputs) != 1:
        raise _without(name, f"has {counted(len(graph.outputs), 'output')}")
    index, scored = graph.outputs[0], False
    writers = {output: operation for operation in graph.operators for output in operation.outputs}
    while index in writers:
        operation = writers[index]
        if _is_head(operation, graph):
            return _checked(operation.inputs[0], graph, name)
        if operation.code not in (*_PASSING, _SOFTMAX, _LOGISTIC):
            break
        scored = scored or operation.code in (_SOFTMAX, _LOGISTIC)
        index = operation.inputs[0]
    writer = writers.get(index)
    if writer is not None and writer.custom == EDGETPU_OP:
        if scored or _has_scores(graph.tensors[index]):
            raise _without(name, "was compiled together with its last layer")
    elif writer is None or scored or writer.code not in _POOLING:
        raise _without(name, "ends in no layer of features")
    return _checked(index, graph, name)


def _is_head(operation: OpInfo, graph: Graph) -> bool:
    if operation.code == _FULLY_CONNECTED:
        return True
    if operation.code != _CONV_2D:
        return False
    sides = (
        *graph.tensors[operation.inputs[0]].shape[1:3],
        *graph.tensors[operation.inputs[1]].shape[1:3],
    )
    return set(sides) == {1}


def _has_scores(tensor: TensorInfo) -> bool:
    """Return whether a tensor's scale is the one that a SOFTMAX or LOGISTIC has."""
    return tensor.scales == (1 / 256,)


def _checked(index: int, graph: Graph, name: str) -> int:
    tensor = graph.tensors[index]
    flat = math.prod(max(size, 1) for size in tensor.shape)
    if tensor.dtype not in _DTYPES or flat < 2 or not tensor.shape or tensor.shape[0] > 1:
        raise _without(name, f"ends in {tensor.dtype} {list(tensor.shape)}")
    if index not in {i for operation in graph.operators for i in operation.outputs}:
        raise _without(name, "is a single layer")
    return index


def _without(name: str, reason: str) -> ModelError:
    return ModelError(
        "a classifier, or a model whose output is an embedding",
        f"{name}, which {reason}",
        "use an image classifier; for the Edge TPU, one that was compiled without its last layer",
        code="model-without-embedding",
        summary=f"{name} {reason}, so it has no embedding",
    )
