"""What the Edge TPU would take of a model, foreseen from the file alone.

No compiler and no TensorFlow is needed. The rules are a table, in :mod:`converters.edgetpu.rules`;
where the graph is cut says :mod:`converters.edgetpu.partition`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from converters.edgetpu import memory, network
from converters.edgetpu.memory import ParameterMemory
from converters.edgetpu.network import OpNode
from converters.edgetpu.partition import Cut, cut
from converters.edgetpu.rules import SINGLE, WHOLE, Rule
from edge.errors import ModelError
from edge.modelfile import tflite
from edge.modelfile.flatbuffer import FlatbufferError
from edge.modelfile.tflite import EDGETPU_OP, ModelFile


@dataclass(frozen=True, slots=True)
class Refusal:
    """An operation that is left to the CPU for a reason of its own.

    ``index``: its place in the order of execution; ``output``: the name of its first output;
    ``found``: what is in its way. ``cause``: the first refused operation that it depends on, itself
    where it cuts the graph, None where it runs before all that is mapped. ``behind``: operations
    with nothing in their own way that are lost behind it (name → count).
    """

    index: int
    op: str
    output: str
    found: str
    rule: Rule
    cause: int | None
    behind: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        return {
            "op": self.op,
            "index": self.index,
            "output": self.output,
            "reason": self.rule.reason,
            "found": self.found,
            "change": self.rule.change,
            "source": self.rule.source,
            "confidence": self.rule.confidence,
            "cause": self.cause,
            "behind": self.behind,
        }


@dataclass(frozen=True, slots=True)
class EdgeTpuPrediction:
    """What is foreseen of a model.

    ``operations``: their names, in the order of execution; ``mapped``: how many of them run on
    the Edge TPU; ``cpu``: those that do not (name → count). ``whole``: whether the model is
    refused as a whole. ``compiled``: whether the file was compiled already: then nothing is
    foreseen, each mapped operation holds a part of the model, and ``parameters`` is None.
    """

    operations: tuple[str, ...]
    mapped: int
    cpu: dict[str, int]
    refusals: tuple[Refusal, ...]
    whole: bool
    compiled: bool
    parameters: ParameterMemory | None

    @property
    def status(self) -> str:
        """ "full", "partly" or "none": how much of the model the Edge TPU runs."""
        if not self.mapped:
            return "none"
        return "partly" if self.cpu else "full"

    @property
    def first_refused(self) -> Refusal | None:
        return self.refusals[0] if self.refusals else None

    def to_dict(self) -> dict[str, Any]:
        """The forecast for scripts; sizes in bytes."""
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
    """Foresee what the Edge TPU's compiler (16.0) would do with the bytes of a .tflite file.

    Args:
        name: what errors call the file.

    Raises:
        ModelError: no TensorFlow Lite model, or a damaged one.
    """
    file = tflite.parse(content, name)
    try:
        return _compiled(file) if file.for_edgetpu else predict(file, WHOLE, SINGLE)
    except FlatbufferError as error:
        raise ModelError(
            "an intact TensorFlow Lite model",
            f"{name}, which is damaged ({error})",
            "copy or download the file again",
            code="model-damaged",
        ) from None


def predict(file: ModelFile, whole: Sequence[Rule], single: Sequence[Rule]) -> EdgeTpuPrediction:
    """Foresee what becomes of a model by the rules given.

    Args:
        whole: rules by which the compiler refuses a model.
        single: rules by which it refuses an operation.

    Raises:
        FlatbufferError: the options of an operation lead out of the file.
    """
    nodes = network.nodes(file)
    stops = _found(nodes, whole)
    found = stops | {i: why for i, why in _found(nodes, single).items() if i not in stops}
    parts = cut(nodes, {node.index for node in nodes} if stops else found.keys())
    mapped = [node for node in nodes if node.index in parts.mapped]
    inner = [name for graph in file.graphs[1:] for name in network.names(graph)]
    left = [node.name for node in nodes if node.index not in parts.mapped]
    return EdgeTpuPrediction(
        operations=(*(node.name for node in nodes), *inner),
        mapped=len(mapped),
        cpu=_counted(left + inner),
        refusals=tuple(_refusals(nodes, found, parts)),
        whole=bool(stops),
        compiled=False,
        parameters=memory.parameter_memory(mapped),
    )


def _compiled(file: ModelFile) -> EdgeTpuPrediction:
    """What is in a file that was compiled already."""
    operations = tuple(name for graph in file.graphs for name in network.names(graph))
    left = [name for name in operations if name != f"CUSTOM:{EDGETPU_OP}"]
    return EdgeTpuPrediction(
        operations=operations,
        mapped=len(operations) - len(left),
        cpu=_counted(left),
        refusals=(),
        whole=False,
        compiled=True,
        parameters=None,
    )


def _found(nodes: Iterable[OpNode], rules: Sequence[Rule]) -> dict[int, tuple[Rule, str]]:
    """Operation → the first rule that refuses it, and what that rule found."""
    refused = {}
    for node in nodes:
        answers = ((rule, rule.apply(node)) for rule in rules)
        first = next(((rule, found) for rule, found in answers if found is not None), None)
        if first:
            refused[node.index] = first
    return refused


def _refusals(
    nodes: Sequence[OpNode], found: dict[int, tuple[Rule, str]], parts: Cut
) -> list[Refusal]:
    """The refused operations in the order of execution, with what is lost behind each."""
    behind: dict[int, list[str]] = {index: [] for index in found}
    for index, cause in parts.cause.items():
        if index not in found:
            behind[cause].append(nodes[index].name)
    return [
        Refusal(
            index=index,
            op=nodes[index].name,
            output=nodes[index].outputs[0].name if nodes[index].outputs else "",
            found=why,
            rule=rule,
            cause=parts.cause.get(index),
            behind=_counted(behind[index]),
        )
        for index, (rule, why) in sorted(found.items())
    ]


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
