"""Trial of a model: a file that is not known is run once in a process of its own.

The kernels of an interpreter crash on some files that every check lets pass, and take the program
with them; others compute forever, or need more memory than there is. So each file that is not
known (see :mod:`edge.known_models`) is run first in a subprocess with limits for time and memory.
The subprocess runs this file with :data:`sys.argv`; it imports nothing else of the toolkit.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

MEMORY_BYTES, MEMORY_PER_BYTE = 340_000_000, 8
"""Memory that a trial may take, and more of it for each byte of the file: weights are unpacked."""

OWN_BYTES = 200_000_000
"""Memory that a trial may take beyond that of its interpreter: TensorFlow takes 350 MB itself."""

CPU_S, WORK_PER_S = 1.0, 2e8
"""Seconds of computing on a workstation, and how much of a model's work it does in one more.

More than ten times what is needed; a slower machine gets as much more as its start took longer.
"""

START_S = 0.5
"""Seconds of computing in which a workstation starts Python, NumPy and an interpreter."""

WALL_S = 120.0
"""Seconds in all, besides, for a model that waits for ever: a board may start slowly."""

_OUTPUT_BYTES = 1 << 16

_SILENT = "failed to load (RuntimeError)"
"""What is left of TensorFlow Lite's error where it gets no memory for the tensors."""

Sizes = dict[int, tuple[int, ...]]
"""Sizes to resize inputs to, by the position of the input."""


class TrialError(Exception):
    """The interpreter reported an error; the text is a clause that follows the model's name."""


class CrashError(TrialError):
    """The model crashed the interpreter."""


class LimitError(TrialError):
    """The model needs more time or memory than a trial gives it."""


def run(content: bytes, module: str, sizes: Sizes, work: int, least_bytes: int) -> None:
    """Run a model twice, on zeros and on noise, in a subprocess.

    Args:
        content: The .tflite file.
        module: The interpreter's module.
        sizes: Sizes of inputs that the file leaves open.
        work: What an inference computes (:func:`edge.modelfile.operations.work`).
        least_bytes: What it needs at least (:func:`edge.modelfile.operations.least_bytes`).

    Raises:
        TrialError: the model failed, crashed, or took too much time or memory.
    """
    cpu_s = CPU_S + 2 * work / WORK_PER_S
    memory = MEMORY_BYTES + MEMORY_PER_BYTE * len(content)
    too_large = f"needs more than {memory / 1e6:.0f} MB of memory"
    if least_bytes > memory:
        raise LimitError(too_large)
    task = {"module": module, "sizes": list(sizes.items()), "memory": memory, "cpu_s": cpu_s}
    end = _spawn(task, content, WALL_S + 2 * cpu_s)
    if end.code == -signal.SIGPROF:
        raise LimitError("computes far longer than its operations explain")
    if end.code == -signal.SIGKILL or any(map(_tells_of_memory, end.messages)):
        raise LimitError(too_large)
    if end.code < 0:
        raise CrashError(f"crashes the interpreter ({signal.Signals(-end.code).name})")
    if end.code:
        last = end.messages[-1][:120] if end.messages else f"exit code {end.code}"
        raise CrashError(f"crashes the interpreter ({last})")
    reason = json.loads(end.output)["error"]
    if reason == _SILENT:
        raise LimitError(too_large)
    if reason:
        raise TrialError(reason)


@dataclass(frozen=True, slots=True)
class TrialEnd:
    """How the subprocess ended: its exit code, its output, and the lines on stderr."""

    code: int
    output: bytes
    messages: tuple[str, ...]


