"""Parser of the Edge TPU compiler's console output and operation logs (``*.log``).

The compiler is closed-source, and its output is meant for people and differs by version; this reads
versions 1.0 to 16.0. What the text does not contain is None, never a guess. If the compiler
rejected the model, the error names the reason and a fix.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from converters.edgetpu.runner import CompilerRun
from edge.errors import CompilerError
from edge.terminal import printable

MAPPED = "Mapped to Edge TPU"

_VERSION = re.compile(r"Edge TPU Compiler version ([\d.]+)")
_SIZE = re.compile(r"([\d.]+) ?(B|KiB|MiB|GiB)")
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_COMPILED = re.compile(r"Models? compiled successfully in (\d+) ?ms")
_FAILED = re.compile(
    r"Compilation failed|Compilation timeout|Invalid model|Internal compiler error"
)
_HEADER = re.compile(r"Operator\s+Count\s+Status")
_ROW = re.compile(r"(\w+)\s+(\d+)\s+(\S.*)")
_ERROR = re.compile(
    r"ERROR: |Compilation failed: |Compilation timeout|Invalid model|Internal compiler error|"
    r".*terminating with uncaught exception"
)
_TIMER = "Started a compilation timeout timer"
_SUCCEEDED = "Compilation succeeded!"
_PARTLY = "Model successfully compiled but not all operations"


@dataclass(frozen=True, slots=True)
class OpLogRow:
    """A row of the operation table: ``count`` operations ``op`` and their status."""

    op: str
    count: int
    status: str

    @property
    def mapped(self) -> bool:
        """True where the operations run on the Edge TPU."""
        return self.status == MAPPED


@dataclass(frozen=True, slots=True)
class ModelLog:
    """Log of one model; sizes in bytes, as rounded by the compiler.

    ``on_chip``: parameters cached on the chip; ``on_chip_free``: remaining cache; ``off_chip``:
    parameters streamed at each invoke; ``subgraphs``: number of parts that run on the Edge TPU;
    ``on_tpu`` and ``on_cpu``: number of operations that run there; ``rows``: the operation table,
    where an op can have several rows.
    """

    input: str
    output: str
    input_size: int | None
    output_size: int | None
    on_chip: int | None
    on_chip_free: int | None
    off_chip: int | None
    subgraphs: int | None
    operations: int | None
    on_tpu: int | None
    on_cpu: int | None
    rows: tuple[OpLogRow, ...]


@dataclass(frozen=True, slots=True)
class CompilerAttempt:
    """An attempt to compile; a search for a delegate (``-d``) makes several.

    ``succeeded``: None where the text does not show it: an operation log, or truncated output.
    ``milliseconds``: as measured by the compiler; ``errors``: its error lines.
    """

    succeeded: bool | None
    milliseconds: int | None
    models: tuple[ModelLog, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompilerLog:
    """Output of a run: the compiler's version ("" where it is not printed) and its attempts."""

    version: str
    attempts: tuple[CompilerAttempt, ...]

    @property
    def succeeded(self) -> bool | None:
        """Result of the last attempt: a search that fails first may succeed later."""
        return self.attempts[-1].succeeded if self.attempts else None

    @property
    def milliseconds(self) -> int | None:
        """Duration of the last attempt, as measured by the compiler."""
        return self.attempts[-1].milliseconds if self.attempts else None

    @property
    def models(self) -> tuple[ModelLog, ...]:
        """Models of every attempt that did not fail."""
        kept = [attempt for attempt in self.attempts if attempt.succeeded is not False]
        return tuple(model for attempt in kept for model in attempt.models)

    @property
    def errors(self) -> tuple[str, ...]:
        """Error lines of the last attempt."""
        return self.attempts[-1].errors if self.attempts else ()


def parse(text: str) -> CompilerLog:
    """Parse the console output of ``edgetpu_compiler``, or an operation log that it wrote.

    Any text is accepted; other text gives a log without version and models.
    """
    lines = [line.strip() for line in text.splitlines()]
    version = _VERSION.search(text)
    attempts = tuple(_attempt(block) for block in _attempts(lines))
    return CompilerLog(version[1] if version else "", attempts)


