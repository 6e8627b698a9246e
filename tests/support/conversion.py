"""A finished conversion that is made, not run: every value that a report is built from."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from converters.backbone.weights import Backbone
from converters.compress.quantise import Variant
from converters.dataset.audit import Audit, Dataset, Picture
from converters.dataset.split import Split, split
from converters.report import html, record
from converters.training.trained import Curve, Trained
from converters.verify import ClassFigures, Latency, Measured, Verdict, Verified
from edge.image import Preprocessing

SIZE = 96
LATENCY = Latency(3.4123, 4.5, "ai-edge-litert 2.3.0", "cpu", 2)
PASS = Verdict("pass", "int8 loses 0.0 points against float32", 2.0, 0.0, (-5.1, 5.1))


@dataclass(frozen=True)
class Conversion:
    """What the stages handed on; ``wrong``: test pictures that int8 takes for the next class."""

    classes: tuple[str, ...] = ("circle", "square", "triangle")
    per_class: int = 20
    wrong: int = 0
    verdict: Verdict = PASS
    audit: dict[str, Any] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    notes: tuple[str, ...] = ("The head was enough.",)

    def dataset(self) -> Dataset:
        rng = np.random.default_rng(0)
        number = len(self.classes)
        labels = np.repeat(np.arange(number), self.per_class)
        base = rng.integers(0, 256, (number, 1, 1, 3))
        pixels = np.empty((len(labels), SIZE, SIZE, 3), np.uint8)
        for row, label in enumerate(labels):
            noise = rng.integers(-60, 61, (SIZE, SIZE, 3))
            pixels[row] = np.clip(base[label] + noise, 0, 255)
        pictures = tuple(
            Picture(
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
            pictures=pictures,
            preprocessing=Preprocessing(SIZE, SIZE),
            pixels=pixels,
            labels=labels.astype(np.int64),
            groups=np.arange(len(labels)),
            audit=replace(audit, **self.audit),
        )

    def measured(self, name: str, dataset: Dataset, sides: Split, wrong: int) -> Measured:
        truth = dataset.labels[sides.test]
        number, tested = len(self.classes), len(truth)
        said = truth.copy()
        said[:wrong] = (said[:wrong] + 1) % number
        scores = np.full((tested, number), 0.1 / number, np.float32)
        # The later a mistake, the surer it is.
        scores[np.arange(tested), said] = np.linspace(0.5, 0.99, tested)
        confusion = np.zeros((number, number), np.int64)
        np.add.at(confusion, (truth, said), 1)
        hits, support = confusion.diagonal(), confusion.sum(1)
        recall = hits / support
        precision = hits / np.maximum(1, confusion.sum(0))
        f1 = 2 * hits / (support + confusion.sum(0))
        right = float((said == truth).mean())
        return Measured(
            name=name,
            scores=scores,
            accuracy=right,
            interval=(max(0.0, right - 0.04), min(1.0, right + 0.03)),
            agreement=right,
            per_class=tuple(
                ClassFigures(*row)
                for row in zip(
                    self.classes,
                    precision.tolist(),
                    recall.tolist(),
                    f1.tolist(),
                    support.tolist(),
                    strict=True,
                )
            ),
            confusion=confusion,
            bytes={"float32": 8_900_000, "float16": 4_500_000}.get(name, 2_712_345),
            gzip_bytes=2_200_000,
            latency=LATENCY,
        )

    def stages(self) -> dict[str, Any]:
        """The keyword arguments of :func:`converters.report.record.build`."""
        dataset = self.dataset()
        sides = split(dataset, 7)
        wrong = {"float32": 0, "float16": 0, "int8": self.wrong}
        return {
            "dataset": dataset,
            "split": sides,
            "backbone": Backbone(
                weights="imagenet",
                alpha=1.0,
                size=SIZE,
                fingerprint="f" * 64,
                learned=True,
                provenance={"architecture": "MobileNetV2", "source": "ImageNet"},
                notes=("A note on the weights.",),
                build=lambda: None,
            ),
            "trained": Trained(
                None, "frozen", 0.9, self.notes, self.curves, {"head": {"C": np.float64(1.0)}}
            ),
            "variants": tuple(Variant(name, b"") for name in wrong),
            "verified": Verified(
                tuple(self.measured(name, dataset, sides, n) for name, n in wrong.items()),
                self.verdict,
            ),
            "settings": {"seed": 7, "training": {"fine_tune": "never"}},
            "seconds": {"total": 12.5, "intake": 0.5, "train": 9.0},
            "command": "edge convert shapes",
        }

    def build(self) -> dict[str, Any]:
        return record.build(**self.stages())

    def page(self) -> str:
        stages = self.stages()
        return html.render(
            record.build(**stages),
            **{name: stages[name] for name in ("dataset", "split", "verified")},
        )
