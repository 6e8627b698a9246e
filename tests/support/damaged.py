"""TFLite files with one layer spoilt, to see whether it is found."""

from ai_edge_litert.interpreter import Interpreter


def reverse_weights(content: bytes, layer: str) -> bytes:
    """The file with the weights of the convolution named ``layer`` in reverse order."""
    weights = _weights(content, layer)
    return content.replace(weights, weights[::-1])


def zero_weights(content: bytes, layer: str) -> bytes:
    """The int8 file with a layer that says its bias whatever it is given."""
    weights = _weights(content, layer)
    return content.replace(weights, bytes(len(weights)))


def _weights(content: bytes, layer: str) -> bytes:
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    names = {d["index"]: d["name"] for d in interpreter.get_tensor_details()}
    step = next(
        o for o in interpreter._get_ops_details() if f"/{layer}/" in names[int(o["outputs"][0])]
    )
    weights: bytes = interpreter.get_tensor(int(step["inputs"][1])).tobytes()
    assert content.count(weights) == 1
    return weights
