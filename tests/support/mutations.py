"""Seeded mutations of small model files, and what the commands make of them.

Every case runs in a process of its own, which is forked, so that a crash ends that process only.
The trial of a file that is not known (:mod:`edge.model_trial`) is forked as well; the real one
starts Python anew, which would take most of the time.
"""

import json
import os
import random
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import hostile
import numpy as np
import tiny_models
from ai_edge_litert import schema_py_generated as schema
from tiny_models import FLOAT32, INT8, INT32, Parts

from converters.edgetpu import prediction
from edge import benchmark, interpreter, known_models, model_trial
from edge.commands import inspect
from edge.errors import EdgeError
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.tasks.classify.classifier import Classifier

SECONDS, MEGABYTES = 2.0, 500
EXTREMES = (0, 1, 2, 3, 7, 127, 128, 255, 256, 32767, 65535, 1 << 20, (1 << 31) - 1, 1 << 31,
            (1 << 32) - 1)  # fmt: skip


def models() -> dict[str, bytes]:
    """Five small classifiers, with metadata and without, as converters write them."""
    about = ModelMetadata(
        name="Colors", labels=("red", "green", "blue"), mean=(127.5,), std=(127.5,),
        threshold=0.5, provenance={"seed": 3},
    )  # fmt: skip
    return {
        "int8": write_metadata(tiny_models.color_model("int8"), about),
        "uint8": write_metadata(tiny_models.color_model("uint8", logits=True), about),
        "float32": tiny_models.color_model("float32"),
        "conv-int8": write_metadata(convolutions("int8"), about),
        "conv-float32": convolutions("float32"),
    }


def convolutions(dtype: str) -> bytes:
    """A convolution, a depthwise one, an ADD, a PAD, a pooling and a dense layer."""
    parts = Parts()
    kind = {"int8": INT8, "float32": FLOAT32}[dtype]
    chance = np.random.default_rng(1)

    def computed(name: str, *shape: int) -> Any:
        return parts.tensor(name, list(shape), kind, scale=0.1)

    def weights(name: str, *shape: int) -> Any:
        values = chance.integers(-9, 9, shape).astype(dtype)
        return parts.tensor(name, list(shape), kind, data=values, scale=0.02)

    def bias(name: str, size: int) -> Any:
        integers = dtype == "int8"
        values = np.ones(size, np.int32 if integers else np.float32)
        return parts.tensor(name, [size], INT32 if integers else FLOAT32, data=values, scale=0.002)

    padding = np.asarray([[0, 0], [0, 1], [0, 1], [0, 0]], np.int32)
    tensors = [
        computed("image", 1, 8, 8, 3),
        weights("kernel", 4, 3, 3, 3), bias("bias", 4), computed("conv", 1, 8, 8, 4),
        weights("depth", 1, 3, 3, 4), bias("depth bias", 4), computed("depthwise", 1, 8, 8, 4),
        computed("sum", 1, 8, 8, 4),
        parts.tensor("padding", [4, 2], INT32, data=padding), computed("padded", 1, 9, 9, 4),
        computed("pooled", 1, 4, 4, 4),
        parts.tensor("shape", [2], INT32, data=np.asarray([1, 64], np.int32)),
        computed("flat", 1, 64),
        weights("dense", 3, 64), bias("dense bias", 3), computed("logits", 1, 3),
        parts.tensor("scores", [1, 3], kind, scale=1 / 256, zero=-128),
    ]  # fmt: skip
    new = 3 if dtype == "int8" else 1
    pool = _options(parts.operator(17, [9], [10], min(new, 2)), "Pool2DOptions", 2)
    operators = [
        _options(parts.operator(3, [0, 1, 2], [3], new), "Conv2DOptions", 1),
        _options(parts.operator(4, [3, 4, 5], [6], new), "DepthwiseConv2DOptions", 1),
        _options(parts.operator(0, [3, 6], [7], min(new, 2)), "AddOptions", 1),
        parts.operator(34, [7, 8], [9], min(new, 2)),
        pool,
        parts.operator(22, [10, 11], [12]),
        parts.operator(9, [12, 13, 14], [15], 4 if dtype == "int8" else 1),
        parts.operator(25, [15], [16], min(new, 2)),
    ]
    pool.builtinOptions.padding = schema.Padding.VALID
    return parts.pack(tensors, operators, [0], [16])


def _options(operator: Any, name: str, stride: int) -> Any:
    operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
    operator.builtinOptions = options = getattr(schema, f"{name}T")()
    for field, value in (
        ("strideW", stride), ("strideH", stride), ("filterWidth", stride),
        ("filterHeight", stride), ("depthMultiplier", 1),
    ):  # fmt: skip
        if hasattr(options, field):
            setattr(options, field, value)
    return operator


