"""A finished conversion that is made, not run: every value that a report is built from."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from converters import tasks
from converters.backbone.weights import Backbone
from converters.dataset.audit import Audit, Dataset, ImageRecord
from converters.dataset.split import Split, split
from converters.report import html
from converters.report.build import about_weights, build_report
from converters.report.model import Report
from converters.selection.plan import CompressionPlan
from converters.selection.select import Limits, select_variant
from converters.stages import ConversionResult
from converters.task import TrainingResult
from converters.tasks.classify.quality import measure_quality
from converters.tflite import Variant
from converters.training.config import Curve, TrainedModel
from converters.training.cross_validation import CrossValidationSummary
from converters.verification.calibration import ScoreThreshold, reliability
from converters.verification.evaluate import (
    EvaluatedVariant,
    MeasuredLatency,
    Metrics,
    Predictions,
    ScoreCalibration,
)
from converters.verification.verdict import Judgment, Verdict
from edge.modelfile.operations import ModelCost
from edge.preprocessing import Preprocessing

SIZE = 96
INTERPRETER = "ai-edge-litert 2.3.0"
PASS = Verdict(
    "int8", (Judgment("loss", "pass", "int8 loses 0.0 points against float32"),), 2.0, 0.0,
    (-1.1, 1.1),
)  # fmt: skip
OPEN = replace(
    PASS,
    judgments=(
        Judgment("loss", "not-proven", "int8 loses 0.0 points: 9 test images prove little", 180),
    ),
    interval=(-29.9, 29.9),
)
FAILED = replace(
    PASS,
    judgments=(Judgment("loss", "fail", "int8 loses 33.3 points"),),
    classes=("[red]square", "circle"),
    layers=(("block_1_expand", 3.1),),
)
VALIDATED = CrossValidationSummary(
    0.9, (0.78, 0.96), 60, 5, 3, ((20, 0, 0), (0, 20, 0), (1, 5, 14))
)
"""Of 20 triangles 5 are taken for squares."""


FULL = {
    "mapped": 67,
    "cpu": {},
    "first_refused": None,
    "parameters": {"on_chip": 2_400_000, "off_chip": 0},
    "status": "full",
    "refused": [],
}
REFUSED = {
    "op": "CONV_2D", "index": 0, "output": "Conv1_relu", "reason": "data type",
    "found": "float32 [1 × 96 × 96 × 3]", "change": "Quantize the whole model to int8",
    "source": "documented", "confidence": "sure",
}  # fmt: skip
NONE = {
    "mapped": 0,
    "cpu": {"CONV_2D": 36, "DEPTHWISE_CONV_2D": 17, "ADD": 10, "MEAN": 1, "SOFTMAX": 1},
    "first_refused": REFUSED,
    "parameters": {"on_chip": 0, "off_chip": 0},
    "status": "none",
    "refused": [{**REFUSED, "index": index, "behind": {}} for index in range(36)],
}


@dataclass(frozen=True)
class File:
    """A made-up file; ``ms``: p50 with 2 threads, ``left``: share of the multiply-adds."""

    bytes: int
    gzip_bytes: int
    ms: float
    edgetpu: dict[str, Any]
    sparsity: float = 0.01
    left: float = 1.0
    variant: Variant = field(default_factory=lambda: Variant("", b""))
    gain: str | None = None


FILES = {
    "float32": File(8_900_000, 8_200_000, 6.6123, NONE),
    "float16": File(4_500_000, 4_100_000, 6.7123, NONE),
    "int8": File(2_712_345, 2_200_000, 3.4123, FULL),
}
RECIPES = {
    "channels-50": File(
        1_800_000, 1_500_000, 2.1123, FULL, left=0.57,
        variant=Variant(
            "channels-50", b"", "channels-50",
            ("Half of the expansion channels were removed.", "Recovery: 8 epochs in 95 s."),
            ({"step": "prune", "method": "channels", "options": {"keep": 0.5, "epochs": 8}},
             {"step": "quantize", "method": "int8"}),
        ),
    ),
    "magnitude-75": File(
        2_712_345, 900_000, 3.4567, FULL, sparsity=0.74,
        variant=Variant(
            "magnitude-75", b"", "magnitude-75", ("75 % of the weights were set to 0.",),
            ({"step": "prune", "method": "magnitude", "sparsity": 0.75},),
        ),
        gain="No speed was gained: nothing skips single zeros of int8.",
    ),
}  # fmt: skip
"""What recipes add to FILES in a conversion that names them."""


@dataclass(frozen=True)
class Conversion:
    """What the stages handed on; ``wrong``: test images that int8 takes for the next class.

    ``noisy``: variants with noisy timings; ``recipes``: keys of RECIPES; the last is chosen where
    ``limits`` set none.
    """

    classes: tuple[str, ...] = ("circle", "square", "triangle")
    per_class: int = 20
    wrong: int = 0
    verdict: Verdict = PASS
    audit: dict[str, Any] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    noisy: tuple[str, ...] = ()
    notes: tuple[str, ...] = ("The head was enough.",)
    recipes: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    validated: CrossValidationSummary | None = None

    def files(self) -> dict[str, File]:
        return FILES | {name: RECIPES[name] for name in self.recipes}

    def dataset(self) -> Dataset:
        rng = np.random.default_rng(0)
        number = len(self.classes)
        labels = np.repeat(np.arange(number), self.per_class)
        base = rng.integers(0, 256, (number, 1, 1, 3))
        pixels = np.empty((len(labels), SIZE, SIZE, 3), np.uint8)
        for row, label in enumerate(labels):
            noise = rng.integers(-60, 61, (SIZE, SIZE, 3))
            pixels[row] = np.clip(base[label] + noise, 0, 255)
        images = tuple(
            ImageRecord(
                f"{self.classes[label]}/{row}.jpg",
                int(label),
                None,
                hashlib.sha256(str(row).encode()).hexdigest(),
            )
            for row, label in enumerate(labels)
        )
        audit = Audit(dict.fromkeys(self.classes, self.per_class), (), (), (), (), {}, (), ())
        return Dataset(
            name="shapes",
            classes=self.classes,
            images=images,
            preprocessing=Preprocessing(SIZE, SIZE),
            pixels=pixels,
            labels=labels.astype(np.int64),
            groups=np.arange(len(labels)),
            audit=replace(audit, **self.audit),
        )

    def evaluated(self, name: str, dataset: Dataset, subsets: Split) -> EvaluatedVariant:
        wrong = self.wrong if name == "int8" else 0
        truth = dataset.labels[subsets.test]
        number, tested = len(self.classes), len(truth)
        predicted = truth.copy()
        predicted[:wrong] = (predicted[:wrong] + 1) % number
        scores = np.full((tested, number), 0.1 / number, np.float32)
        # The later a mistake, the surer it is.
        scores[np.arange(tested), predicted] = np.linspace(0.5, 0.99, tested)
        file, threshold = self.files()[name], ScoreThreshold(0.95, 0.62, 1.0, 0.7, 0.9, tested)
        scored = Predictions(replace(file.variant, name=name), scores, scores, threshold)
        quality = measure_quality(scored, scored, dataset, subsets)
        right = quality.value
        metrics = Metrics(
            quality=replace(
                quality,
                interval=(max(0.0, right - 0.04), min(1.0, right + 0.03)),
                agreement=right,
                validation=right,
            ),
            bytes=file.bytes,
            gzip_bytes=file.gzip_bytes,
            latencies=(
                MeasuredLatency(file.ms * 1.9, file.ms * 2.2, INTERPRETER, "cpu", 1),
                MeasuredLatency(file.ms, file.ms * 1.3, INTERPRETER, "cpu", 2, name in self.noisy),
            ),
            cost=ModelCost(2_260_000, round(300e6 * file.left), file.sparsity),
            edgetpu=file.edgetpu,
        )
        return EvaluatedVariant(scored, metrics, gain=file.gain)

    def calibration(self, dataset: Dataset, subsets: Split) -> ScoreCalibration:
        """Overconfident scores before and after a temperature of 1.5."""
        truth = dataset.labels[subsets.test]
        rng = np.random.default_rng(1)
        logits = rng.normal(0, 2, (len(truth), len(self.classes))) + 3 * np.eye(
            len(self.classes)
        )[truth]  # fmt: skip
        before, after = (
            reliability(_softmax(logits / temperature).astype(np.float32), truth)
            for temperature in (1.0, 1.5)
        )
        return ScoreCalibration(1.5, (before, after), (before, after))

    def training(self) -> TrainingResult:
        """The trained model, without the model itself."""
        dataset = self.dataset()
        return TrainingResult(
            task=tasks.load_task("classify"),
            dataset=dataset,
            path=Path("/home/me/shapes"),
            split=split(dataset, 7),
            weights=about_weights(
                Backbone(
                    weights="imagenet",
                    alpha=1.0,
                    size=SIZE,
                    fingerprint="f" * 64,
                    pretrained=True,
                    provenance={"architecture": "MobileNetV2", "source": "ImageNet"},
                    notes=("A note on the weights.",),
                    build=lambda: None,
                )
            ),
            trained=TrainedModel(
                None,
                "frozen",
                0.9,
                self.notes,
                self.curves,
                {"head": {"C": np.float64(1.0)}},
                lambda: self.validated,
            ),
            seed=7,
        )

    def result(self) -> ConversionResult:
        """The variants and the selection."""
        training = self.training()
        variants = tuple(
            self.evaluated(name, training.dataset, training.split) for name in self.files()
        )
        return ConversionResult(
            variants=variants,
            verdict=self.verdict,
            calibration=self.calibration(training.dataset, training.split),
            selection=select_variant(variants, self.limits, ("int8", *self.recipes)[-1]),
            weak=training.task.weak_classes(variants[0].predictions, training),
        )

    def stages(self) -> dict[str, Any]:
        """The arguments of :func:`converters.report.build.build_report`."""
        return {
            "training": self.training(),
            "result": self.result(),
            "plan": CompressionPlan(limits=self.limits),
            "settings": {"seed": 7, "training": {"fine_tune": "never"}},
            "seconds": {"total": 12.5, "intake": 0.5, "train": 9.0},
            "command": "edge convert shapes",
        }

    def report(self) -> Report:
        """The report."""
        return build_report(**self.stages())

    def record(self) -> dict[str, Any]:
        """The report as plain values, like report.json."""
        return self.report().to_dict()

    def page(self) -> str:
        """The report as HTML."""
        return render(self.report(), self.stages())


def render(report: Report, stages: dict[str, Any]) -> str:
    """The page of a report, with the images and scores of ``stages``."""
    training, result = stages["training"], stages["result"]
    return html.render(
        report,
        dataset=training.dataset,
        split=training.split,
        task=tasks.fill_page(report, training, result.selected.predictions),
    )


def _softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
