"""Compiling a model for the Edge TPU with Google's compiler, and holding it to what was foreseen.

The compiler is believed when its exit code is 0, its last line says success, and its file is there,
whole, and for the Edge TPU; each of these has been seen without the others.
"""

import math
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which
from typing import Any

from converters.edgetpu import installation, log_parser, refusals, runner
from converters.edgetpu.log_parser import CompilerLog, ModelLog
from converters.edgetpu.prediction import EdgeTpuPrediction, check
from edge.errors import CompilerError, LabelsError, ModelError
from edge.modelfile import metadata, tflite
from edge.modelfile import operations as contents
from edge.modelfile.labels import find_labels, fit_labels, read_labels
from edge.modelfile.metadata_writer import write_metadata
from edge.modelfile.tflite import EDGETPU_OP, ModelFile, OpInfo

TIMEOUT = 180.0
"""Seconds for a compilation unless told otherwise: the compiler's own limit in version 16."""

_STEM = "model"


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """What came of compiling a model.

    ``content`` is the compiled file with the metadata of the model; ``operations`` how many the
    model has, ``cpu`` which of them were left to the CPU (name → count), read from that file;
    ``subgraphs`` how many parts of it the Edge TPU runs; ``foreseen`` what was predicted of the
    model; ``input_size`` bytes of the model.
    """

    content: bytes
    log: CompilerLog
    foreseen: EdgeTpuPrediction
    operations: int
    cpu: dict[str, int]
    subgraphs: int
    input_size: int

    @property
    def mapped(self) -> int:
        """How many operations the Edge TPU runs."""
        return self.operations - sum(self.cpu.values()) if self.subgraphs else 0

    @property
    def status(self) -> str:
        """ "full", "partly" or "none": how much of the model the Edge TPU runs."""
        if not self.subgraphs:
            return "none"
        return "partly" if self.cpu else "full"

    @property
    def model_log(self) -> ModelLog | None:
        """What the compiler said of the model; None where it said nothing."""
        models = self.log.models
        return models[-1] if models else None

    def differences(self) -> tuple[str, ...]:
        """Where the result is not what was foreseen, one sentence for each operation."""
        foreseen = self.foreseen.cpu
        return tuple(
            f"{op}: predicted {foreseen.get(op, 0)} on the CPU, got {self.cpu.get(op, 0)}"
            for op in sorted(foreseen.keys() | self.cpu.keys())
            if foreseen.get(op, 0) != self.cpu.get(op, 0)
        )

    def to_dict(self) -> dict[str, Any]:
        """The result for scripts; sizes in bytes, as the compiler rounds them."""
        log = self.model_log
        return {
            "status": self.status,
            "compiler": self.log.version,
            "milliseconds": self.log.milliseconds,
            "operations": self.operations,
            "mapped": self.mapped,
            "cpu": self.cpu,
            "subgraphs": self.subgraphs,
            "parameters": {
                "on_chip": log.on_chip if log else None,
                "on_chip_free": log.on_chip_free if log else None,
                "off_chip": log.off_chip if log else None,
            },
            "input_bytes": self.input_size,
            "output_bytes": len(self.content),
            "table": [
                {"op": row.op, "count": row.count, "status": row.status}
                for row in (log.rows if log else ())
            ],
            "foreseen": self.foreseen.to_dict(),
            "differences": list(self.differences()),
        }


def available() -> bool:
    """Whether the compiler is on the PATH."""
    return which(installation.PROGRAM) is not None


def read_model(path: Path) -> tuple[bytes, tuple[str, ...]]:
    """A model, with labels that lie beside it packed into it where they fit, and notes on that.

    Raises:
        ModelError: no TensorFlow Lite model.
    """
    content = tflite.read_file(path)
    file = tflite.parse(content, str(path))
    about = metadata.of(file, str(path)) or metadata.ModelMetadata()
    beside = find_labels(path)
    if about.labels is not None or beside is None or not file.outputs:
        return content, ()
    try:
        labels, notes = fit_labels(
            read_labels(beside), math.prod(file.outputs[0].shape), beside.name
        )
    except LabelsError as error:
        return content, (f"{beside.name} was not added to the compiled model: {error}",)
    return write_metadata(content, replace(about, labels=labels)), notes


