"""A small trained model and its TFLite files, made once for all tests of the workstation side."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converters.dataset.audit import Dataset
from converters.dataset.split import Split
from converters.tflite import Variant

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def shapes() -> Dataset:
    """90 generated images of 3 classes, in memory."""
    import micro_model

    return micro_model.dataset(*micro_model.images(30, seed=1))


@pytest.fixture(scope="session")
def shapes_split(shapes: Dataset) -> Split:
    import micro_model

    return micro_model.thirds(len(shapes.labels))


@pytest.fixture(scope="session")
def micro_model_and_variants(
    shapes: Dataset, shapes_split: Split
) -> tuple[Any, tuple[Variant, ...]]:
    """A tf_keras classifier of ``shapes`` and its float32, float16 and int8 files."""
    import micro_model

    from converters.progress import SilentProgress
    from converters.tflite import variants

    pixels, labels = shapes.pixels[shapes_split.train], shapes.labels[shapes_split.train]
    model = micro_model.classifier(pixels, labels)
    return model, variants(model, pixels, shapes.preprocessing, SilentProgress())


@pytest.fixture(scope="session")
def micro_variants(
    micro_model_and_variants: tuple[Any, tuple[Variant, ...]],
) -> tuple[Variant, ...]:
    return micro_model_and_variants[1]


@pytest.fixture(scope="session")
def converted(
    micro_dataset: Path, run_edge: RunEdge, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    """The folder of one finished ``edge convert``, and the process that made it; only read it."""
    out = tmp_path_factory.mktemp("converted") / "out"
    done = run_edge(
        "convert", micro_dataset, "-o", out, "--weights", "builtin", "--size", "96",
        "--fine-tune", "never", "--board", "raspberry-pi-4b", "--json",
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    return out, done