def _spawn(task: dict[str, Any], content: bytes, timeout_s: float) -> TrialEnd:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # each thread takes memory
    with tempfile.TemporaryFile() as stderr:
        try:
            done = subprocess.run(
                [sys.executable, "-P", __file__, json.dumps(task)],
                input=content,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LimitError(f"does not end within {timeout_s:.0f} s") from None
        stderr.seek(0)
        lines = stderr.read().decode("utf-8", "replace").strip().splitlines()
    return TrialEnd(done.returncode, done.stdout, tuple(lines))


def _tells_of_memory(line: str) -> bool:
    return "bad_alloc" in line or "MemoryError" in line


def load(module: Any, content: bytes, sizes: Sizes, threads: int) -> tuple[Any, bool]:
    """Load a model into an interpreter of ``module``.

    Returns:
        The interpreter, and whether XNNPACK rejects the model: it refuses some quantization scales
        that TensorFlow Lite's own, slower kernels accept.

    Raises:
        RuntimeError, ValueError: the interpreter rejects the model.
    """
    try:
        return allocate(module, content, sizes, threads), False
    except (RuntimeError, ValueError) as error:
        if "xnnpack" not in str(error).lower():
            raise
    plain = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    options = {"experimental_op_resolver_type": plain}
    return allocate(module, content, sizes, threads, **options), True


def allocate(module: Any, content: bytes, sizes: Sizes, threads: int, **options: Any) -> Any:
    """Return a new interpreter with the model, its inputs resized and its tensors allocated.

    Raises:
        RuntimeError, ValueError: the interpreter rejects the model.
    """
    with warnings.catch_warnings():  # TensorFlow announces that its copy will go
        warnings.simplefilter("ignore")
        interpreter = module.Interpreter(model_content=content, num_threads=threads, **options)
    inputs = interpreter.get_input_details() if sizes else []
    for position, size in sizes.items():
        interpreter.resize_tensor_input(inputs[position]["index"], size)
    interpreter.allocate_tensors()
    return interpreter


# -- in the subprocess --------------------------------------------------------------------------


def _main() -> None:
    task = json.loads(sys.argv[1])
    content = sys.stdin.buffer.read()
    import_module(task["module"])  # before time and memory are counted
    print(attempt(task, content))
    sys.stdout.flush()
    os._exit(0)  # without the end of an interpreter whose memory may be damaged


def attempt(task: dict[str, Any], content: bytes) -> str:
    """Limit this process, and run the model in it; return the result as JSON."""
    _limit(task["memory"], task["cpu_s"])
    module = import_module(task["module"])
    return json.dumps({"error": _failure(module, content, dict(task["sizes"]))})


def _data_bytes() -> int:
    """Return the memory of this process that RLIMIT_DATA counts, 0 where that is unknown."""
    with suppress(OSError, ValueError):
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmData:")[2].split()[0])
    return 0


def _limit(memory: int, cpu_s: float) -> None:
    with suppress(OSError):  # the first to be ended where memory is short
        Path("/proc/self/oom_score_adj").write_text("1000")
    try:
        import resource
    except ImportError:  # Windows
        return
    signal.setitimer(signal.ITIMER_PROF, cpu_s * max(1.0, time.process_time() / START_S))
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: _OUTPUT_BYTES,
        resource.RLIMIT_DATA: max(memory, _data_bytes() + OWN_BYTES),
    }
    for kind, value in limits.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (value if hard < 0 else min(value, hard), hard))


def _failure(module: Any, content: bytes, sizes: Sizes) -> str | None:
    """Load the model and run it; return the reason of a failure as a clause."""
    try:
        interpreter, _ = load(module, content, sizes, threads=1)
    except (RuntimeError, ValueError) as error:
        return f"failed to load ({_one_line(error)})"
    try:
        _invoke(interpreter, noise=False)
    except (RuntimeError, ValueError) as error:
        return f"failed to run ({_one_line(error)})"
    with suppress(RuntimeError, ValueError):  # noise may be no valid input, of indices for example
        _invoke(interpreter, noise=True)
    return None


def _invoke(interpreter: Any, noise: bool) -> None:
    import numpy as np

    for detail in interpreter.get_input_details():
        dtype, size = np.dtype(detail["dtype"]), int(np.prod(detail["shape"]))
        values = np.zeros(size, dtype)
        if noise and dtype.itemsize == 1:
            values = np.random.default_rng(0).integers(0, 256, size, np.uint8).view(dtype)
        elif noise and dtype.kind == "f":
            values = np.random.default_rng(0).random(size, np.float32).astype(dtype, copy=False)
        interpreter.set_tensor(detail["index"], values.reshape(detail["shape"]))
    interpreter.invoke()
    for detail in interpreter.get_output_details():
        interpreter.get_tensor(detail["index"])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    _main()