def compile_bytes(
    content: bytes,
    name: str,
    *,
    docker: bool = False,
    search_delegate: bool = False,
    timeout: float = TIMEOUT,
) -> CompiledModel:
    """Compile the bytes of a .tflite file; ``name`` is what errors call it.

    Args:
        docker: run the compiler in the image ``edgetpu-compiler``, not from the PATH.
        search_delegate: where it fails, let the compiler cut the graph earlier until it succeeds.
        timeout: seconds until the compiler is stopped.

    Raises:
        ModelError: no TensorFlow Lite model, or one that is compiled already.
        CompilerError: no compiler, or one that fails, hangs, or contradicts itself.
    """
    source = tflite.parse(content, name)
    if source.for_edgetpu:
        raise ModelError(
            "a model that is not compiled yet",
            f"{name}, which is already compiled for the Edge TPU",
            "compile the original model",
            code="model-already-compiled",
        )
    foreseen = check(content, name)
    with tempfile.TemporaryDirectory(prefix="edge-compile-") as place:
        folder = Path(place)
        program = runner.in_docker(folder) if docker else runner.on_path()
        (folder / f"{_STEM}.tflite").write_bytes(content)
        ran = runner.run(program, _arguments(search_delegate, timeout), folder, timeout)
        output = folder / f"{_STEM}_edgetpu.tflite"
        produced = output.read_bytes() if output.is_file() else None
    log = log_parser.parse(ran.text)
    if ran.code != 0 or log.succeeded is not True:
        raise refusals.refusal(ran, log, name)
    compiled = _believed(produced, log, name)
    return CompiledModel(
        content=_with_metadata(compiled, metadata.of(source, name)),
        log=log,
        foreseen=foreseen,
        operations=len(_operators(source)),
        cpu=_left_to_cpu(compiled),
        subgraphs=sum(op.custom == EDGETPU_OP for op in _operators(compiled)),
        input_size=len(content),
    )


def _arguments(search_delegate: bool, timeout: float) -> list[str]:
    """The compiler's arguments; it writes into the folder that it is started in."""
    arguments = ["-s"]
    if search_delegate:
        arguments.append("-d")
    if timeout > TIMEOUT:  # compilers before version 16 have no limit, nor the option
        arguments += ["-t", str(math.ceil(timeout))]
    return [*arguments, f"{_STEM}.tflite"]


def _believed(produced: bytes | None, log: CompilerLog, name: str) -> ModelFile:
    """The compiled file, once it is what the compiler says that it is."""
    if produced is None:
        raise _contradicted(name, "no file")
    try:
        compiled = tflite.parse(produced, "the compiler's file")
    except ModelError as error:
        raise _contradicted(name, error.found) from None
    if not compiled.for_edgetpu and any(model.on_tpu for model in log.models):
        raise _contradicted(name, "a file without Edge TPU operations")
    return compiled


def _contradicted(name: str, found: str) -> CompilerError:
    return CompilerError(
        "a compiled model, as the Edge TPU compiler reported success",
        f"{found} for {name}",
        "check the free space for temporary files, and reinstall the compiler",
        code="compiler-output-invalid",
    )


def _operators(file: ModelFile) -> list[OpInfo]:
    return [op for graph in file.graphs for op in graph.operators]


def _left_to_cpu(compiled: ModelFile) -> dict[str, int]:
    """The operations of a compiled file that are not for the Edge TPU: name → count."""
    names = contents.op_names()
    counts = Counter(
        f"CUSTOM:{op.custom}" if op.custom else names.get(op.code, str(op.code))
        for op in _operators(compiled)
        if op.custom != EDGETPU_OP
    )
    return dict(sorted(counts.items()))


def _with_metadata(compiled: ModelFile, about: metadata.ModelMetadata | None) -> bytes:
    """The compiled file with the model's metadata, which not every compiler keeps."""
    if about is None or _metadata(compiled) == about:
        return compiled.content
    return write_metadata(compiled.content, about)


def _metadata(file: ModelFile) -> metadata.ModelMetadata | None:
    try:
        return metadata.of(file)
    except ModelError:
        return None
