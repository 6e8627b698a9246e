"""Terminal output of ``edge check``: a table of operations, a tree of cuts, and what to change."""

from collections import Counter
from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from converters.edgetpu.prediction import EdgeTpuPrediction, Refusal
from converters.edgetpu.rules import GUESS, MODEL_RULES
from edge.quantities import counted, size
from edge.terminal import printable

_MAX_CUTS = 5
"""Number of cuts of the graph that are shown; the first ones cost the most."""

_STYLES = {"full": "bold green", "partly": "bold yellow", "none": "bold red"}


def show(prediction: EdgeTpuPrediction, name: str, console: Console | None = None) -> None:
    """Print a prediction.

    Args:
        prediction: of the model.
        name: path of the model as given by the user.
        console: to print to; stdout by default.
    """
    shown = console or Console(highlight=False)
    # A path is for copying: never broken over lines, never read as markup.
    shown.print(Text(printable(name), style="bold"), soft_wrap=True)
    for part in _parts(prediction):
        shown.print(part)


def _parts(prediction: EdgeTpuPrediction) -> Iterator[RenderableType]:
    yield _verdict(prediction)
    if prediction.compiled:
        yield Padding(Text(_COMPILED, style="dim"), (0, 0, 0, 2))
    if prediction.parameters and prediction.mapped:
        yield Text.assemble("  parameters  ", _memory(prediction))
    yield ""
    yield Padding(_operations(prediction), (0, 0, 0, 2))
    if prediction.refusals and (prediction.mapped or prediction.rejects_model):
        yield ""
        yield Padding(_tree(prediction), (0, 0, 0, 2))
    if prediction.refusals:
        yield ""
        yield Padding(_changes(prediction.refusals), (0, 0, 0, 2))
    if not prediction.compiled:
        yield ""
        yield Padding(Text(_BASIS, style="dim"), (0, 0, 0, 2))


_COMPILED = (
    "This file is already compiled. Each edgetpu-custom-op is a part that runs on the Edge TPU. "
    "Check the original model to learn why the rest does not."
)
_BASIS = (
    "Predicted from the file, by rules taken from the compiler's documentation, its messages and "
    "real compilations; not compiled, and not run on an Edge TPU. With large activations the "
    "compiler may fail, or map less, for lack of memory. Use 'edge compile' to be certain."
)


def _verdict(prediction: EdgeTpuPrediction) -> Text:
    total = len(prediction.operations)
    if prediction.compiled:
        parts = counted(prediction.mapped, "part")
        rest = counted(total - prediction.mapped, "operation")
        words = f"compiled: {parts} on the Edge TPU, {rest} on the CPU"
    elif prediction.status == "full":
        words = f"runs {_all(total)}"
    elif prediction.rejects_model:
        words = f"runs nothing: {_rejection(prediction)} ({counted(total, 'operation')})"
    elif prediction.status == "none":
        words = f"runs none of the {counted(total, 'operation')}"
    else:
        words = f"runs {prediction.mapped} of {counted(total, 'operation')}"
    return Text.assemble("  Edge TPU    ", (words, _STYLES[prediction.status]))


def _all(total: int) -> str:
    return "the only operation" if total == 1 else f"all {counted(total, 'operation')}"


def _rejection(prediction: EdgeTpuPrediction) -> str:
    stops = (refusal.rule for refusal in prediction.refusals if refusal.rule in MODEL_RULES)
    guessed = all(rule.confidence == GUESS for rule in stops)
    return f"the compiler {'probably fails on' if guessed else 'rejects'} the model"


def _memory(prediction: EdgeTpuPrediction) -> str:
    sizes = prediction.parameters
    assert sizes is not None
    if not sizes.off_chip:
        return f"{size(sizes.on_chip)}, all on the chip (estimated)"
    return (
        f"{size(sizes.on_chip)} on the chip, {size(sizes.off_chip)} streamed for every image "
        "(estimated)"
    )


