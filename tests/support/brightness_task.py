"""A small task of training beside the real ones: how bright an image is, from 0 to 1.

It learns a linear function of the mean color by least squares, and its metric is 1 minus the mean
error, "closeness". Labels are in the names of the files: ``bright-0.25-7.png``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converters.backbone.weights import Backbone
from converters.dataset.audit import Dataset, LabelAudit, LabelFindings, audit_images
from converters.dataset.intake import OpenedDataset
from converters.dataset.split import Split
from converters.metrics.resampling import drop_interval, interval, resample
from converters.progress import Progress
from converters.report.html import TaskPage
from converters.report.model import Report
from converters.task import TrainingResult, TrainingTask, model_metadata
from converters.tasks import TaskEntry
from converters.tflite import NAMES, Variant
from converters.training.config import TrainedModel, TrainingOptions
from converters.verification.evaluate import Predictions, run_on_images
from converters.verification.quality import PairedLoss, Quality, QualityMetric, scaled_interval
from edge.errors import ConversionError, UsageError
from edge.interpreter import load
from edge.modelfile.metadata import ModelMetadata
from edge.modelwriter import operations
from edge.modelwriter.network import (
    Network,
    Operation,
    Tensor,
    constant,
    quantization_of,
    to_bytes,
)
from edge.modelwriter.quantization import activation_range, quantize_layer
from edge.preprocessing import Preprocessing

SIZE = 32
NAME = "brightness"
ENTRY = TaskEntry(
    "brightness_task:TASK",
    "brightness_task:fill_page",
    "names like bright-0.5-1",
    "--min-closeness",
    "brightness_task:recognizes",
)


@dataclass(frozen=True)
class BrightFile:
    path: Path
    name: str
    brightness: float
    split: str | None = None


@dataclass(frozen=True)
class BrightListing:
    name: str
    images: tuple[BrightFile, ...]
    classes: tuple[str, ...] = ("image",)
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class BrightNetwork:
    """brightness = mean color in [-1, 1] · kernel [3] + bias."""

    kernel: NDArray[np.float32]
    bias: float


class BrightAudit(LabelAudit):
    def class_of(self, file: BrightFile) -> int:
        return 0

    def examine(self, files: Sequence[BrightFile], broken: Any, conflicts: Any) -> LabelFindings:
        return LabelFindings(
            {"image": len(files)},
            f"{len(files)} images with their brightness.",
            annotations=tuple(file.brightness for file in files),
        )


def recognizes(opened: OpenedDataset) -> bool:
    images = opened.files.images
    return bool(images) and all(image.name.startswith("bright-") for image in images)


class BrightnessTask(TrainingTask):
    name = NAME
    metric = QualityMetric("closeness", "closeness", "--min-closeness")

    def list_images(self, opened: OpenedDataset) -> BrightListing:
        images = sorted(opened.files.images, key=lambda image: image.name)
        files = (BrightFile(i.path, i.name, float(i.name.split("-")[1])) for i in images)
        return BrightListing(opened.name, tuple(files), ignored=tuple(opened.files.others))

    def audit(
        self, listing: Any, preprocessing: Preprocessing, workdir: Path, progress: Progress
    ) -> Dataset:
        return audit_images(listing, BrightAudit(), preprocessing, workdir, progress)

    def load_weights(self, *_: Any) -> Backbone:
        return Backbone("none", 1.0, SIZE, "0" * 64, False, {"architecture": "mean"}, (), list)

    def train(
        self,
        backbone: Backbone,
        dataset: Dataset,
        split: Split,
        options: TrainingOptions,
        cache: Path,
        progress: Progress,
    ) -> TrainedModel:
        def colors(indices: NDArray[np.int64]) -> NDArray[np.float64]:
            means = dataset.preprocessing.normalize(dataset.pixels[indices]).mean((1, 2))
            return np.column_stack([means, np.ones(len(means))])

        truth = np.array(dataset.annotations)
        fitted = np.linalg.lstsq(colors(split.train), truth[split.train], rcond=1e-3)[0]
        error = np.abs(colors(split.validation) @ fitted - truth[split.validation]).mean()
        network = BrightNetwork(fitted[:3].astype(np.float32), float(fitted[3]))
        return TrainedModel(network, "least squares", 1 - float(error), ("One line is enough.",))

    def read_network(self, folder: Path, size: int, classes: int) -> BrightNetwork:
        model = load((folder / "variants/float32.tflite").read_bytes(), name="float32")

        def answer(*color: float) -> float:
            pixels = np.broadcast_to(np.float32(color), (1, size, size, 3))
            return float(model.invoke(np.ascontiguousarray(pixels))[0].item())

        black = answer(0, 0, 0)
        kernel = [answer(*row) - black for row in np.eye(3)]
        return BrightNetwork(np.array(kernel, np.float32), black)

    def write_variants(
        self, training: TrainingResult, network: BrightNetwork, progress: Progress
    ) -> tuple[Variant, ...]:
        size = training.dataset.preprocessing.width
        contents = (
            write(network, size),
            write(network, size, half=True),
            write_int8(network, size),
        )
        return tuple(Variant(*each) for each in zip(NAMES, contents, strict=True))

    def to_keras(self, network: BrightNetwork) -> Any:
        raise NotImplementedError

    def recipe_method(self, method: Any) -> Any:
        raise UsageError(
            "a recipe for brightness",
            f"a step {method.name}",
            "use int8",
            code="recipe-not-for-task",
        )

    def metadata(self, training: TrainingResult) -> ModelMetadata:
        return model_metadata(training, "brightness", "Says how bright an image is.")

    def predict(
        self, variant: Variant, training: TrainingResult, progress: Progress
    ) -> Predictions:
        dataset, split = training.dataset, training.split

        def open_model() -> Callable[[NDArray[np.uint8]], float]:
            model = load(variant.content, name=variant.name, threads=1, trusted=True)
            tensor, output = model.inputs[0], model.outputs[0]

            def run(image: NDArray[np.uint8]) -> float:
                data = dataset.preprocessing.normalize(image)[None]
                if tensor.dtype == "int8":
                    data = (image.astype(np.int16) - 128).astype(np.int8)[None]
                answer = float(model.invoke(data)[0].item())
                return answer if output.dtype == "float32" else _real(answer, output)

            return run

        def answers(indices: NDArray[np.int64]) -> NDArray[np.float64]:
            return np.array(run_on_images(open_model, dataset, indices, "evaluating", progress))

        return Predictions(variant, answers(split.validation), answers(split.test))

    def quality(
        self, predictions: Predictions, reference: Predictions, training: TrainingResult
    ) -> Quality:
        closeness = 1 - _errors(predictions, training, "test")
        images = len(closeness)
        value = float(closeness.mean())
        bounds = interval((resample(images) @ closeness / images).astype(np.float64), images)
        return Quality(
            metric=self.metric,
            value=value,
            interval=bounds,
            images=images,
            interval_for=scaled_interval(value, bounds, images),
            validation=1 - float(_errors(predictions, training, "validation").mean()),
            figures={"largest_error": float(1 - closeness.min())},
        )

    def validation_quality(self, content: bytes, training: TrainingResult) -> float:
        raise NotImplementedError

    def loss(
        self, before: Predictions, after: Predictions, training: TrainingResult, subset: str
    ) -> PairedLoss:
        was, is_now = (100 - 100 * _errors(p, training, subset) for p in (before, after))
        counts = resample(len(was))
        low, high = drop_interval(
            counts @ was / len(was) / 100, counts @ is_now / len(was) / 100, len(was)
        )
        bounds = 100 * low, 100 * high
        drop = float(was.mean() - is_now.mean())
        return PairedLoss(drop, bounds, len(was), scaled_interval(drop, bounds, len(was)))

    def check_informative(self, predictions: Predictions) -> None:
        if np.ptp(predictions.test) == 0:
            raise ConversionError("different answers", "one", "train again", code="scores-constant")


TASK = BrightnessTask()


def fill_page(report: Report, training: TrainingResult, selected: Predictions) -> TaskPage:
    """Return the errors of the test images, the largest first."""
    errors = _errors(selected, training, "test")
    names = [training.dataset.images[index].name for index in training.split.test]
    ranked = sorted(zip(names, errors.tolist(), strict=True), key=lambda row: -row[1])
    folder = Path(__file__).parent / NAME
    return TaskPage(
        folder,
        {"errors": ranked},
        "A line through the mean colors",
        draw=lambda _, pixels: 255 - pixels,
        counted="lamps",
        counts=[{"train": 1, "validation": 2, "test": 3}],
    )


def write_images(folder: Path, count: int = 60) -> None:
    """Write gray images with noise, whose brightness is in their names."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        brightness = number / (count - 1)
        level = 20 + 215 * brightness
        pattern = rng.normal(0, 12, (4, 4, 3)).repeat(8, 0).repeat(8, 1)
        image = np.clip(level + pattern, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"bright-{brightness:.3f}-{number}.png"), image)


