"""Prediction of the operations that run on the Edge TPU, from the model file alone.

It needs neither the compiler nor TensorFlow. The rules are in :mod:`converters.edgetpu.rules`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from converters.edgetpu import network
from converters.edgetpu.network import OpNode
from converters.edgetpu.rules import MODEL_RULES, OPERATION_RULES, Rule
from edge.errors import ModelError
from edge.modelfile import tflite
from edge.modelfile.flatbuffer import FlatbufferError
from edge.modelfile.tflite import EDGETPU_OP, ModelFile

_PARAMETER_CACHE = 7 * 2**20
"""Bytes for parameters on the chip: mostly 6.1 to 7.7 MiB in public transcripts of the compiler."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An operation that is itself refused by the Edge TPU.

    ``index``: position in the order of execution; ``output``: name of its first output;
    ``obstacle``: the cause in this operation. ``cause``: the first refused operation that it
    depends on, itself where it cuts the graph, None where it runs before everything that is
    mapped. ``lost_after``: operations that run on the CPU only because they come after it
    (name → count).
    """

    index: int
    op: str
    output: str
    obstacle: str
    rule: Rule
    cause: int | None
    lost_after: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the refusal for JSON."""
        return {
            "op": self.op,
            "index": self.index,
            "output": self.output,
            "reason": self.rule.reason,
            "found": self.obstacle,
            "change": self.rule.change,
            "source": self.rule.source,
            "confidence": self.rule.confidence,
            "cause": self.cause,
            "behind": self.lost_after,
        }


@dataclass(frozen=True, slots=True)
class ParameterMemory:
    """Estimated bytes of weights and biases of the mapped operations."""

    on_chip: int
    off_chip: int

    def to_dict(self) -> dict[str, int]:
        """Return the sizes for JSON."""
        return {"on_chip": self.on_chip, "off_chip": self.off_chip}


@dataclass(frozen=True, slots=True)
class Partition:
    """Partition of a graph between Edge TPU and CPU, as indices of operations.

    ``mapped``: run on the Edge TPU. ``before``: refused ones that run before it, so they cause no
    loss. ``cause``: operation that is not mapped → the first refused one that it depends on.
    """

    mapped: frozenset[int]
    before: frozenset[int]
    cause: dict[int, int]


