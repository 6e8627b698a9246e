"""Counts agree with their nouns, and sizes are in decimal units, in all texts of the toolkit."""

import ast
import re
from collections.abc import Iterator

from error_messages import trees

NOUNS = (
    "images|files|frames|operations|classes|labels|boards|models|photos|tracks|threads|inputs"
    "|outputs|layers|names|lines|poses|people|epochs|steps|duplicates|others|variants|recipes"
    "|detections|objects|cores|cameras|subgraphs|warnings|bytes|parts|values|channels|seconds"
)
AFTER_A_COUNT = re.compile(rf"^ (?:(?:test|validation|usable|distinct) )?(?:{NOUNS})\b")

SEVERAL = {
    "MAX_LABELS", "MAX_ITEMS", "MAX_CLASSES", "_READABLE", "MIN_IMAGES", "len(fitting)",
    "compiled.subgraphs", "decoder.classes or f'at most {MAX_CLASSES}'", "len(subsets) + 1",
    "folder.width", "self.width", "len(head.kernel)", "len(pixels)", "len(content)",
    "MAX_BOUNDARIES", "_MAX_LABEL_BYTES",
    "counts['mean']", "timeout", "DOCKER_TIMEOUT", "len(others)", "suffixes",
    "width", "operand.size", "','.join(classes)", "' and '.join(kinds)", "' and '.join(suffixes)",
}  # fmt: skip
"""Values before a noun that are constants, are above 1 there, or are no counts."""


BY_HAND = {
    ("boards/render.py", "mib"),  # as boards are sold
    ("boards/render.py", "mib // 1024"),
    ("edge/model_trial.py", "memory / 1000000.0"),  # runs on its own, without edge
    ("converters/selection/select.py", "size"),  # in the unit of --max-size
    ("converters/selection/select.py", "size - maximum"),
}
"""Module and value of sizes that keep their unit."""


def _texts() -> Iterator[tuple[str, ast.JoinedStr]]:
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                yield module, node


def _counts(text: ast.JoinedStr) -> Iterator[str]:
    """Yield the expressions that stand right before a noun which is counted."""
    for value, after in zip(text.values, text.values[1:], strict=False):
        is_value = isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant)
        if is_value and AFTER_A_COUNT.match(str(after.value)):  # type: ignore[attr-defined]
            yield ast.unparse(value.value)  # type: ignore[attr-defined]


def test_every_count_agrees_with_its_noun() -> None:
    """``counted(n, "image")`` says "1 image", where an f-string would say "1 images"."""
    wrong = [
        f"{module}:{text.lineno}: {value}"
        for module, text in _texts()
        for value in _counts(text)
        if value not in SEVERAL
    ]
    assert not wrong


def test_no_text_has_binary_units() -> None:
    wrong = [
        f"{module}:{text.lineno}: {part.value}"
        for module, text in _texts()
        for part in text.values
        if isinstance(part, ast.Constant) and re.match(r" ?[KMG]iB\b", str(part.value))
    ]
    assert not wrong


def test_no_size_is_formatted_by_hand() -> None:
    """Decimal sizes come from :func:`edge.quantities.size`."""
    wrong = [
        f"{module}:{text.lineno}"
        for module, text in _texts()
        for value, after in zip(text.values, text.values[1:], strict=False)
        if isinstance(value, ast.FormattedValue)
        and isinstance(after, ast.Constant)
        and re.match(r" (kB|MB|GB)\b", str(after.value))
        and (module, ast.unparse(value.value)) not in BY_HAND
    ]
    assert not wrong