def _attempts(lines: Sequence[str]) -> Iterator[list[str]]:
    """Split lines by attempt: one begins where the previous one ended and another is announced."""
    block: list[str] = []
    for line in lines:
        begins = line.startswith(("Try to compile segment", _TIMER)) or _VERSION.match(line)
        if begins and _outcome(block) is not None:
            yield block
            block = []
        block.append(line)
    if any(block):
        yield block


def _outcome(lines: Sequence[str]) -> bool | None:
    """Check whether an attempt succeeded; None where the lines do not show it.

    Compilers with a timeout timer (16.0) end with a separate line of success; "Model compiled
    successfully" comes before their child process has ended, and does not count.
    """
    if any(_FAILED.match(line) or "uncaught exception" in line for line in lines):
        return False
    if any(line.startswith(_TIMER) for line in lines):
        return True if any(line.startswith(_SUCCEEDED) for line in lines) else None
    return True if any(_COMPILED.match(line) for line in lines) else None


def _attempt(lines: Sequence[str]) -> CompilerAttempt:
    heads = [i for i, line in enumerate(lines) if re.match(r"Input( model)?: ", line)]
    ends = [*heads, len(lines)][1:]
    times = [int(match[1]) for line in lines if (match := _COMPILED.match(line))]
    return CompilerAttempt(
        succeeded=_outcome(lines),
        milliseconds=times[-1] if times else None,
        models=tuple(_model(lines[head:end]) for head, end in zip(heads, ends, strict=True)),
        errors=tuple(_errors(lines)),
    )


def _errors(lines: Sequence[str]) -> Iterator[str]:
    """Find the error lines; after "Invalid model" the next line says why."""
    before = ""
    for line in filter(None, lines):
        if _ERROR.match(line) or before.startswith("Invalid model"):
            yield line
        before = line


def _model(lines: Sequence[str]) -> ModelLog:
    """Parse one model's block, from its "Input" line on."""
    fields = {label: value for line in lines for label, _, value in [line.partition(": ")] if value}
    rows = tuple(_rows(lines))
    operations = _number(fields.get("Total number of operations"))
    subgraphs = _number(fields.get("Number of Edge TPU subgraphs"))
    on_tpu, on_cpu = _op_counts(lines, fields, rows, operations, subgraphs)
    return ModelLog(
        input=fields.get("Input model") or fields.get("Input", ""),
        output=fields.get("Output model") or fields.get("Output", ""),
        input_size=_bytes(fields.get("Input size")),
        output_size=_bytes(fields.get("Output size")),
        on_chip=_bytes(fields.get("On-chip memory used for caching model parameters")),
        on_chip_free=_bytes(fields.get("On-chip memory remaining for caching model parameters")),
        off_chip=_bytes(fields.get("Off-chip memory used for streaming uncached model parameters")),
        subgraphs=subgraphs,
        operations=operations,
        on_tpu=on_tpu,
        on_cpu=on_cpu,
        rows=rows,
    )


def _rows(lines: Sequence[str]) -> Iterator[OpLogRow]:
    """Parse the rows below the table's header, up to the first other line."""
    starts = [i + 1 for i, line in enumerate(lines) if _HEADER.match(line)]
    for line in lines[starts[0] :] if starts else ():
        row = _ROW.fullmatch(line)
        if row:
            yield OpLogRow(row[1], int(row[2]), row[3])
        elif line:
            return