# -- mutations ----------------------------------------------------------------------------------


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Change a file in bytes or, as often, in a field of its schema."""
    return (_in_fields if chance.random() < 0.5 else _in_bytes)(content, chance)


def _in_bytes(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(data))
        kind = chance.randrange(7)
        if kind <= 1:
            data[at] = chance.randrange(256)
        elif kind == 2:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 3:  # an aligned number
            at &= ~3
            data[at : at + 4] = chance.choice(EXTREMES).to_bytes(4, "little")
        elif kind == 4:  # a part in another place
            source = chance.randrange(len(data))
            data[at : at + 16] = data[source : source + 16]
        elif kind == 5 and chance.random() < 0.3:
            del data[at:]
        else:
            size = chance.randrange(1, 9)
            data[at : at + size] = bytes(size) if chance.random() < 0.5 else b"\xff" * size
        if not data:
            break
    return bytes(data)


def _in_fields(content: bytes, chance: random.Random) -> bytes:
    def edit(model: Any) -> None:
        for _ in range(chance.choice((1, 1, 2))):
            chance.choice(_EDITS)(model, chance)

    try:
        return hostile.edited(content, edit)
    except Exception:  # what the writer itself refuses
        return _in_bytes(content, chance)


def _number(chance: random.Random, least: int = -1) -> int:
    return chance.choice((least, 0, 1, 2, 3, 5, 16, 255, 4096, 65536, (1 << 31) - 1))


def _some(values: Any, chance: random.Random, make: Callable[[], Any]) -> list[Any]:
    """Drop, repeat, replace or add one of several values."""
    values = list(values) if values is not None else []
    at, kind = chance.randrange(len(values) + 1), chance.randrange(4)
    if kind == 0:
        return values[:at] + values[at + 1 :]
    if kind == 1:
        return values[:at] + values[max(0, at - 1) :]
    if kind == 2:
        return [*values[:at], make(), *values[at + 1 :]]
    return [*values[:at], make(), *values[at:]]


def _operands(model: Any, chance: random.Random) -> None:
    graph = model.subgraphs[0]
    operator, field = chance.choice(graph.operators), chance.choice(("inputs", "outputs"))
    changed = _some(
        getattr(operator, field), chance, lambda: chance.randrange(-1, len(graph.tensors))
    )
    setattr(operator, field, np.asarray(changed, np.int32))


def _shape(model: Any, chance: random.Random) -> None:
    tensor = chance.choice(model.subgraphs[0].tensors)
    tensor.shape = np.asarray(_some(tensor.shape, chance, lambda: _number(chance)), np.int32)


def _signature(model: Any, chance: random.Random) -> None:
    tensor = chance.choice(model.subgraphs[0].tensors)
    tensor.shapeSignature = np.asarray(
        [-1 if chance.random() < 0.5 else size for size in tensor.shape], np.int32
    )


def _scale(model: Any, chance: random.Random) -> None:
    tensor = chance.choice(model.subgraphs[0].tensors)
    if tensor.quantization is None:
        tensor.quantization = schema.QuantizationParametersT()
    scales = (0.0, -1.0, 1e-38, 1e-45, 1e-10, 1e10, 3e38, np.inf, np.nan, 1.0)
    quantization = tensor.quantization
    old_scales, old_points = quantization.scale, quantization.zeroPoint
    quantization.scale = np.asarray(
        _some(old_scales, chance, lambda: chance.choice(scales)), np.float32
    )
    if chance.random() < 0.5:
        points = _some(old_points, chance, lambda: _number(chance))
        quantization.zeroPoint = np.asarray(points, np.int64)
    if chance.random() < 0.2:
        quantization.quantizedDimension = _number(chance)


def _option(model: Any, chance: random.Random) -> None:
    operator = chance.choice(model.subgraphs[0].operators)
    if operator.builtinOptions is None or chance.random() < 0.1:
        operator.builtinOptions, operator.builtinOptionsType = None, 0
        return
    numbers = [name for name, value in vars(operator.builtinOptions).items()
               if isinstance(value, int) and not isinstance(value, bool)]  # fmt: skip
    if numbers:
        setattr(operator.builtinOptions, chance.choice(numbers), _number(chance) % 128)


def _code(model: Any, chance: random.Random) -> None:
    code = chance.choice(model.operatorCodes)
    if chance.random() < 0.3:
        code.version = _number(chance)
    else:
        code.builtinCode = chance.randrange(0, 165)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)


def _buffer(model: Any, chance: random.Random) -> None:
    buffer = chance.choice(model.buffers)
    data = bytes(buffer.data) if buffer.data is not None else b""
    kind = chance.randrange(3)
    if kind == 0:
        data = data[: chance.randrange(len(data) + 1)]
    elif kind == 1:
        data += bytes(chance.randrange(64))
    elif data:  # the values of a shape, a padding or axes
        at = chance.randrange(len(data)) & ~3
        number = chance.choice(EXTREMES).to_bytes(4, "little")
        data = data[:at] + number[: len(data) - at] + data[at + 4 :]
    buffer.data = np.frombuffer(data, np.uint8)


def _tensor(model: Any, chance: random.Random) -> None:
    tensor = chance.choice(model.subgraphs[0].tensors)
    kind = chance.randrange(3)
    if kind == 0:
        tensor.type = chance.randrange(18)
    elif kind == 1:
        tensor.buffer = chance.randrange(len(model.buffers))
    else:
        tensor.isVariable = not tensor.isVariable


def _ends(model: Any, chance: random.Random) -> None:
    graph, field = model.subgraphs[0], chance.choice(("inputs", "outputs"))
    changed = _some(getattr(graph, field), chance, lambda: chance.randrange(len(graph.tensors)))
    setattr(graph, field, np.asarray(changed, np.int32))


def _order(model: Any, chance: random.Random) -> None:
    model.subgraphs[0].operators = _some(
        model.subgraphs[0].operators, chance, lambda: model.subgraphs[0].operators[0]
    )


_EDITS = (
    _operands, _operands, _operands, _shape, _shape, _signature, _scale, _scale, _option, _option,
    _code, _buffer, _buffer, _tensor, _ends, _order,
)  # fmt: skip


# -- cases --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    ``kind``: "ran", the code of the error, or what must not be: a signal, a traceback. ``seconds``
    of computing, ``megabytes`` at most, the trial's included.
    """

    kind: str
    seconds: float
    megabytes: float

    @property
    def failure(self) -> str | None:
        """What must not be, None where all is well."""
        if self.kind.startswith("!"):
            return self.kind
        if self.seconds > SECONDS:
            return f"!{self.seconds:.1f} s"
        return f"!{self.megabytes:.0f} MB" if self.megabytes > MEGABYTES else None


