"""Inputs whose sizes the file leaves open, as Keras models with ``None`` in their shape have."""

from edge.errors import ModelError
from edge.modelfile.tflite import ModelFile, TensorInfo


def sizes_of_open_inputs(file: ModelFile, name: str) -> dict[int, tuple[int, ...]]:
    """Return the shapes to resize inputs to before the model is loaded, by their position.

    An open batch becomes 1. Converters write 1 for other open sizes, and an interpreter would run
    the model on a single pixel; a size above 1 is the one that the model was exported with.

    Raises:
        ModelError: a height, width or other size is open, or written as -1 in the shape itself,
            which interpreters do not read.
    """
    shapes = {}
    for position, tensor in enumerate(file.inputs):
        sizes = [*zip(tensor.shape, tensor.dynamic, strict=False)]
        unknown = any(is_open and size <= 1 for size, is_open in sizes[1:])
        if unknown or min(tensor.shape, default=1) < 0:
            raise _left_open(tensor, name)
        if any(is_open and size != 1 for size, is_open in sizes[:1]):
            shapes[position] = (1, *tensor.shape[1:])
    return shapes


def _left_open(tensor: TensorInfo, name: str) -> ModelError:
    sizes = zip(tensor.shape, tensor.dynamic, strict=False)
    shape = [-1 if is_open else size for size, is_open in sizes]
    return ModelError(
        "a model with a fixed input size",
        f"{name}, whose input {shape} leaves sizes open (-1)",
        "export it again with a fixed shape, such as [1, 224, 224, 3] "
        "(Keras: keras.Input((224, 224, 3), batch_size=1))",
        code="model-input-open",
        summary=f"the input {shape} of {name} leaves sizes open (-1)",
    )
