"""The teacher and its outputs for each crop, computed once and kept on disk."""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from converters.backbone.pretrain.images import ImageArchive, random_crop
from converters.progress import Progress
from converters.tflite import to_float32
from edge.errors import WeightsError
from edge.files import write_atomic
from edge.image import RgbImage
from edge.preprocessing import Preprocessing

BOTTLENECK = "block_16_project_BN"
"""The linear bottleneck before the last convolution, from which the teacher's grid is read."""
SAVE_EVERY = 2000


@dataclass(frozen=True, slots=True)
class TeacherModel:
    """A MobileNetV2 with pretrained weights, as a float32 TFLite file in memory.

    ``kernel`` float32 [1280, classes] and ``bias`` float32 [classes] are its classifier on
    the pooled embedding; ``digest`` is the sha256 (hex) of both files.
    """

    model: str
    tflite: bytes
    size: int
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    digest: str


@dataclass(frozen=True, slots=True)
class DistillationTargets:
    """Crops with the teacher's outputs, memory-mapped.

    ``crops`` uint8 RGB [n, size, size, 3]; ``embeddings`` float16 [n, 1280] (pooled, after the
    last convolution); ``grids`` float16 [n, g, g, channels] (the linear bottleneck, averaged to
    the student's own grid, g = size // 32).
    """

    crops: NDArray[np.uint8]
    embeddings: NDArray[np.float16]
    grids: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.crops)


def load_teacher(weights: Path, top: Path, alpha: float = 1.0, size: int = 224) -> TeacherModel:
    """Load a teacher from Keras weights (``include_top=False``) and its classifier (.npz).

    Raises:
        WeightsError: a file is missing or does not match the architecture.
    """
    kernel, bias = _read_top(top)
    model = _build(weights, alpha, size)
    width = int(model.output_shape[-1])
    if kernel.shape[0] != width:
        raise WeightsError(
            f"a classifier for {width} features",
            f"one for {kernel.shape[0]} in {top}",
            _FIX_TOP,
            code="weights-layout-mismatch",
        )
    digest = hashlib.sha256(weights.read_bytes() + top.read_bytes()).hexdigest()
    name = f"MobileNetV2 {alpha}/{size}, {weights.name}"
    return TeacherModel(name, _to_tflite(model), size, kernel, bias, digest)


_FIX_TOP = "pass an .npz with kernel [features, classes] and bias [classes] as --teacher-top"