def cases(count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of mutated files, the models in turn."""
    originals = list(models().items())
    for number in range(count):
        name, content = originals[number % len(originals)]
        yield f"{name}-{number}", mutate(content, random.Random(f"{name} {number} {seed}"))


def outcome(content: bytes, timeout_s: float = 60.0) -> Outcome:
    """Read and run a file as the commands do, in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(int(timeout_s))
        os.write(writing, _use(content).encode()[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        kind = pipe.read().decode()
    _, status, usage = os.wait4(child, 0)
    if os.WIFSIGNALED(status):
        kind = f"!{signal.Signals(os.WTERMSIG(status)).name}"
    return Outcome(kind, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _use(content: bytes) -> str:
    """Do what inspect, check, classify and bench do; return the kind of the outcome."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    known_models._here.clear()
    known_models.is_known = lambda digest, _: f"{digest} {known_models.ANY}" in known_models._here
    known_models.remember = lambda digest, _: known_models._here.add(f"{digest} {known_models.ANY}")
    model_trial._spawn = _fork
    kinds = []
    for use in (_inspect, _check, _classify, _bench):
        try:
            use(content)
            kinds.append("ran")
        except EdgeError as error:
            kinds.append(error.code)
        except BaseException:
            return f"!{use.__name__} {traceback.format_exc()[-3000:]}"
    return kinds[2] if kinds[2] != "ran" else kinds[3]


def _inspect(content: bytes) -> None:
    facts = inspect.describe(content, "case.tflite")
    json.dumps(facts, allow_nan=False)
    "\n".join(inspect._lines(facts)).encode()


def _check(content: bytes) -> None:
    json.dumps(prediction.check(content, "case.tflite").to_dict(), allow_nan=False)


def _classify(content: bytes) -> None:
    classifier = Classifier.from_bytes(content, name="case.tflite", threads=1)
    result = classifier.predict(tiny_models.red_image())
    json.dumps(result.to_dict(), allow_nan=False)


def _bench(content: bytes) -> None:
    runtime = interpreter.load(content, name="case.tflite", threads=1)
    benchmark.measure(runtime, warm_up=1, min_runs=3, seconds=0.0)


def _fork(task: dict[str, Any], content: bytes, timeout_s: float) -> model_trial.TrialEnd:
    """Run a trial in a fork, which has imported everything already."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as messages:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.dup2(messages.fileno(), 2)
                os.write(output.fileno(), model_trial.attempt(task, content).encode())
                code = 0
            except BaseException:
                os.write(2, traceback.format_exc().encode())
            os._exit(code)
        end = time.monotonic() + timeout_s
        while not (waited := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.001)
        for file in (output, messages):
            file.seek(0)
        lines = tuple(messages.read().decode("utf-8", "replace").splitlines())
        return model_trial.TrialEnd(os.waitstatus_to_exitcode(waited[1]), output.read(), lines)