def _op_counts(
    lines: Sequence[str],
    fields: dict[str, str],
    rows: tuple[OpLogRow, ...],
    operations: int | None,
    subgraphs: int | None,
) -> tuple[int | None, int | None]:
    """Return the number of operations on the Edge TPU and on the CPU; None where unknown.

    Both are printed where some run on the CPU. Where all are mapped neither is, so the block must
    be known to continue after the position where they would be.
    """
    on_tpu = _number(fields.get("Number of operations that will run on Edge TPU"))
    on_cpu = _number(fields.get("Number of operations that will run on CPU"))
    if on_tpu is not None and on_cpu is not None:
        return on_tpu, on_cpu
    if subgraphs == 0 and operations is not None:
        return 0, operations
    listed = sum(row.count for row in rows)
    if rows and operations in (None, listed):
        mapped = sum(row.count for row in rows if row.mapped)
        return mapped, listed - mapped
    if operations is None or any(line.startswith(_PARTLY) for line in lines):
        return None, None
    logs = [i for i, line in enumerate(lines) if line.startswith("Operation log:")]
    goes_on = bool(logs) and any(lines[logs[0] + 1 :])
    return (operations, 0) if goes_on else (None, None)


def _bytes(text: str | None) -> int | None:
    size = _SIZE.match(text or "")
    return round(float(size[1]) * _UNITS[size[2]]) if size else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


_SMALLER = "use a smaller input, or try --search-delegate, which leaves more to the CPU"


@dataclass(frozen=True, slots=True)
class FailureReason:
    """Meaning of an error line: ``pattern`` matches it, its groups fill in ``problem``."""

    pattern: str
    code: str
    problem: str
    fix: str


REASONS = (
    FailureReason(
        r"Model not quantized",
        "model-not-quantized",
        "which is not quantized to integers",
        "quantize it first; 'edge convert' makes int8 files",
    ),
    FailureReason(
        r"dynamic-sized tensors",
        "model-dynamic-shapes",
        "which has tensors of dynamic size",
        "export it with a fixed batch size of 1 and fixed shapes",
    ),
    FailureReason(
        r"builtin opcode '(\w+)' version '(\d+)'",
        "compiler-unsupported-op-version",
        "which uses version {1} of {0}, newer than the compiler supports",
        "convert the model again without what needs that version",
    ),
    FailureReason(
        r"unresolved custom op: (\S+?)\.?(?:\s|$)",
        "compiler-unsupported-op",
        "which uses the custom operation {0}, unknown to the compiler",
        "end the model before it, and do that part in your program",
    ),
    FailureReason(
        r"Compilation timeout",
        "compiler-timeout",
        "which it could not compile within its own time limit, usually due to large activations",
        "increase --timeout, or use a smaller input",
    ),
    FailureReason(
        r"large activation",
        "activations-too-large",
        "whose activations are too large for the Edge TPU",
        _SMALLER,
    ),
    FailureReason(
        r"failed in Tflite interpreter",
        "compiler-cannot-run-model",
        "which its TFLite interpreter cannot run",
        "try 'edge bench MODEL', and convert the model again",
    ),
    FailureReason(
        r"could not be parsed",
        "compiler-cannot-read-model",
        "which it cannot read",
        "convert the model again, with an older TensorFlow if necessary",
    ),
    FailureReason(
        r"Internal compiler error|uncaught exception",
        "compiler-crashed",
        "which crashed it",
        _SMALLER,
    ),
)
"""Known reasons, the most specific first."""


def compilation_error(run: CompilerRun, log: CompilerLog, name: str) -> CompilerError:
    """Return the error for a run that did not succeed; ``name``: of the model."""
    lines = [*log.errors] or _last_lines(run.text)
    output = printable("; ".join(lines)) or "none"
    expected = "a model that the Edge TPU compiler accepts"
    for reason in REASONS:
        match = re.search(reason.pattern, "\n".join(log.errors))
        if match:
            problem = reason.problem.format(*match.groups())
            return CompilerError(
                expected,
                f"{name}, {problem} (compiler output: {output})",
                reason.fix,
                code=reason.code,
            )
    if log.succeeded is False:
        return CompilerError(
            expected,
            f"{name}, which it rejected without a known reason (compiler output: {output})",
            f"see 'edge check {name}'; {_SMALLER}",
            code="compiler-rejected-model",
        )
    return CompilerError(
        "the Edge TPU compiler to report success with exit code 0",
        f"exit code {run.code} for {name} (compiler output: {output})",
        "run it by hand to see more, or reinstall it",
        code="compiler-failed",
    )


def _last_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()][-3:]
