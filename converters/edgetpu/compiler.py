"""Compilation of a model for the Edge TPU, and comparison with the prediction.

The compiler's result counts as a success when its exit code is 0, its last line says success, and
its file exists, is intact and is for the Edge TPU; each of these has been seen without the others.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import which
from typing import Any

from converters.edgetpu import log_parser, runner
from converters.edgetpu.log_parser import CompilerLog, ModelLog
from converters.edgetpu.prediction import EdgeTpuPrediction, check
from converters.tflite import Variant
from edge.errors import CompilerError, LabelsError, ModelError
from edge.modelfile import metadata, tflite
from edge.modelfile.labels import find_labels, fit_labels, read_labels
from edge.modelfile.metadata_writer import write_metadata
from edge.modelfile.operations import op_names
from edge.modelfile.tflite import EDGETPU_OP, ModelFile, OpInfo
from edge.quantities import counted

TIMEOUT = 180.0
"""Default time limit in seconds: the compiler's own in version 16."""

_STEM = "model"


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """Result of a compilation.

    ``content``: the compiled file with the metadata of the model; ``operations``: their number in
    the model; ``cpu``: those left to the CPU (name → count), read from that file; ``subgraphs``:
    number of parts that the Edge TPU runs; ``predicted``: the prediction for the model;
    ``input_size``: bytes of the model.
    """

    content: bytes
    log: CompilerLog
    predicted: EdgeTpuPrediction
    operations: int
    cpu: dict[str, int]
    subgraphs: int
    input_size: int

    @property
    def mapped(self) -> int:
        """Number of operations that the Edge TPU runs."""
        return self.operations - sum(self.cpu.values()) if self.subgraphs else 0

    @property
    def status(self) -> str:
        """Share of the model that the Edge TPU runs: "full", "partly" or "none"."""
        if not self.subgraphs:
            return "none"
        return "partly" if self.cpu else "full"

    @property
    def model_log(self) -> ModelLog | None:
        """The compiler's log of the model, or None."""
        models = self.log.models
        return models[-1] if models else None

    def differences(self) -> tuple[str, ...]:
        """Describe where the result differs from the prediction, a sentence per operation."""
        predicted = self.predicted.cpu
        return tuple(
            f"{op}: predicted {predicted.get(op, 0)} on the CPU, got {self.cpu.get(op, 0)}"
            for op in sorted(predicted.keys() | self.cpu.keys())
            if predicted.get(op, 0) != self.cpu.get(op, 0)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the result for JSON; sizes in bytes, as the compiler rounds them."""
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
            "foreseen": self.predicted.to_dict(),
            "differences": list(self.differences()),
        }


def is_available() -> bool:
    """Check that the compiler is on the PATH."""
    return which(runner.PROGRAM) is not None


def read_model(path: Path) -> tuple[bytes, tuple[str, ...]]:
    """Read a model and add the labels from the file next to it, where they fit.

    Returns:
        The bytes of the model, and notes on the labels.

    Raises:
        ModelError: not a TensorFlow Lite model.
    """
    content = tflite.read_file(path)
    file = tflite.parse(content, str(path))
    about = metadata.of(file, str(path)) or metadata.ModelMetadata()
    label_file = find_labels(path)
    if about.labels is not None or label_file is None or not file.outputs:
        return content, ()
    try:
        labels, notes = fit_labels(
            read_labels(label_file), max(2, math.prod(file.outputs[0].shape)), label_file.name
        )
    except LabelsError as error:
        return content, (f"{label_file.name} was not added to the compiled model: {error}",)
    return write_metadata(content, replace(about, labels=labels)), notes


def compile_bytes(
    content: bytes,
    name: str,
    *,
    docker: bool = False,
    search_delegate: bool = False,
    timeout: float = TIMEOUT,
) -> CompiledModel:
    """Compile a .tflite file.

    Args:
        content: the bytes of the file.
        name: of the file, for errors.
        docker: run the compiler in the image ``edgetpu-compiler``, not from the PATH.
        search_delegate: where it fails, let the compiler cut the graph earlier until it succeeds.
        timeout: seconds until the compiler is stopped.

    Raises:
        ModelError: not a TensorFlow Lite model, or already compiled.
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
    predicted = check(content, name)
    with tempfile.TemporaryDirectory(prefix="edge-compile-") as temporary:
        folder = Path(temporary)
        program = runner.in_docker(folder) if docker else runner.on_path()
        (folder / f"{_STEM}.tflite").write_bytes(content)
        result = runner.run(program, _arguments(search_delegate, timeout), folder, timeout)
        output = folder / f"{_STEM}_edgetpu.tflite"
        produced = output.read_bytes() if output.is_file() else None
    log = log_parser.parse(result.text)
    if result.code != 0 or log.succeeded is not True:
        raise log_parser.compilation_error(result, log, name)
    compiled = _checked(produced, log, name)
    return CompiledModel(
        content=_with_metadata(compiled, metadata.of(source, name)),
        log=log,
        predicted=predicted,
        operations=len(_operators(source)),
        cpu=_left_to_cpu(compiled),
        subgraphs=sum(op.custom == EDGETPU_OP for op in _operators(compiled)),
        input_size=len(content),
    )


def _arguments(search_delegate: bool, timeout: float) -> list[str]:
    """Return the compiler's arguments; it writes into its working directory."""
    arguments = ["-s"]
    if search_delegate:
        arguments.append("-d")
    if timeout > TIMEOUT:  # compilers before version 16 have no limit, nor the option
        arguments += ["-t", str(math.ceil(timeout))]
    return [*arguments, f"{_STEM}.tflite"]


def _checked(produced: bytes | None, log: CompilerLog, name: str) -> ModelFile:
    """Parse the compiled file, and check that it is what the compiler reported."""
    if produced is None:
        raise _invalid_output(name, "no file")
    try:
        compiled = tflite.parse(produced, "the compiler's file")
    except ModelError as error:
        raise _invalid_output(name, error.found) from None
    if not compiled.for_edgetpu and any(model.on_tpu for model in log.models):
        raise _invalid_output(name, "a file without Edge TPU operations")
    return compiled


def _invalid_output(name: str, problem: str) -> CompilerError:
    return CompilerError(
        "a compiled model, as the Edge TPU compiler reported success",
        f"{problem} for {name}",
        "check the free space for temporary files, and reinstall the compiler",
        code="compiler-output-invalid",
    )


def _operators(file: ModelFile) -> list[OpInfo]:
    return [op for graph in file.graphs for op in graph.operators]


def _left_to_cpu(compiled: ModelFile) -> dict[str, int]:
    """Count the operations of a compiled file that are not for the Edge TPU: name → count."""
    names = op_names()
    counts = Counter(
        f"CUSTOM:{op.custom}" if op.custom else names.get(op.code, str(op.code))
        for op in _operators(compiled)
        if op.custom != EDGETPU_OP
    )
    return dict(sorted(counts.items()))


def _with_metadata(compiled: ModelFile, about: metadata.ModelMetadata | None) -> bytes:
    """Return the compiled file with the model's metadata, which not every compiler keeps."""
    if about is None or _metadata(compiled) == about:
        return compiled.content
    return write_metadata(compiled.content, about)


def _metadata(file: ModelFile) -> metadata.ModelMetadata | None:
    try:
        return metadata.of(file)
    except ModelError:
        return None


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
    if not is_available():
        return Compilation((f"Not compiled: {runner.PROGRAM} is not on the PATH.",), False)
    try:
        compiled = compile_bytes(chosen.content, f"{chosen.name}.tflite")
    except CompilerError as error:
        return Compilation((f"Not compiled: {error}.",), True)
    if compiled.status == "none":
        return Compilation(
            ("Not compiled: the compiler maps no operation to the Edge TPU.",), True,
            version=compiled.log.version, cpu=compiled.cpu,
        )  # fmt: skip
    left = sum(compiled.cpu.values())
    every = counted(compiled.operations, "operation")
    share = f"{compiled.mapped} of {every}" if left else f"all {every}"
    if not left and compiled.operations == 1:
        share = "the only operation"
    return Compilation(
        notes=(f"Compiled: {share} on the Edge TPU.", *compiled.differences()),
        compiler=True,
        content=compiled.content,
        version=compiled.log.version,
        mapped=compiled.mapped,
        cpu=compiled.cpu,
    )