def _read_top(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    try:
        with np.load(path) as stored:
            kernel, bias = stored["kernel"], stored["bias"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(
            "the teacher's classifier", f"{path} ({error})", _FIX_TOP, code="weights-unreadable"
        ) from None
    if kernel.ndim != 2 or bias.shape != kernel.shape[1:]:
        raise WeightsError(
            "the kernel and bias of a classifier",
            f"kernel {list(kernel.shape)} and bias {list(bias.shape)} in {path}",
            _FIX_TOP,
            code="weights-layout-mismatch",
        )
    return kernel.astype(np.float32), bias.astype(np.float32)


def _build(weights: Path, alpha: float, size: int) -> Any:
    from converters.tf import keras

    tf_keras = keras()

    fix = f"pass weights of MobileNetV2 alpha {alpha} without its top (.h5) as --teacher"
    if not weights.is_file():
        raise WeightsError(
            "the teacher's weights", f"no file {weights}", fix, code="weights-not-found"
        )
    model = tf_keras.applications.MobileNetV2(
        input_shape=(size, size, 3), alpha=alpha, include_top=False, weights=None
    )
    try:
        model.load_weights(str(weights))
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0][:120]
        raise WeightsError(
            "the teacher's weights",
            f"{weights}, which does not match ({reason})",
            fix,
            code="weights-layout-mismatch",
        ) from None
    return model


def _to_tflite(model: Any) -> bytes:
    """Convert to float32 TFLite: with XNNPACK an image takes a third of its time in Keras."""
    from converters.tf import keras

    tf_keras = keras()
    pooled = tf_keras.layers.GlobalAveragePooling2D(name="embedding")(model.output)
    both = tf_keras.Model(model.input, [pooled, model.get_layer(BOTTLENECK).output])
    return to_float32(both)


def compute_targets(
    teacher: TeacherModel,
    sources: list[ImageArchive],
    count: int,
    size: int,
    seed: int,
    folder: Path,
    progress: Progress,
    threads: int = 2,
) -> DistillationTargets:
    """Compute the first ``count`` crops at ``size`` and the teacher's outputs, kept in ``folder``.

    Teacher and student see the same crop (Beyer et al. 2021, "Knowledge distillation: a good
    teacher is patient and consistent"), each at its own resolution. A second call continues
    where the first stopped, and a smaller ``count`` is the beginning of a larger one; another
    teacher, seed, size or set of images starts over.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runner = _Runner(teacher, threads)
    key = {
        "teacher": teacher.digest,
        "sources": [source.digest for source in sources],
        "size": size,
        "seed": seed,
    }
    targets, done = _open(folder, key, count, size, runner)
    for index in progress.track(range(done, count), count - done, "teacher"):
        crop = random_crop(sources, index, seed)
        embedding, grid = runner(crop)
        targets.crops[index] = _square(crop, size)
        targets.embeddings[index] = embedding
        targets.grids[index] = pool_grid(grid, targets.grids.shape[1])
        if (index + 1) % SAVE_EVERY == 0 or index + 1 == count:
            _save(folder, key, targets, index + 1)
    return targets


def _square(crop: RgbImage, size: int) -> RgbImage:
    """Resize a crop to ``size``, averaging when it shrinks, to avoid aliasing."""
    interpolation = cv2.INTER_AREA if min(crop.shape[:2]) > size else cv2.INTER_LINEAR
    return cv2.resize(crop, (size, size), interpolation=interpolation).astype(np.uint8, copy=False)


def pool_grid(grid: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Average a map [h, w, c] to [cells, cells, c]; border rows count by their overlap."""
    rows, columns = _overlap(grid.shape[0], cells), _overlap(grid.shape[1], cells)
    pooled: NDArray[np.float32] = np.einsum("ih,jw,hwc->ijc", rows, columns, grid, optimize=True)
    return pooled


def _overlap(length: int, cells: int) -> NDArray[np.float32]:
    """Return weights [cells, length]: the share of each cell covered by each row."""
    edges = np.linspace(0, length, cells + 1)
    starts = np.arange(length)
    low = np.maximum(edges[:-1, None], starts)
    high = np.minimum(edges[1:, None], starts + 1)
    cover = np.clip(high - low, 0, None)
    shares: NDArray[np.float32] = (cover / cover.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


class _Runner:
    """A TFLite interpreter that maps a crop to (embedding, bottleneck map)."""

    def __init__(self, teacher: TeacherModel, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter: Any = Interpreter(model_content=teacher.tflite, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._preprocessing = Preprocessing(teacher.size, teacher.size)
        self._input = self._interpreter.get_input_details()[0]["index"]
        details = self._interpreter.get_output_details()
        flat, mapped = sorted(details, key=lambda d: len(d["shape"]))
        self._flat, self._map = flat["index"], mapped["index"]
        self.width, self.channels = int(flat["shape"][-1]), int(mapped["shape"][-1])

    def __call__(self, crop: RgbImage) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        normalized = self._preprocessing.normalize(self._preprocessing.resize(crop))
        self._interpreter.set_tensor(self._input, normalized[None])
        self._interpreter.invoke()
        flat = self._interpreter.get_tensor(self._flat)[0]
        mapped = self._interpreter.get_tensor(self._map)[0]
        return flat, mapped


def _open(
    folder: Path, key: dict[str, Any], count: int, size: int, runner: _Runner
) -> tuple[DistillationTargets, int]:
    """Open the first ``count`` rows of the arrays in ``folder``, and count those done."""
    cells = max(1, size // 32)
    shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "crops": ((size, size, 3), np.uint8),
        "embeddings": ((runner.width,), np.float16),
        "grids": ((cells, cells, runner.channels), np.float16),
    }
    state = folder / "lessons.json"
    stored = json.loads(state.read_text()) if state.is_file() else {}
    done = int(stored["done"]) if stored.get("key") == key else 0
    arrays: dict[str, Any] = {
        name: _rows(folder / f"{name}.npy", count, shape, kind, done)
        for name, (shape, kind) in shapes.items()
    }
    return DistillationTargets(**arrays), min(done, count)


def _rows(
    path: Path, count: int, shape: tuple[int, ...], kind: type[np.generic], done: int
) -> NDArray[Any]:
    """Memory-map a file, extended where it is too short; ``done`` rows are kept."""
    earlier = np.load(path, mmap_mode="r+") if done else np.empty((0, *shape), kind)
    if len(earlier) >= count:
        return earlier[:count]
    longer = path.with_suffix(".longer.npy")
    array: Any = open_memmap(  # type: ignore[no-untyped-call]
        longer, mode="w+", dtype=kind, shape=(count, *shape)
    )
    array[: min(done, len(earlier))] = earlier[:done]
    array.flush()
    longer.replace(path)
    rows: NDArray[Any] = array
    return rows


def _save(folder: Path, key: dict[str, Any], targets: DistillationTargets, done: int) -> None:
    for array in (targets.crops, targets.embeddings, targets.grids):
        if isinstance(array, np.memmap):
            array.flush()
    write_atomic(folder / "lessons.json", json.dumps({"key": key, "done": done}))