def write(network: BrightNetwork, size: int, *, half: bool = False) -> bytes:
    """Return the file in float32, or with weights in float16."""
    data = Tensor("image", (1, size, size, 3), "float32")
    color, answer = Tensor("color", (1, 3), "float32"), Tensor("answer", (1, 1), "float32")
    steps: list[Operation] = [operations.spatial_mean(data, color)]
    kernel = constant("head/kernel", network.kernel[None].astype(np.float32))
    if half:
        packed = constant("head/half", network.kernel[None].astype(np.float16))
        kernel = Tensor("head/kernel", (1, 3), "float32")
        steps.append(operations.dequantize(packed, kernel))
    bias = constant("head/bias", np.array([network.bias], np.float32))
    steps.append(operations.fully_connected(color, kernel, bias, answer))
    return to_bytes(Network((data,), (answer,), tuple(steps)))


def write_int8(network: BrightNetwork, size: int) -> bytes:
    """Return the file in int8, for pixels less 128."""
    pixels, answers = quantization_of(2 / 255, 0), activation_range(-0.1, 1.1)
    data = Tensor("image", (1, size, size, 3), "int8", pixels)
    color = Tensor("color", (1, 3), "int8", pixels)
    answer = Tensor("answer", (1, 1), "int8", answers)
    bias = np.array([network.bias], np.float32)
    kernel, offset = quantize_layer("head", network.kernel[None], bias, 2 / 255, None)
    steps = (
        operations.spatial_mean(data, color),
        operations.fully_connected(color, kernel, offset, answer),
    )
    return to_bytes(Network((data,), (answer,), steps))


def _real(code: float, tensor: Any) -> float:
    return float(tensor.scale * (code - tensor.zero_point))


def _errors(predictions: Predictions, training: TrainingResult, subset: str) -> NDArray[np.float64]:
    truth = np.array(training.dataset.annotations)[getattr(training.split, subset)]
    return np.abs(getattr(predictions, subset) - truth)
