"""The proof: other people's software loads our model with its labels and says the same."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.backbone import weights
from converters.compression.context import calibration_set
from converters.dataset import class_audit, intake, split
from converters.progress import SilentProgress
from converters.tasks.classify import train
from converters.training.config import TrainingOptions
from converters.writer.int8_file import to_int8
from converters.writer.ranges import measure
from edge.image import decode_image
from edge.modelfile import metadata
from edge.modelfile.metadata_writer import write_metadata
from edge.preprocessing import Preprocessing

JUDGES = Path(__file__).parents[1] / "support" / "judges.py"
NEAR_TIE = 3
"""Steps of the output within which two classes' scores may change places between runtimes."""

pytestmark = pytest.mark.realdata


@dataclass(frozen=True)
class Conversion:
    """A model of grocery6 with the answers of ai-edge-litert to the test images."""

    path: Path
    labels: tuple[str, ...]
    stretched: Path
    originals: Path
    truth: np.ndarray
    reference: np.ndarray


@pytest.fixture(scope="module")
def conversion(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Conversion:
    folder = tmp_path_factory.mktemp("interop")
    photos = test_data / "datasets" / "grocery6"
    learned = test_data / "models" / "keras" / "mobilenet_v2_1.0_224_no_top.weights.h5"
    backbone = weights.load(str(learned), None, None, 0, SilentProgress())
    preprocessing = Preprocessing(backbone.size, backbone.size)
    images = class_audit.audit_classes(
        intake.list_images(photos, folder), preprocessing, folder, SilentProgress()
    )
    sides = split.split(images, 0)
    options = TrainingOptions(fine_tune="never")
    trained = train.train(backbone, images, sides, options, folder, SilentProgress())
    assert trained.network is not None
    network = trained.network.folded()
    ranges = measure(network, calibration_set(images, sides, 0), preprocessing)
    content = write_metadata(
        to_int8(network, ranges),
        metadata.ModelMetadata(
            name="grocery6", labels=images.classes,
            mean=preprocessing.mean, std=preprocessing.std,
        ),
    )  # fmt: skip
    path = folder / "model.tflite"
    path.write_bytes(content)
    np.savez(folder / "stretched.npz", *images.pixels[sides.test])
    np.savez(
        folder / "originals.npz",
        *[decode_image((photos / images.images[i].name).read_bytes()) for i in sides.test],
    )
    stretched = folder / "stretched.npz"
    return Conversion(
        path, images.classes, stretched, folder / "originals.npz",
        images.labels[sides.test],
        np.array(ask("ai-edge-litert", path, stretched)["scores"]),
    )  # fmt: skip


def ask(who: str, model: Path, images: Path) -> dict[str, Any]:
    out = model.with_name(f"{who}.json")
    command = [sys.executable, JUDGES, who, model, images, out]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(out.read_text()))


def assert_same_answers(conversion: Conversion, scores: np.ndarray) -> None:
    """Top-1 equal on at least 98 % of the images, and every difference a near-tie."""
    expected, got = conversion.reference.argmax(1), scores.argmax(1)
    different = np.flatnonzero(expected != got)
    assert len(different) <= 0.02 * len(expected), f"{len(different)} of {len(expected)} differ"
    for image in different:
        row = conversion.reference[image]
        steps = (row[expected[image]] - row[got[image]]) * 256
        assert steps <= NEAR_TIE, f"image {image}: {row} against {scores[image]}"


def test_the_model_is_worth_comparing(conversion: Conversion) -> None:
    assert (conversion.reference.argmax(1) == conversion.truth).mean() >= 0.9
    assert len(set(conversion.reference.argmax(1).tolist())) == len(conversion.labels)


@pytest.mark.parametrize("who", ["tensorflow", "tflite-runtime"])
def test_other_interpreters_agree(conversion: Conversion, who: str) -> None:
    if importlib.util.find_spec(who.replace("-", "_")) is None:
        pytest.skip(f"{who} is not installed")
    answer = ask(who, conversion.path, conversion.stretched)
    assert answer["package"].startswith(who)
    assert_same_answers(conversion, np.array(answer["scores"]))


@pytest.mark.parametrize("images", ["stretched", "originals"])
def test_mediapipe_reads_the_labels_and_agrees(conversion: Conversion, images: str) -> None:
    if importlib.util.find_spec("mediapipe") is None:
        pytest.skip("mediapipe is not installed")
    answer = ask("mediapipe", conversion.path, getattr(conversion, images))
    assert tuple(answer["labels"]) == conversion.labels
    assert_same_answers(conversion, np.array(answer["scores"]))
