"""The chosen file compiled for the Edge TPU, where there is a compiler."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from converters.edgetpu import compiler, installation
from converters.tflite import Variant
from edge.errors import CompilerError

EDGETPU_FILE = "model_edgetpu.tflite"


@dataclass(frozen=True, slots=True)
class Compilation:
    """What came of compiling: ``content`` is None where no file did, and ``notes`` say why.

    ``compiler``: whether there is one here, and its ``version``. ``mapped`` operations run on the
    Edge TPU, those of ``cpu`` (name to count) do not.
    """

    notes: tuple[str, ...]
    compiler: bool
    content: bytes | None = None
    version: str | None = None
    mapped: int = 0
    cpu: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The section ``compiled`` of the record."""
        return {
            "file": None if self.content is None else EDGETPU_FILE,
            "notes": self.notes,
            "compiler": self.compiler,
            "version": self.version,
            "mapped": self.mapped,
            "cpu": self.cpu,
        }


def compile_for_target(chosen: Variant, target: str) -> Compilation | None:
    """Compile ``chosen`` where ``target`` asks for the Edge TPU; None where it does not."""
    if target == "cpu":
        return None
    if not compiler.available():
        return Compilation((f"Not compiled: {installation.PROGRAM} is not on the PATH.",), False)
    try:
        made = compiler.compile_bytes(chosen.content, f"{chosen.name}.tflite")
    except CompilerError as error:
        return Compilation((f"Not compiled: {error}.",), True)
    if made.status == "none":
        return Compilation(
            ("Not compiled: the compiler maps no operation to the Edge TPU.",), True,
            version=made.log.version, cpu=made.cpu,
        )  # fmt: skip
    left = sum(made.cpu.values())
    rest = f"all {made.mapped}" if not left else f"{made.mapped} of {made.operations}"
    return Compilation(
        notes=(f"Compiled: {rest} operations run on the Edge TPU.", *made.differences()),
        compiler=True,
        content=made.content,
        version=made.log.version,
        mapped=made.mapped,
        cpu=made.cpu,
    )
