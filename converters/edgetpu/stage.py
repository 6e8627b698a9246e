"""Compilation of the chosen variant for the Edge TPU, where the compiler is installed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from converters.edgetpu import compiler, installation
from converters.tflite import Variant
from edge.errors import CompilerError

EDGETPU_FILE = "model_edgetpu.tflite"


@dataclass(frozen=True, slots=True)
class Compilation:
    """Result of compiling the chosen variant.

    ``content``: the compiled file, or None with the reason in ``notes``. ``compiler``: it is
    installed, in ``version``. ``mapped``: number of operations on the Edge TPU; ``cpu``: those on
    the CPU (name → count).
    """

    notes: tuple[str, ...]
    compiler: bool
    content: bytes | None = None
    version: str | None = None
    mapped: int = 0
    cpu: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the section ``compiled`` of the report."""
        return {
            "file": None if self.content is None else EDGETPU_FILE,
            "notes": self.notes,
            "compiler": self.compiler,
            "version": self.version,
            "mapped": self.mapped,
            "cpu": self.cpu,
        }


def compile_for_target(chosen: Variant, target: str) -> Compilation | None:
    """Compile ``chosen`` unless ``target`` is "cpu": then return None."""
    if target == "cpu":
        return None
    if not compiler.is_available():
        return Compilation((f"Not compiled: {installation.PROGRAM} is not on the PATH.",), False)
    try:
        compiled = compiler.compile_bytes(chosen.content, f"{chosen.name}.tflite")
    except CompilerError as error:
        return Compilation((f"Not compiled: {error}.",), True)
    if compiled.status == "none":
        return Compilation(
            ("Not compiled: the compiler maps no operation to the Edge TPU.",), True,
            version=compiled.log.version, cpu=compiled.cpu,
        )  # fmt: skip
    left = sum(compiled.cpu.values())
    rest = f"all {compiled.mapped}" if not left else f"{compiled.mapped} of {compiled.operations}"
    return Compilation(
        notes=(f"Compiled: {rest} operations run on the Edge TPU.", *compiled.differences()),
        compiler=True,
        content=compiled.content,
        version=compiled.log.version,
        mapped=compiled.mapped,
        cpu=compiled.cpu,
    )
