"""Benchmark: how well the built-in backbone's embedding separates classes it never saw.

    python tests/benchmarks/probe.py [--data FOLDER] [--weights FILE.npz --size 96] [--json]

Linear probe: frozen embedding (pooled feature map), standardized, logistic regression, stratified
80/20 split, mean and standard deviation of the accuracy over five seeds. Beside the backbone
stand the same architecture with random weights and the teacher, MobileNetV2 1.0/224 with ImageNet
weights. `--weights` judges another file of `converters.backbone.pretrain`.
"""

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone import from_keras, mobilenet_v2
from converters.backbone.weights import read_builtin, unpack
from edge.image import RgbImage, decode_image
from edge.preprocessing import Preprocessing

SEEDS = 5
Labeled = tuple[list[RgbImage], list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    named = os.environ.get("EDGE_TEST_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(named))
    parser.add_argument("--weights", type=Path, help="instead of the built-in ones")
    parser.add_argument("--size", type=int, help="input size in pixels")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    table = measure(options.data, embedders(options.data, options.weights, options.size))
    if options.json:
        print(json.dumps(table, indent=2))
        return
    names = list(next(iter(table.values())))
    print(f"{'linear probe':24}" + "".join(f"{name:>24}" for name in names))
    for data, row in table.items():
        cells = (f"{c['mean']:.3f} ± {c['sd']:.3f}" for c in row.values())
        print(f"{data:24}" + "".join(f"{cell:>24}" for cell in cells))


Embed = Callable[[list[RgbImage]], NDArray[np.float32]]


def embedders(data: Path, weights: Path | None, size: int | None) -> dict[str, Embed]:
    """Random, built-in and teacher by the name shown: images to embeddings [n, 1280]."""
    from converters import tf

    if weights is None:
        card, values = read_builtin()
        size = size or int(card["use_at"])
    else:
        values = unpack(weights)
    side = size or 96
    alpha = mobilenet_v2.infer_alpha(values)
    assert alpha is not None, f"{weights} is no MobileNetV2"
    teacher = from_keras.read(data / "models/keras/mobilenet_v2_1.0_224_no_top.weights.h5").weights
    tf.seed_everything(0)
    return {
        f"random {alpha}/{side}": embedder(mobilenet_v2.build(alpha, side), side),
        f"built-in {alpha}/{side}": embedder(mobilenet_v2.build(alpha, side, values), side),
        "teacher 1.0/224": embedder(mobilenet_v2.build(1.0, 224, teacher), 224),
    }


def embedder(model: Any, size: int) -> Embed:
    prepare = Preprocessing(size, size)

    def embed(images: list[RgbImage]) -> NDArray[np.float32]:
        pixels = np.stack([prepare.resize(image) for image in images])
        parts = [
            model.predict_on_batch(prepare.normalize(pixels[at : at + 32])).mean(axis=(1, 2))
            for at in range(0, len(pixels), 32)
        ]
        return np.concatenate(parts)

    return embed


def measure(data: Path, models: dict[str, Embed]) -> dict[str, dict[str, dict[str, float]]]:
    """Accuracy by data set and model: ``{"mean", "sd"}`` over the seeds."""
    table: dict[str, dict[str, dict[str, float]]] = {}
    for name, load in DATASETS.items():
        images, labels = load(data / "datasets")
        title = f"{name} ({len(images)})"
        table[title] = {model: probe(embed(images), labels) for model, embed in models.items()}
    return table


def probe(embeddings: NDArray[np.float32], labels: list[str]) -> dict[str, float]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scores = []
    for seed in range(SEEDS):
        x, test_x, y, test_y = train_test_split(
            embeddings, labels, test_size=0.2, stratify=labels, random_state=seed
        )
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, y)
        scores.append(model.score(test_x, test_y))
    return {"mean": round(float(np.mean(scores)), 4), "sd": round(float(np.std(scores)), 4)}


def grocery(folder: Path) -> Labeled:
    files = sorted((folder / "grocery6").glob("*/*.jpg"))
    return [decode_image(path.read_bytes()) for path in files], [path.parent.name for path in files]


def fashion(folder: Path, per_class: int = 100) -> Labeled:
    with np.load(folder / "fashion_mnist" / "test_10000_part0.npz") as part:
        x, y = part["x"], part["y"]
    rows = np.concatenate([np.flatnonzero(y == label)[:per_class] for label in np.unique(y)])
    return [np.repeat(x[row][..., None], 3, axis=2) for row in rows], [str(y[r]) for r in rows]


def blood_cells(folder: Path, per_class: int = 100) -> Labeled:
    """Crops of red cells, white cells and platelets by their boxes, the first of each class."""
    root = folder / "det_bccd"
    notes = json.loads((root / "annotations.json").read_text())
    names = {c["id"]: c["name"] for c in notes["categories"]}
    files = {entry["id"]: entry["file_name"] for entry in notes["images"]}
    taken: dict[str, list[RgbImage]] = defaultdict(list)
    for box in notes["annotations"]:
        name = names[box["category_id"]]
        x, y, w, h = (round(v) for v in box["bbox"])
        if len(taken[name]) == per_class or min(w, h) < 8:
            continue
        image = decode_image((root / "images" / files[box["image_id"]]).read_bytes())
        taken[name].append(image[max(0, y) : y + h, max(0, x) : x + w])
    images = [crop for crops in taken.values() for crop in crops]
    return images, [name for name, crops in taken.items() for _ in crops]


DATASETS: dict[str, Callable[[Path], Labeled]] = {
    "grocery6": grocery,
    "fashion_mnist": fashion,
    "det_bccd crops": blood_cells,
}

if __name__ == "__main__":
    main()
