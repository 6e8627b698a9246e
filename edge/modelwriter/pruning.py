"""Cut a model in two at one of its tensors."""

from collections.abc import Sequence

from edge.errors import ModelError
from edge.modelfile import schema
from edge.modelfile.flatbuffer_writer import Part, Scalar, Table, Tables, numbers, scalar
from edge.modelfile.tflite import Graph, ModelFile

_TENSORS, _INPUTS, _OUTPUTS, _OPERATORS = 0, 1, 2, 3  # of SubGraph
_CODES, _GRAPHS, _DESCRIPTION, _BUFFERS = 1, 2, 3, 4  # of Model
_INTERMEDIATES = 8


def cut_after(file: ModelFile, output: int) -> bytes:
    """Return a model whose only output is the tensor ``output`` of the main graph.

    Operations, tensors and weights that nothing needs any more are gone, and so are metadata and
    signatures, which describe the old output. Inputs stay. What remains is copied as it is.

    Raises:
        ModelError: the file is damaged.
    """
    graph, model = file.main, schema.read(file.content)
    return _cut(model, needed_operations(graph, output), graph.inputs, (output,))


def cut_in_two(file: ModelFile, tensor: int, name: str = "the model") -> tuple[bytes, bytes]:
    """Return what :func:`cut_after` returns, and the rest: a model whose only input is the tensor.

    Args:
        file: what each operation of its main graph does is in one of both.
        tensor: number of one that an operation writes.
        name: of the model in errors.

    Raises:
        ModelError: the file is damaged; nothing follows the tensor, or what follows reads more.
    """
    graph = file.main
    before = needed_operations(graph, tensor)
    after = [number for number in range(len(graph.operators)) if number not in before]
    read = {t for number in after for t in graph.operators[number].inputs}
    computed = {t for number in before for t in graph.operators[number].outputs}
    if not after or read & (computed | {*graph.inputs}) - {tensor}:
        raise ModelError(
            "a model that can be cut in two at its embedding",
            f"{name}, in which " + ("nothing follows it" if not after else "other values go on"),
            "run the whole model",
            code="model-not-separable",
        )
    model = schema.read(file.content)
    first = _cut(model, before, graph.inputs, (tensor,))
    return first, _cut(model, after, (tensor,), graph.outputs)


def needed_operations(graph: Graph, output: int) -> list[int]:
    """Return the numbers of the operations that a tensor depends on, in order."""
    reached, needed = {output}, []
    for number in range(len(graph.operators) - 1, -1, -1):
        operation = graph.operators[number]
        if reached & set(operation.outputs):
            needed.append(number)
            reached |= set(operation.inputs)
    return needed[::-1]


def _cut(
    model: Table, operators: Sequence[int], inputs: Sequence[int], outputs: Sequence[int]
) -> bytes:
    """Return a model of these operations alone, by number, and of what they need."""
    graphs = schema.tables(model, _GRAPHS)
    graphs[0] = _cut_graph(graphs[0], operators, inputs, outputs)
    graphs, buffers = _without_unused_buffers(graphs, schema.tables(model, _BUFFERS))
    graphs, codes = _without_unused_codes(graphs, schema.tables(model, _CODES))
    kept = {field: model.fields[field] for field in (0, _DESCRIPTION) if field in model.fields}
    return schema.write(
        Table(kept | {_CODES: Tables(codes), _GRAPHS: Tables(graphs), _BUFFERS: Tables(buffers)})
    )


def _cut_graph(
    graph: Table, numbers_kept: Sequence[int], inputs: Sequence[int], outputs: Sequence[int]
) -> Table:
    operators = schema.tables(graph, _OPERATORS)
    operators = [operators[number] for number in numbers_kept]
    used = {*inputs, *outputs}
    for operator in operators:
        for field in (1, 2, _INTERMEDIATES):
            used |= set(schema.integers(operator, field))
    tensors = schema.tables(graph, _TENSORS)
    kept = [index for index in range(len(tensors)) if index in used]
    new = {-1: -1} | {old: index for index, old in enumerate(kept)}
    return Table(graph.fields | {
        _TENSORS: Tables([tensors[index] for index in kept]),
        _INPUTS: numbers("i", [new[index] for index in inputs]),
        _OUTPUTS: numbers("i", [new[index] for index in outputs]),
        _OPERATORS: Tables([_renumbered(operator, new) for operator in operators]),
    })  # fmt: skip


def _renumbered(operator: Table, new: dict[int, int]) -> Table:
    fields: dict[int, Scalar | Part] = {}
    for field in (1, 2, _INTERMEDIATES):
        if field in operator.fields:
            fields[field] = numbers("i", [new[i] for i in schema.integers(operator, field)])
    return Table(operator.fields | fields)


def _without_unused_buffers(
    graphs: list[Table], buffers: list[Table]
) -> tuple[list[Table], list[Table]]:
    """Drop the buffers that no tensor has; number 0 is the empty one, and stays."""
    used = {0}
    for graph in graphs:
        used |= {schema.integer(item, 2, "I") for item in schema.tables(graph, _TENSORS)}
    new = {old: number for number, old in enumerate(sorted(used))}
    renumbered = [_with_numbers(graph, _TENSORS, 2, new) for graph in graphs]
    return renumbered, [buffers[number] for number in new]


def _without_unused_codes(
    graphs: list[Table], codes: list[Table]
) -> tuple[list[Table], list[Table]]:
    used = {
        schema.integer(item, 0, "I")
        for graph in graphs
        for item in schema.tables(graph, _OPERATORS)
    }
    new = {old: number for number, old in enumerate(sorted(used))}
    renumbered = [_with_numbers(graph, _OPERATORS, 0, new) for graph in graphs]
    return renumbered, [codes[number] for number in new]


def _with_numbers(graph: Table, vector: int, field: int, new: dict[int, int]) -> Table:
    """Return a graph in whose tables of ``vector`` a field has the new numbers."""
    items = [
        Table(item.fields | {field: scalar("I", new[schema.integer(item, field, "I")])})
        for item in schema.tables(graph, vector)
    ]
    return Table(graph.fields | {vector: Tables(items)})