def _operations(prediction: EdgeTpuPrediction) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    table.add_column("operation")
    for heading in ("count", "Edge TPU", "CPU"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why on the CPU", ratio=1)
    reasons = _reasons(prediction)
    for op, count in sorted(Counter(prediction.operations).items()):
        left = prediction.cpu.get(op, 0)
        cells = (printable(op), str(count), str(count - left), str(left), reasons.get(op, ""))
        style = None if not left else "yellow" if left < count else "red"
        table.add_row(*(Text(cell) for cell in cells), style=style)
    return table


def _reasons(prediction: EdgeTpuPrediction) -> dict[str, str]:
    """Describe for each kind of operation why it is on the CPU, with counts."""
    counts: dict[str, Counter[str]] = {op: Counter() for op in prediction.cpu}
    for refusal in prediction.refusals:
        counts[refusal.op][refusal.rule.reason] += 1
    for op, left in prediction.cpu.items():
        other = left - counts[op].total()
        if other and not prediction.compiled:
            counts[op]["model rejected" if prediction.rejects_model else "after the cut"] += other
    return {
        op: _listed(count) if len(count) > 1 else next(iter(count), "")
        for op, count in counts.items()
    }


def _tree(prediction: EdgeTpuPrediction) -> Tree:
    """Build a tree of refused operations and what is lost after each."""
    refusals = prediction.refusals
    if prediction.rejects_model:
        return _rejection_tree(refusals)
    tree = Tree(Text("Where the graph is cut", style="bold"), guide_style="dim")
    before = [refusal for refusal in refusals if refusal.cause is None]
    if before:
        listed = _listed(_by_reason(before))
        tree.add(Text(f"on the CPU before the mapped part, which cuts nothing: {listed}"))
    cuts = [refusal for refusal in refusals if refusal.cause == refusal.index]
    for refusal in cuts[:_MAX_CUTS]:
        _add_cut(tree, refusal, [other for other in refusals if other.cause == refusal.index])
    if len(cuts) > _MAX_CUTS:
        rest = _listed(_by_reason(cuts[_MAX_CUTS:]))
        tree.add(Text(f"and in {len(cuts) - _MAX_CUTS} more places: {rest}"))
    return tree


def _rejection_tree(refusals: Iterable[Refusal]) -> Tree:
    tree = Tree(Text("What makes the compiler fail", style="bold"), guide_style="dim")
    stops = [refusal for refusal in refusals if refusal.rule in MODEL_RULES]
    for refusal in stops[:_MAX_CUTS]:
        tree.add(Text(_describe(refusal)))
    if len(stops) > _MAX_CUTS:
        tree.add(
            Text(f"and {len(stops) - _MAX_CUTS} more: {_listed(_by_reason(stops[_MAX_CUTS:]))}")
        )
    return tree


def _add_cut(tree: Tree, refusal: Refusal, same: Iterable[Refusal]) -> None:
    branch = tree.add(Text(_describe(refusal)))
    if refusal.lost_after:
        branch.add(Text(f"lost after it: {_listed(Counter(refusal.lost_after))}"))
    others = [other for other in same if other is not refusal]
    if others:
        branch.add(Text(f"also rejected after it: {_listed(_by_reason(others))}"))
    if not refusal.lost_after and not others:
        branch.add(Text("nothing is lost after it"))


def _describe(refusal: Refusal) -> str:
    rule = refusal.rule
    return (
        f"operation {refusal.index}, {printable(refusal.op)}: {printable(refusal.obstacle)} "
        f"({rule.reason}; {rule.source}, {rule.confidence})"
    )


def _changes(refusals: Iterable[Refusal]) -> Table:
    """List each change once, the one that gains the most operations first."""
    kinds: dict[str, list[str]] = {}
    for refusal in sorted(refusals, key=lambda refusal: -sum(refusal.lost_after.values())):
        kinds.setdefault(refusal.rule.change, []).append(refusal.op)
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right")
    table.add_column()
    table.add_row("", Text("What to change", style="bold"))
    for number, (change, ops) in enumerate(kinds.items(), 1):
        table.add_row(f"{number}.", Text(f"{_listed(Counter(ops))}: {change}."))
    return table


def _by_reason(refusals: Iterable[Refusal]) -> Counter[str]:
    return Counter(f"{refusal.op}, {refusal.rule.reason}" for refusal in refusals)


def _listed(counts: Counter[str]) -> str:
    """Join names with their counts above 1: "CONV_2D × 2; PAD"."""
    return "; ".join(
        f"{printable(name)} × {count}" if count > 1 else printable(name)
        for name, count in counts.items()
    )
