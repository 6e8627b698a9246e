"""Names say what they hold: no filler words as variables, no class name twice."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from error_messages import error_classes, trees

BANNED = frozenset({"found", "said", "told", "made", "wanted", "asked", "one"})


def _names(node: ast.AST) -> Iterator[str]:
    """The variable names that a node binds: names, attributes, parameters, fields, aliases."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.arg(arg=name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name
        case ast.MatchStar(name=str(name)):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name for alias in aliases)


def _bindings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each binding, without the fields of the errors, one of which is "found"."""
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.ClassDef) and node.name in error_classes():
            continue
        for name in _names(node):
            yield getattr(node, "lineno", 0), name
        nodes.extend(ast.iter_child_nodes(node))


def test_no_filler_word_is_a_variable_name() -> None:
    wrong = [
        f"{module}:{line}: {name}"
        for module, tree in trees().items()
        for line, name in _bindings(tree)
        if name in BANNED
    ]
    assert not wrong


def test_the_check_sees_every_kind_of_variable() -> None:
    code = """
found = 1
for said in []: pass
def f(told, *, made=0): self.wanted = 2
class C:
    asked: int
try: pass
except ValueError as one: pass
from os import path as found
[0 for said in ()]
match 1:
    case [told, *made]: pass
(wanted := 3)
lambda asked: 0
"""
    names = [name for _, name in _bindings(ast.parse(code)) if name in BANNED]
    assert sorted(names) == sorted(
        2 * ["found", "said", "told", "made", "wanted", "asked"] + ["one"]
    )


def test_class_names_are_unique() -> None:
    places = defaultdict(list)
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{module}:{node.lineno}")
    twice = {name: modules for name, modules in places.items() if len(modules) > 1}
    assert not twice
