"""``edge head``: a taught head on a compiled copy of its backbone."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from errors import error_code

from edge.modelfile import metadata, tflite
from edge.teaching.examples import (
    EXAMPLES_FILE,
    EmbeddingFormat,
    Example,
    StoredExamples,
    write_examples,
)

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]
SCALE, ZERO_POINT, FEATURES = 0.02, 3, 5


@pytest.fixture
def taught(tmp_path: Path) -> Path:
    """A result of teaching two classes with the extractor, before it was compiled."""
    from edge.modelfile.metadata_writer import write_metadata

    folder = tmp_path / "out"
    folder.mkdir()
    rng = np.random.default_rng(0)
    classes = {
        label: [
            Example(f"{label}{i}", rng.integers(low, low + 40, FEATURES).astype(np.uint8))
            for i in range(6)
        ]
        for label, low in (("cup", 20), ("plate", 180))
    }
    form = EmbeddingFormat("0" * 64, FEATURES, SCALE, ZERO_POINT)
    write_examples(folder / EXAMPLES_FILE, StoredExamples(form, classes))
    about = metadata.ModelMetadata(labels=("cup", "plate"), mean=(127.5,), std=(127.5,))
    (folder / "model.tflite").write_bytes(
        write_metadata(tiny_models.color_model("uint8", classes=2), about)
    )
    return folder


def compiled(folder: Path, scale: float) -> Path:
    path = folder / "extractor_edgetpu.tflite"
    path.write_bytes(tiny_models.compiled_extractor(scale))
    return path


def test_the_compiled_operation_stays_and_the_labels_come_along(
    run_here: RunEdge, taught: Path, tmp_path: Path
) -> None:
    out = tmp_path / "cups_edgetpu.tflite"
    done = run_here("head", compiled(tmp_path, SCALE), "--from", taught, "-o", out)
    assert done.returncode == 0, done.stderr
    content = out.read_bytes()
    assert tiny_models.EXECUTABLE in content
    file = tflite.parse(content)
    assert file.for_edgetpu
    assert file.outputs[0].shape == (1, 2)
    about = metadata.read(content)
    assert about is not None
    assert about.labels == ("cup", "plate")


def test_another_extractor_is_refused(run_here: RunEdge, taught: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    done = run_here("head", compiled(tmp_path, 0.03), "--from", taught, "-o", out)
    assert (done.returncode, error_code(done.stderr)) == (2, "head-mismatch")
    assert not out.exists()


def test_a_folder_without_embeddings_is_refused(run_here: RunEdge, tmp_path: Path) -> None:
    done = run_here("head", compiled(tmp_path, SCALE), "--from", tmp_path, "-o", tmp_path / "o")
    assert (done.returncode, error_code(done.stderr)) == (2, "folder-without-embeddings")
