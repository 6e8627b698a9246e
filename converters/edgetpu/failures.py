"""Why the Edge TPU compiler refused a model, in plain words and with what mends it."""

import re
from dataclasses import dataclass

from converters.edgetpu.runner import Ran
from converters.edgetpu.transcript import CompilerLog
from edge.errors import CompilerError
from edge.printable import printable

_SMALLER = "use a smaller input, or run again with --search-delegate (it leaves more to the CPU)"


@dataclass(frozen=True, slots=True)
class Reason:
    """What a line of the compiler means: ``pattern`` finds it, its groups fill in ``found``."""

    pattern: str
    found: str
    fix: str


REASONS = (
    Reason(
        r"Model not quantized",
        "one that is not quantised to integers",
        "quantise it first; 'edge convert' makes int8 files",
    ),
    Reason(
        r"dynamic-sized tensors",
        "one with tensors whose size is known at run time only",
        "export it with a fixed batch size of 1 and fixed shapes",
    ),
    Reason(
        r"builtin opcode '(\w+)' version '(\d+)'",
        "version {1} of the operation {0}, which is newer than the compiler",
        "convert the model again without what needs that version",
    ),
    Reason(
        r"unresolved custom op: (\S+?)\.?(?:\s|$)",
        "the custom operation {0}, which it does not know",
        "end the model before it, and do that part in your program",
    ),
    Reason(
        r"Compilation timeout",
        "one that it could not compile in its own time limit, usually for large activations",
        "give it longer with --timeout, or use a smaller input",
    ),
    Reason(r"large activation", "one whose activations are too large for the Edge TPU", _SMALLER),
    Reason(
        r"failed in Tflite interpreter",
        "one that the TFLite interpreter inside it cannot run",
        "try 'edge bench MODEL', and convert the model again",
    ),
    Reason(
        r"could not be parsed",
        "one that it cannot read",
        "convert the model again, with an older TensorFlow if need be",
    ),
    Reason(r"Internal compiler error|uncaught exception", "one that it crashed on", _SMALLER),
)
"""The known reasons, the most telling first."""


def refusal(ran: Ran, log: CompilerLog, name: str) -> CompilerError:
    """The error for a run that did not succeed; ``name`` is the model's."""
    lines = [*log.errors] or _last_lines(ran.text)
    said = printable("; ".join(lines)) or "nothing more"
    for reason in REASONS:
        match = re.search(reason.pattern, "\n".join(log.errors))
        if match:
            found = f"{name}, {reason.found.format(*match.groups())} (it said: {said})"
            return CompilerError("a model that the Edge TPU compiler takes", found, reason.fix)
    if log.succeeded is False:
        found = f"{name}, which it refused without a reason (it said: {said})"
        fix = f"see 'edge check {name}'; {_SMALLER}"
        return CompilerError("a model that the Edge TPU compiler takes", found, fix)
    return CompilerError(
        "an Edge TPU compiler that ends with a line of success and exit code 0",
        f"exit code {ran.code} for {name} (it said: {said})",
        "run it by hand to see more, or install it anew",
    )


def _last_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()][-3:]
