"""TFLite interpreters: choose one and a delegate, and run a model with them.

Interpreters are tried in the order of their speed: ai-edge-litert, TensorFlow's own where
TensorFlow is installed anyway, tflite-runtime. The first that imports is taken; for the Edge TPU,
the first that has invoked the model in a subprocess (see :mod:`edge.edgetpu_probe`), because
libedgetpu can crash the process that loads it. So can a damaged model: it is checked, and tried
once in a subprocess where it is not known (see :mod:`edge.model_trial`).
"""

import os
import platform
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata, util
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge import edgetpu_probe, known_models, model_trial
from edge.errors import DelegateError, ModelError, UsageError, did_you_mean
from edge.model_trial import CrashError, LimitError, TrialError
from edge.modelfile import operations, structure, tflite
from edge.modelfile.open_inputs import sizes_of_open_inputs
from edge.modelfile.tflite import ModelFile

DELEGATES = ("auto", "cpu", "edgetpu")

INTERPRETERS = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tensorflow": "tensorflow.lite.python.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}
"""Distribution → module with ``Interpreter`` and ``load_delegate``, the fastest first."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output: real value = scale × (value − zero_point); scale 0: not quantized."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    def dequantize(self, values: Array) -> NDArray[np.float32]:
        """Convert raw values of any shape to real values, float32."""
        if self.scale == 0:
            return values.astype(np.float32)
        return (values.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)


class Engine(Protocol):
    """Anything that runs a model: a :class:`Runtime`, or a library's own pipeline."""

    @property
    def name(self) -> str:
        """Name of the model, usually its path."""

    @property
    def package(self) -> str:
        """Name and version of the library that runs the model."""

    @property
    def delegate(self) -> str:
        """Device that runs the model: "cpu" or "edgetpu"."""

    @property
    def threads(self) -> int:
        """Number of CPU threads."""

    def invoke(self, *arrays: Array) -> tuple[Array, ...]:
        """Run the model once and return its raw outputs.

        Raises:
            ModelError: the arrays do not fit the inputs, or the model fails.
        """


