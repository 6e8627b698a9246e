"""Errors for models that the Edge TPU compiler rejects, with the reason and a fix."""

import re
from dataclasses import dataclass

from converters.edgetpu.log_parser import CompilerLog
from converters.edgetpu.runner import CompilerRun
from edge.errors import CompilerError
from edge.terminal.text import printable

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