@dataclass(frozen=True, slots=True)
class EdgeTpuPrediction:
    """Predicted mapping of a model to the Edge TPU.

    ``operations``: names in the order of execution; ``mapped``: number of those that run on the
    Edge TPU; ``cpu``: those that do not (name → count). ``refusals``: in the order of execution.
    ``rejects_model``: the compiler would reject the whole model; then the refusals that make it do
    so come first. ``compiled``: the file is already compiled: then nothing is predicted,
    each mapped operation holds a part of the model, and ``parameters`` is None.
    """

    operations: tuple[str, ...]
    mapped: int
    cpu: dict[str, int]
    refusals: tuple[Refusal, ...]
    rejects_model: bool
    compiled: bool
    parameters: ParameterMemory | None

    @property
    def status(self) -> str:
        """Share of the model that the Edge TPU runs: "full", "partly" or "none"."""
        if not self.mapped:
            return "none"
        return "partly" if self.cpu else "full"

    @property
    def first_refused(self) -> Refusal | None:
        """First of the refused operations."""
        return self.refusals[0] if self.refusals else None

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction for JSON; sizes in bytes."""
        first = self.first_refused
        return {
            "status": self.status,
            "mapped": self.mapped,
            "cpu": self.cpu,
            "first_refused": first.to_dict() if first else None,
            "parameters": self.parameters.to_dict() if self.parameters else None,
            "compiled": self.compiled,
            "refused": [refusal.to_dict() for refusal in self.refusals],
        }


def check(content: bytes, name: str) -> EdgeTpuPrediction:
    """Predict what the Edge TPU compiler (16.0) would do with a .tflite file.

    Args:
        content: the bytes of the file.
        name: of the file, for errors.

    Raises:
        ModelError: not a TensorFlow Lite model, or a damaged one.
    """
    file = tflite.parse(content, name)
    try:
        return _compiled(file) if file.for_edgetpu else predict(file, MODEL_RULES, OPERATION_RULES)
    except FlatbufferError as error:
        raise ModelError(
            "an intact TensorFlow Lite model",
            f"{name}, which is damaged ({error})",
            "copy or download the file again",
            code="model-damaged",
        ) from None


def predict(
    file: ModelFile, model_rules: Sequence[Rule], operation_rules: Sequence[Rule]
) -> EdgeTpuPrediction:
    """Predict the mapping of a model by the given rules.

    Args:
        file: the model.
        model_rules: rules by which the compiler rejects a model.
        operation_rules: rules by which it refuses an operation.

    Raises:
        FlatbufferError: the options of an operation point outside the file.
    """
    nodes = network.nodes(file)
    fatal = _apply_rules(nodes, model_rules)
    refused = _apply_rules(nodes, operation_rules) | fatal
    parts = partition(nodes, {node.index for node in nodes} if fatal else refused.keys())
    mapped = [node for node in nodes if node.index in parts.mapped]
    inner = [name for graph in file.graphs[1:] for name in network.names(graph)]
    left = [node.name for node in nodes if node.index not in parts.mapped]
    refusals = _refusals(nodes, refused, parts)
    refusals.sort(key=lambda refusal: refusal.index not in fatal)
    return EdgeTpuPrediction(
        operations=(*(node.name for node in nodes), *inner),
        mapped=len(mapped),
        cpu=_counted(left + inner),
        refusals=tuple(refusals),
        rejects_model=bool(fatal),
        compiled=False,
        parameters=parameter_memory(mapped),
    )


def _compiled(file: ModelFile) -> EdgeTpuPrediction:
    """Count the operations of a file that is already compiled."""
    operations = tuple(name for graph in file.graphs for name in network.names(graph))
    left = [name for name in operations if name != f"CUSTOM:{EDGETPU_OP}"]
    return EdgeTpuPrediction(
        operations=operations,
        mapped=len(operations) - len(left),
        cpu=_counted(left),
        refusals=(),
        rejects_model=False,
        compiled=True,
        parameters=None,
    )


def _apply_rules(nodes: Iterable[OpNode], rules: Sequence[Rule]) -> dict[int, tuple[Rule, str]]:
    """Return operation → the first rule that refuses it, and the obstacle."""
    refused = {}
    for node in nodes:
        applied = ((rule, rule.apply(node)) for rule in rules)
        first = next(((rule, why) for rule, why in applied if why is not None), None)
        if first:
            refused[node.index] = first
    return refused


def _refusals(
    nodes: Sequence[OpNode], refused: dict[int, tuple[Rule, str]], parts: Partition
) -> list[Refusal]:
    """Return the refused operations in the order of execution, with what is lost after each."""
    lost_after: dict[int, list[str]] = {index: [] for index in refused}
    for index, cause in parts.cause.items():
        if index not in refused:
            lost_after[cause].append(nodes[index].name)
    return [
        Refusal(
            index=index,
            op=nodes[index].name,
            output=nodes[index].outputs[0].name if nodes[index].outputs else "",
            obstacle=why,
            rule=rule,
            cause=parts.cause.get(index),
            lost_after=_counted(lost_after[index]),
        )
        for index, (rule, why) in sorted(refused.items())
    ]


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def partition(nodes: Sequence[OpNode], refused: Collection[int]) -> Partition:
    """Partition a graph the way TensorFlow Lite's delegation does.

    The compiler leaves this to TensorFlow Lite, and maps the first part only ("More than one
    subgraph is not supported"). The delegation collects, in the order of execution, operations of
    one kind, accepted or refused, as far as their inputs are available; then those of the other
    kind; and so on (``PartitionGraphIntoIndependentNodeSubsets`` of TensorFlow Lite).

    Args:
        nodes: operations in the order of execution.
        refused: indices of the refused ones.
    """
    before, mapped = _first_part(nodes, refused)
    cause: dict[int, int] = {}
    for node in nodes:
        if node.index in mapped or node.index in before:
            continue
        own = {node.index} if node.index in refused else set()
        cause[node.index] = min(
            own | {cause[parent.index] for parent in node.parents if parent.index in cause}
        )
    return Partition(mapped, before, cause)


def _first_part(
    nodes: Sequence[OpNode], refused: Collection[int]
) -> tuple[frozenset[int], frozenset[int]]:
    """Return what runs on the CPU before the first accepted part, and that part."""
    before: frozenset[int] = frozenset()
    if nodes and nodes[0].index in refused:
        before = _ready([node for node in nodes if node.index in refused], before)
    return before, _ready([node for node in nodes if node.index not in refused], before)


def _ready(nodes: Sequence[OpNode], done: frozenset[int]) -> frozenset[int]:
    """Return those of ``nodes`` that depend only on each other and on what is ``done``."""
    ready: set[int] = set()
    for node in nodes:
        if all(parent.index in done or parent.index in ready for parent in node.parents):
            ready.add(node.index)
    return frozenset(ready)


def parameter_memory(mapped: Iterable[OpNode]) -> ParameterMemory:
    """Estimate which parameters of the ``mapped`` operations are cached on the chip.

    The Edge TPU has about 8 MB of memory. The program and activations take a part of it;
    parameters fill the rest, in the order in which they are used, and what does not fit is streamed
    at each invoke (https://coral.ai/docs/edgetpu/compiler, "Parameter data caching"). How much
    is left differs with the model, and the compiler has its own layout of weights, which makes
    some of them much larger than in the file. Shared parameters count once.
    """
    constants = (operand for node in mapped for operand in node.constants)
    total = sum({operand.buffer: len(operand.content.data) for operand in constants}.values())
    return ParameterMemory(min(total, _PARAMETER_CACHE), max(0, total - _PARAMETER_CACHE))
