"""Collect the text of every error from the syntax trees of the four packages.

Run as a script, it writes ``tests/error_messages.txt`` anew.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("edge", "converters", "boards", "demos")
SNAPSHOT = REPOSITORY / "tests" / "error_messages.txt"
FIELDS = ("expected", "found", "fix")


@dataclass(frozen=True)
class Construction:
    """A call that creates an error: where, of which class, with which arguments."""

    module: str
    line: int
    kind: str
    arguments: dict[str, ast.expr]
    parameters: frozenset[str]
    """Names of the enclosing functions' parameters."""

    def text(self) -> str:
        """Return the class, the code and the templates of the message."""
        codes = " or ".join(self.codes()) or _template(self.arguments["code"])
        lines = [f"{self.kind} [{codes}]"]
        lines += [
            f"  {name}: {_template(value)}"
            for name, value in self.arguments.items()
            if name != "code"
        ]
        return "\n".join(lines)

    def codes(self) -> list[str]:
        """Return the codes that are written out; empty where a code is passed on."""
        values = [self.arguments["code"]]
        if isinstance(values[0], ast.IfExp):
            values = [values[0].body, values[0].orelse]
        return [str(value.value) for value in values if isinstance(value, ast.Constant)]

    def passes_code_on(self) -> bool:
        """Return whether the code is a parameter, or that of another object."""
        code = self.arguments["code"]
        if isinstance(code, ast.Name):
            return code.id in self.parameters
        return isinstance(code, ast.Attribute) and code.attr == "code"


@cache
def trees() -> dict[str, ast.Module]:
    """Parse the modules of the four packages, by path."""
    paths = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))
    return {path.relative_to(REPOSITORY).as_posix(): ast.parse(path.read_text()) for path in paths}


@cache
def constructions() -> list[Construction]:
    """Find every call that creates an EdgeError, in the order of modules and texts."""
    kinds = error_classes()
    every = [call for module, tree in trees().items() for call in _calls(module, tree, kinds)]
    return sorted(every, key=lambda call: (call.module, call.text()))


def snapshot() -> str:
    """Return the content of ``tests/error_messages.txt``."""
    lines: list[str] = []
    module = ""
    for call in constructions():
        if call.module != module:
            module = call.module
            lines += ["", f"# {module}", ""]
        lines.append(call.text())
    return "\n".join(lines).lstrip() + "\n"


@cache
def error_classes() -> frozenset[str]:
    """Return the names of EdgeError and its subclasses."""
    classes = [
        (node.name, {base.id for base in node.bases if isinstance(base, ast.Name)})
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    names = {"EdgeError"}
    while more := {name for name, bases in classes if bases & names} - names:
        names |= more
    return frozenset(names)


def _calls(module: str, tree: ast.Module, kinds: frozenset[str]) -> Iterator[Construction]:
    def visit(node: ast.AST, parameters: frozenset[str]) -> Iterator[Construction]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            args = node.args
            every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
            parameters |= {argument.arg for argument in every}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
            given = dict(zip(FIELDS, node.args, strict=False))
            given |= {item.arg: item.value for item in node.keywords if item.arg}
            yield Construction(module, node.lineno, node.func.id, given, parameters)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, parameters)

    return visit(tree, frozenset())


def _template(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return str(value.value)
    return ast.unparse(value)


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot())
