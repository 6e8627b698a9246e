"""Fixtures of the workstation side: a small trained model, its files, and an Edge TPU compiler."""

import fcntl
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import replaying_compiler
from op_by_op import op_by_op
from replaying_compiler import StandIn

from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.tflite import Variant

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]
InstallCompiler = Callable[..., StandIn]


@pytest.fixture(scope="session")
def shapes(seed: int) -> Dataset:
    """90 generated images of 3 classes, in memory."""
    import micro_model

    return micro_model.dataset(*micro_model.images(30, seed=seed + 1))


@pytest.fixture(scope="session")
def shapes_split(shapes: Dataset) -> Split:
    import micro_model

    return micro_model.thirds(len(shapes.labels))


@pytest.fixture(scope="session")
def micro_model_and_variants(
    shapes: Dataset, shapes_split: Split, seed: int
) -> tuple[Any, tuple[Variant, ...]]:
    """A tf_keras classifier of ``shapes`` and its float32, float16 and int8 files."""
    import micro_model

    from converters import tflite

    pixels, labels = shapes.pixels[shapes_split.train], shapes.labels[shapes_split.train]
    model = micro_model.classifier(pixels, labels, seed)
    contents = (
        tflite.to_float32(model),
        tflite.to_float16(model),
        tflite.to_int8(model, pixels, shapes.preprocessing),
    )
    return model, tuple(Variant(*each) for each in zip(tflite.NAMES, contents, strict=True))


@pytest.fixture
def untraced() -> Iterator[None]:
    """Steps of training run without a graph."""
    with op_by_op():
        yield


@pytest.fixture(scope="session")
def micro_variants(
    micro_model_and_variants: tuple[Any, tuple[Variant, ...]],
) -> tuple[Variant, ...]:
    return micro_model_and_variants[1]


NAMING_MODULES = """
import atexit, sys
from pathlib import Path
path = Path(sys.argv.pop(1))
atexit.register(lambda: path.write_text("\\n".join(sys.modules)))
from edge.cli import main
main()
"""
"""Program that runs ``edge`` and writes the names of all modules to its first argument."""


@pytest.fixture(scope="session")
def converted(
    micro_dataset: Path, run_folder: Path
) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    """The folder of one finished ``edge convert``, and the process that made it; only read it.

    All worker processes share the one of the first that needs it. The file "modules" next to the
    folder names what the process had imported when it ended.
    """
    folder = run_folder / "converted"
    folder.mkdir(exist_ok=True)
    printed = folder / "process.pickle"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            command = [
                sys.executable, "-c", NAMING_MODULES, folder / "modules",
                "convert", micro_dataset, "-o", folder / "out", "--weights", "builtin",
                "--size", "96", "--fine-tune", "never", "--board", "raspberry-pi-4b", "--json",
            ]  # fmt: skip
            done = subprocess.run(
                [*map(str, command)], capture_output=True, text=True, check=False, timeout=600
            )
            printed.write_bytes(pickle.dumps(done))
    done = pickle.loads(printed.read_bytes())
    assert done.returncode in (0, 3), done.stderr
    return folder / "out", done


@dataclass(frozen=True)
class FakePrediction:
    """Prediction with the operations that a test leaves on the CPU."""

    cpu: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"cpu": self.cpu}


@pytest.fixture
def predict_cpu(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Predict that only these operations stay on the CPU: ``predict_cpu(SOFTMAX=1)``."""

    def set_prediction(**cpu: int) -> None:
        from converters.edgetpu import compiler

        monkeypatch.setattr(compiler, "check", lambda content, name: FakePrediction(cpu))

    return set_prediction


@pytest.fixture
def compiler_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstallCompiler:
    """Put a stand-in on the PATH that replays a transcript: see ``replaying_compiler.install``."""

    def install(transcript: str, prepared: bytes | None = None, **behavior: Any) -> StandIn:
        stand_in = replaying_compiler.install(tmp_path / "bin", transcript, prepared, **behavior)
        monkeypatch.setenv("PATH", replaying_compiler.path_with(stand_in.folder))
        return stand_in

    return install


@pytest.fixture
def no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a PATH without a compiler and without Docker."""
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