class Runtime:
    """A model in an interpreter, ready to invoke.

    Attributes:
        name: Name of the model, usually its path.
        package: The interpreter with its version, e.g. "ai-edge-litert 2.3.0".
        delegate: Device that runs the model, "cpu" or "edgetpu".
        threads: CPU threads of the interpreter.
        notes: Sentences for the user about this choice.
        inputs: The model's inputs.
        outputs: The model's outputs.
        file: The parsed model file.
    """

    def __init__(
        self,
        interpreter: Any,
        file: ModelFile,
        *,
        name: str,
        package: str,
        delegate: str,
        threads: int,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.package = package
        self.delegate = delegate
        self.threads = threads
        self.notes = notes
        self.file = file
        self.name = name
        self._interpreter = interpreter
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        self.inputs = tuple(_spec(detail) for detail in inputs)
        self.outputs = tuple(_spec(detail) for detail in outputs)
        self._inputs = [int(detail["index"]) for detail in inputs]
        self._outputs = [int(detail["index"]) for detail in outputs]

    def add_output(self, tensor: int) -> int:
        """Return a tensor of the model's last operation as an output, too; return its index.

        Tensors of other operations share their memory with later ones.
        """
        if tensor not in self._outputs:
            details = self._interpreter.get_tensor_details()
            self.outputs += (_spec(next(d for d in details if d["index"] == tensor)),)
            self._outputs.append(tensor)
        return self._outputs.index(tensor)

    def invoke(self, *arrays: Array) -> tuple[Array, ...]:
        """Run the model on one array per input; return its raw outputs, as copies.

        Raises:
            ModelError: the arrays do not fit the inputs, or the model fails.
        """
        try:
            self._run(arrays)
            return tuple(self._interpreter.get_tensor(index) for index in self._outputs)
        except (RuntimeError, ValueError) as error:
            raise _fails(self.name, "run", error) from None

    def peek(self, *arrays: Array) -> tuple[Array, ...]:
        """Run the model once and return its raw outputs where they lie in the interpreter.

        Outputs of megabytes take longer to copy than to compute. They have to be let go before
        the model runs again.

        Raises:
            ModelError: see :meth:`invoke`.
        """
        try:
            self._run(arrays)
            return tuple(self._interpreter.tensor(index)() for index in self._outputs)
        except (RuntimeError, ValueError) as error:
            raise _fails(self.name, "run", error) from None

    def _run(self, arrays: tuple[Array, ...]) -> None:
        for index, array in zip(self._inputs, arrays, strict=True):
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()


def load(
    model: bytes,
    *,
    name: str,
    delegate: str = "auto",
    threads: int | None = None,
    interpreter: str | None = None,
    trusted: bool = False,
) -> Runtime:
    """Load the bytes of a .tflite file into an interpreter.

    Args:
        model: The file's content.
        name: Name of the model in errors, usually its path.
        delegate: "cpu", "edgetpu", or "auto": the Edge TPU for models compiled for it.
        threads: CPU threads; by default one per core, at most 4.
        interpreter: A key of ``INTERPRETERS``; by default the fastest that is installed.
        trusted: Whether the model comes from this toolkit, and needs no trial.

    Raises:
        ModelError: the model is not usable: damaged, or it failed in its trial.
        DelegateError: no interpreter, or no Edge TPU for a model that needs one.
        UsageError: an unknown delegate or interpreter, or no thread.
    """
    _check_choice("delegate", delegate, DELEGATES)
    if interpreter is not None:
        _check_choice("interpreter", interpreter, tuple(INTERPRETERS))
    candidates = [interpreter] if interpreter else list(INTERPRETERS)
    file = tflite.parse(model, name)
    if delegate == "edgetpu" and not file.for_edgetpu:
        raise DelegateError(
            "a model compiled for the Edge TPU",
            f"{name}, which is compiled for the CPU",
            "compile it with 'edge compile', or use --delegate cpu",
            code="model-not-for-edgetpu",
            summary=f"{name} is not compiled for the Edge TPU",
        )
    if delegate == "cpu" and file.for_edgetpu:
        raise _needs_edgetpu(name, "--delegate cpu")
    if threads is not None and threads < 1:
        raise UsageError(
            "at least one thread",
            str(threads),
            "use --threads 1, or leave it out",
            code="invalid-option-value",
        )
    count = threads or min(4, os.cpu_count() or 1)
    structure.check(file, name)
    if file.for_edgetpu:
        return _on_edgetpu(file, name, candidates, count)
    return _on_cpu(file, name, candidates, count, trusted)


def _on_cpu(
    file: ModelFile, name: str, candidates: list[str], threads: int, trusted: bool
) -> Runtime:
    distribution, module = _first_importable(candidates)
    sizes = sizes_of_open_inputs(file, name)
    if not trusted:
        _try_once(file, name, distribution)
    notes = _slowness(distribution)
    try:
        interpreter, without_xnnpack = model_trial.load(module, file.content, sizes, threads)
    except (RuntimeError, ValueError) as error:
        raise _fails(name, "load", error) from None
    if without_xnnpack:
        notes += (f"XNNPACK rejects {name}: using TensorFlow Lite's built-in, slower kernels",)
    return Runtime(
        interpreter,
        file,
        name=name,
        package=_with_version(distribution),
        delegate="cpu",
        threads=threads,
        notes=notes,
    )


def _on_edgetpu(file: ModelFile, name: str, candidates: list[str], threads: int) -> Runtime:
    reasons = []
    for distribution in candidates:
        if not installed(distribution):
            continue
        module = INTERPRETERS[distribution]
        reason = edgetpu_probe.try_edgetpu(module, file.content)
        if reason is None:
            loaded = import_module(module)
            edgetpu = loaded.load_delegate(edgetpu_probe.library())
            return Runtime(
                _with_delegate(loaded, file, name, threads, edgetpu),
                file,
                name=name,
                package=_with_version(distribution),
                delegate="edgetpu",
                threads=threads,
            )
        reasons.append(f"{distribution}: {reason}" if len(candidates) > 1 else reason)
        if reason in edgetpu_probe.SAME_FOR_ALL:
            reasons = [reason]
            break
    raise _needs_edgetpu(name, "; ".join(reasons) or "no interpreter")


def _with_delegate(module: Any, file: ModelFile, name: str, threads: int, delegate: Any) -> Any:
    options = {"experimental_delegates": [delegate]}
    try:
        return model_trial.allocate(module, file.content, {}, threads, **options)
    except (RuntimeError, ValueError) as error:
        raise _fails(name, "load", error) from None


def check_runs(content: bytes, name: str) -> None:
    """Check a .tflite file that another library will run, as :func:`load` checks it.

    Raises:
        ModelError: it is damaged, or failed in its trial.
        DelegateError: no interpreter.
    """
    file = tflite.parse(content, name)
    structure.check(file, name)
    _try_once(file, name, _first_importable(list(INTERPRETERS))[0])


def _try_once(file: ModelFile, name: str, distribution: str) -> None:
    """Run a file of a sound structure in a subprocess if it is not known, and remember it."""
    digest, package = known_models.digest(file.content), _with_version(distribution)
    if known_models.is_known(digest, package):
        return
    needs = operations.work(file), operations.least_bytes(file)
    sizes = sizes_of_open_inputs(file, name)
    try:
        model_trial.run(file.content, INTERPRETERS[distribution], sizes, *needs)
    except TrialError as error:
        raise _failed_trial(name, error) from None
    known_models.remember(digest, package)


def _failed_trial(name: str, error: TrialError) -> ModelError:
    if isinstance(error, LimitError):
        return ModelError(
            "a model that runs",
            f"{name}, which {error}",
            "use a smaller model, or run it all the same with --trust (Python: edge.trust_model)",
            code="model-over-limit",
            summary=f"{name} {error}",
        )
    if isinstance(error, CrashError):
        return ModelError(
            "a model that runs",
            f"{name}, which {error}",
            "copy or download it again, or convert it again",
            code="model-crashes",
            summary=f"{name} {error}",
        )
    return _failure(name, str(error))


def _first_importable(candidates: list[str]) -> tuple[str, Any]:
    """Import the first interpreter that can be imported; return its name and module.

    Raises:
        DelegateError: there is none.
    """
    failures = []
    for distribution in candidates:
        if not installed(distribution):
            continue
        if distribution == "tflite-runtime" and int(np.__version__.partition(".")[0]) >= 2:
            # It imports, and dies in Interpreter() with a SystemError.
            raise DelegateError(
                "NumPy 1 for tflite-runtime",
                f"NumPy {np.__version__}",
                "pip install ai-edge-litert, or pip install 'numpy<2'",
                code="numpy-incompatible",
                summary=f"tflite-runtime does not work with NumPy {np.__version__}",
            )
        try:
            return distribution, import_module(INTERPRETERS[distribution])
        except (ImportError, OSError) as error:
            failures.append(f"{distribution}, which cannot be imported ({_one_line(error)})")
    raise DelegateError(
        "a TensorFlow Lite interpreter",
        ", ".join(failures) or "none",
        "pip install ai-edge-litert",
        code="interpreter-missing",
    )


def installed(distribution: str) -> bool:
    """Return whether a key of ``INTERPRETERS`` is installed, without importing it."""
    return util.find_spec(INTERPRETERS[distribution].partition(".")[0]) is not None


def default_package() -> str:
    """Return the interpreter that runs models on the CPU, with its version, as in ``Runtime``.

    Raises:
        DelegateError: there is none.
    """
    return _with_version(_first_importable(list(INTERPRETERS))[0])


@cache  # reading it takes longer than loading a small model
def _with_version(distribution: str) -> str:
    try:
        return f"{distribution} {metadata.version(distribution)}"
    except metadata.PackageNotFoundError:  # e.g. tensorflow that came as tensorflow-cpu
        return distribution


def _slowness(distribution: str) -> tuple[str, ...]:
    if distribution != "tflite-runtime" or platform.machine() not in ("x86_64", "AMD64"):
        return ()
    return (
        "tflite-runtime is slow on this processor (17 times slower than ai-edge-litert with int8 "
        "MobileNetV2): pip install ai-edge-litert",
    )


def _spec(detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(size) for size in detail["shape"])
    dtype = np.dtype(detail["dtype"]).name
    return TensorSpec(detail["name"], shape, dtype, float(scale), int(zero_point))


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value in choices:
        return
    fix = did_you_mean(value, choices, f"choose one of {', '.join(choices)}")
    raise UsageError(
        f"one of {', '.join(choices)}",
        f"{what} '{value}'",
        fix,
        code="unknown-option-value",
        summary=f"unknown {what} '{value}'",
    )


def _fails(name: str, action: str, error: Exception) -> ModelError:
    return _failure(name, f"failed to {action} ({_one_line(error)})")


def _failure(name: str, what: str) -> ModelError:
    return ModelError(
        "a model that runs",
        f"{name}, which {what}",
        "convert it again, or inspect it with 'edge inspect'",
        code="model-failed",
        summary=f"{name} {what}",
    )


def _needs_edgetpu(name: str, reason: str) -> DelegateError:
    before, suffix, after = name.rpartition("_edgetpu")
    cpu_model = before + after if suffix else "the model it was compiled from"
    return DelegateError(
        f"an Edge TPU for {name}, which is compiled for it",
        reason,
        f"on the CPU, use {cpu_model}",
        code="edgetpu-required",
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
