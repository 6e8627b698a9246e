"""Networks become files that interpreters run."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from written_networks import SIDE, Small, run

from edge.modelfile import structure, tflite
from edge.modelwriter import operations
from edge.modelwriter.network import Network, Tensor, constant, quantization_of, to_bytes

JUDGES = Path(__file__).parents[2] / "support" / "judges.py"


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (SIDE, SIDE, 3)).astype(np.float32)


def test_a_network_computes_what_numpy_computes(image: np.ndarray) -> None:
    small = Small()
    np.testing.assert_allclose(run(small.content(), image[None])[0], small.scores(image), atol=1e-6)


def test_tflite_runtime_runs_it(image: np.ndarray, tmp_path: Path) -> None:
    """In a process of its own: the interpreters bring clashing copies of one native library."""
    pytest.importorskip("tflite_runtime")
    small = Small()
    (tmp_path / "model.tflite").write_bytes(small.content())
    np.savez(tmp_path / "images.npz", image)
    files = [tmp_path / name for name in ("model.tflite", "images.npz", "answer.json")]
    subprocess.run([sys.executable, JUDGES, "tflite-runtime", *files], check=True, timeout=120)
    scores = json.loads(files[2].read_text())["scores"]
    np.testing.assert_allclose(scores[0], small.scores(image), atol=1e-6)


def test_a_file_passes_the_checks_and_is_aligned() -> None:
    file = tflite.parse(Small().content())
    structure.check(file, "small")
    assert file.buffers[0] == (0, 0)
    assert {start % 16 for start, size in file.buffers if size} == {0}
    assert file.description == "a small network"


def test_both_fields_of_an_operation_code_are_set() -> None:
    model = schema.ModelT.InitFromPackedBuf(Small().content())
    codes = [(c.builtinCode, c.deprecatedBuiltinCode, c.version) for c in model.operatorCodes]
    assert codes == [(3, 3, 1), (4, 4, 1), (0, 0, 1), (40, 40, 1), (9, 9, 1), (25, 25, 1)]
    assert model.version == 3


@pytest.mark.parametrize(("dtype", "version"), [("float16", 3), ("int8", 2), ("uint8", 1)])
def test_dequantize_has_the_version_of_its_input(dtype: str, version: int) -> None:
    scaled = None if dtype == "float16" else quantization_of(0.5, 3)
    data, real = Tensor("data", (1, 3), dtype, scaled), Tensor("real", (1, 3), "float32")
    steps = (operations.dequantize(data, real),)
    assert steps[0].version == version
    values = np.array([[1, 3, 9]], dtype)
    expected = values.astype(float) if scaled is None else (values.astype(float) - 3) / 2
    np.testing.assert_array_equal(run(to_bytes(Network((data,), (real,), steps)), values), expected)


def test_a_constant_that_two_operations_share_is_stored_once() -> None:
    shared = constant("shared", np.arange(4, dtype=np.float32))
    data, once, twice = (Tensor(name, (4,), "float32") for name in ("data", "once", "twice"))
    steps = operations.add(data, shared, once), operations.add(once, shared, twice)
    content = to_bytes(Network((data,), (twice,), steps))
    file = tflite.parse(content)
    assert (len(file.main.tensors), len(file.buffers)) == (4, 2)
    np.testing.assert_array_equal(run(content, np.ones(4, np.float32)), [1, 3, 5, 7])
