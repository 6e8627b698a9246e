"""Calibration on Fashion-MNIST: real images, a learned backbone, the int8 file itself."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from converters import tflite
from converters.backbone import weights
from converters.compression.context import calibration_set
from converters.dataset import split
from converters.dataset.audit import Audit, Dataset, ImageRecord
from converters.dataset.split import Split
from converters.progress import SilentProgress
from converters.tasks.classify import head
from converters.tasks.classify.embeddings import embed
from converters.verification import calibration as confidence
from edge.preprocessing import Preprocessing
from edge.tasks.classify.classifier import Classifier

pytestmark = pytest.mark.realdata

CLASSES = (
    "t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot",
)  # fmt: skip
SIZE = 96  # pixels a side; at the built-in weights' 160 the figures are better and take longer


@dataclass(frozen=True)
class Conversion:
    """A head on the built-in backbone, before and after calibration, and its int8 file."""

    temperature: float
    hard: Any
    soft: Any
    int8: bytes
    dataset: Dataset
    sides: Split

    def truth(self, side: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(self.dataset.labels[side])

    def scores(self, model: Any, side: NDArray[np.int64]) -> NDArray[np.float32]:
        """The network's scores, float32 [n, 10]."""
        inputs = self.dataset.preprocessing.normalize(self.dataset.pixels[side])
        return np.asarray(model.predict(inputs, batch_size=100, verbose=0))

    def file_scores(self, side: NDArray[np.int64]) -> NDArray[np.float32]:
        """The int8 file's, dequantized."""
        model = Classifier.from_bytes(self.int8, name="int8.tflite")
        return np.stack([model.scores(self.dataset.pixels[index]) for index in side])


def fashion(folder: Path) -> Dataset:
    """1,000 images of each class, 28 pixels a side, stretched to SIZE."""
    parts = [np.load(folder / f"train_10000_part{part}.npz") for part in (0, 1)]
    small = np.concatenate([part["x"] for part in parts])
    labels = np.concatenate([part["y"] for part in parts]).astype(np.int64)
    preprocessing = Preprocessing(SIZE, SIZE)
    images = tuple(
        ImageRecord(f"{index}.png", int(label), None, hashlib.sha256(image.tobytes()).hexdigest())
        for index, (image, label) in enumerate(zip(small, labels, strict=True))
    )
    counts = dict(zip(CLASSES, np.bincount(labels).tolist(), strict=True))
    return Dataset(
        name="fashion",
        classes=CLASSES,
        images=images,
        preprocessing=preprocessing,
        pixels=np.stack([preprocessing.resize(np.dstack([gray] * 3)) for gray in small]),
        labels=labels,
        groups=np.arange(len(labels)),
        audit=Audit(counts, (), (), (), (), {}, (), ()),
    )


@pytest.fixture(scope="module")
def conversion(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Conversion:
    dataset = fashion(test_data / "datasets" / "fashion_mnist")
    sides = split.split(dataset, 0)
    backbone = weights.load("builtin", None, SIZE, 0, SilentProgress())
    cache = tmp_path_factory.mktemp("cache")
    fitted = head.fit(embed(backbone, dataset, sides, cache, SilentProgress()))
    hard = head.assemble(backbone, len(CLASSES), fitted.kernel, fitted.bias)
    conversion = Conversion(1.0, hard, hard, b"", dataset, sides)
    seen = conversion.scores(hard, sides.validation)
    temperature = confidence.fit_temperature(seen, conversion.truth(sides.validation))
    soft = confidence.scale_logits(hard, temperature)
    samples = calibration_set(dataset, sides, 0)
    int8 = tflite.to_int8(soft, samples, dataset.preprocessing)
    return Conversion(temperature, hard, soft, int8, dataset, sides)


def test_the_temperature_lowers_the_log_loss_on_images_never_seen(conversion: Conversion) -> None:
    assert conversion.temperature != 1
    truth = conversion.truth(conversion.sides.test)
    before, after = (
        confidence.reliability(conversion.scores(model, conversion.sides.test), truth)
        for model in (conversion.hard, conversion.soft)
    )
    print(
        f"T {conversion.temperature:.3f}, before {before.log_loss:.4f}, after {after.log_loss:.4f}"
    )
    assert after.log_loss < before.log_loss


def test_the_int8_file_gives_the_calibrated_scores(conversion: Conversion) -> None:
    """Within the error that int8 makes anyway, and nearer to them than to the scores before."""
    test = conversion.sides.test
    file = conversion.file_scores(test)
    hard, soft = conversion.scores(conversion.hard, test), conversion.scores(conversion.soft, test)
    error = file - soft
    print(f"mean |error| {np.abs(error).mean():.4f}, bias {(file.max(1) - soft.max(1)).mean():.4f}")
    assert np.abs(error).mean() < 0.01
    assert np.abs(error).mean() < np.abs(file - hard).mean()
    assert (file.argmax(1) == soft.argmax(1)).mean() >= 0.97
    truth = conversion.truth(test)
    loss, expected = (confidence.reliability(scores, truth).log_loss for scores in (file, soft))
    assert loss == pytest.approx(expected, abs=0.02)


def test_from_the_threshold_on_unseen_images_are_as_precise_as_wanted(
    conversion: Conversion,
) -> None:
    validation, test = conversion.sides.validation, conversion.sides.test
    chosen = confidence.fit_threshold(
        conversion.file_scores(validation), conversion.truth(validation), 0.95
    )
    assert chosen.met
    scores = conversion.file_scores(test)
    accepted = scores.max(1) >= chosen.score
    right = scores.argmax(1) == conversion.truth(test)
    print(f"{chosen.words()} On test: {right[accepted].mean():.3f}, {accepted.mean():.3f} accepted")
    assert right.mean() < 0.9
    assert right[accepted].mean() >= chosen.lower
    assert accepted.mean() == pytest.approx(chosen.coverage, abs=0.05)
