"""Pretrained weights of the backbone: ImageNet download, built-in, from a file, or random.

Weights are read without TensorFlow. Those of ImageNet lie in Keras' cache, as tf_keras leaves them.
"""

import hashlib
import io
import threading
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import tf
from converters.backbone import from_keras, from_tflite, keras_cache, mobilenet_v2
from converters.backbone.mobilenet_v2 import Weights
from converters.progress import Progress, SilentProgress
from edge.errors import DownloadError, WeightsError, did_you_mean
from edge.files import output_errors, sha256, write_atomic
from edge.registry.download import download
from edge.terminal import download_progress

WEIGHTS = Path(__file__).with_name("builtin.npz")
CARD = Path(__file__).with_name("builtin.toml")

Card = dict[str, Any]
"""A model card: plain values by name, and tables (dicts) of plain values."""


def read_builtin() -> tuple[Card, Weights]:
    """Read the model card, and the weights (float32) by layer name.

    The weights are those of MobileNetV2 without its top, width ``card["alpha"]``;
    ``card["use_at"]`` is the input size at which they work best.

    Raises:
        WeightsError: a file is missing or damaged.
    """
    try:
        card = tomllib.loads(CARD.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(
            "a readable model card of the built-in weights",
            f"{CARD} ({error})",
            "reinstall the toolkit",
            code="model-card-unreadable",
        ) from None
    return card, unpack(WEIGHTS)


def pack(weights: Weights, path: Path) -> None:
    """Write weights to ``path`` (.npz) atomically, for :func:`unpack`.

    Kernels become float16, which moves a value by at most 0.05 %; vectors (BatchNorm, whose
    variances may be tiny) stay float32. Each array is stored by bytes, uint8 [itemsize, *shape]:
    the bytes with sign and exponent resemble each other, so they compress.

    Raises:
        OutputError: the file cannot be written.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    for layer, values in weights.items():
        for index, value in enumerate(values):
            kept = value.astype("<f2" if value.ndim > 1 else "<f4")
            arrays[f"{layer}/{index}"] = np.moveaxis(kept[..., None].view(np.uint8), -1, 0)
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, packed.getvalue())


def unpack(path: Path) -> Weights:
    """Read packed weights: float32, by layer name in Keras' order.

    Raises:
        WeightsError: the file is missing, damaged or in another format.
    """
    arrays: defaultdict[str, dict[int, NDArray[np.float32]]] = defaultdict(dict)
    try:
        with np.load(path) as stored:
            for key in stored.files:
                layer, _, index = key.rpartition("/")
                arrays[layer][int(index)] = _joined(stored[key])
    except (OSError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(
            "packed weights (.npz)",
            f"{path} ({error})",
            "reinstall the toolkit, or create the file with converters.backbone.pretrain",
            code="weights-unreadable",
        ) from None
    return {layer: [values[i] for i in sorted(values)] for layer, values in arrays.items()}


def _joined(planes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the array, float32, whose bytes are uint8 [itemsize, *shape]."""
    values = np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view(f"<f{len(planes)}")
    return values[..., 0].astype(np.float32)


TIMEOUT_S = 10.0
"""Seconds without a response after which the network counts as unavailable."""

_ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"


class UnreachableError(Exception):
    """The weights are not cached and cannot be downloaded; the message says why."""


def fetch_imagenet(alpha: float, size: int, progress: Progress) -> Path:
    """Return the weights file in Keras' cache, downloading it if necessary.

    Raises:
        UnreachableError: the server did not respond within :data:`TIMEOUT_S` seconds, or refused.
        OutputError: the file cannot be written.
    """
    name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}_no_top.h5"
    cached = Path.home() / ".keras" / "models" / name  # as in tf_keras.utils.get_file
    if cached.is_file():
        return cached
    _check_reachable(_ADDRESS + name)
    progress.say(f"Downloading {name} to the Keras cache.")
    _download(_ADDRESS + name, cached)
    return cached


def _check_reachable(address: str) -> None:
    """Send a HEAD request, in a thread, as name resolution has no timeout."""
    failure: list[Exception] = []

    def send_request() -> None:
        request = urllib.request.Request(address, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                pass
        except (OSError, ValueError) as error:
            failure.append(error)

    thread = threading.Thread(target=send_request, daemon=True)
    thread.start()
    thread.join(TIMEOUT_S)
    if thread.is_alive():
        raise UnreachableError(f"no connection within {TIMEOUT_S:g} s")
    if failure:
        raise UnreachableError(f"no connection ({_reason(failure[0])})") from failure[0]


def _download(address: str, path: Path) -> None:
    """Download a file; one that was interrupted is continued."""
    part = path.with_name(f".{path.name}.partial")
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with download_progress(path.name) as tell:
            download(address, part, tell, resume=True)
    except DownloadError as error:
        raise UnreachableError(f"an interrupted download ({error.found})") from error
    with output_errors(path):
        part.replace(path)


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return " ".join(str(reason).split())


@dataclass(frozen=True, slots=True)
class Backbone:
    """A MobileNetV2 without its top, and the origin of its weights.

    ``weights`` is the name of the source as reported ("imagenet", "none", a file name),
    ``fingerprint`` identifies architecture and weights (sha256 hex; the cache key),
    ``pretrained`` is False for random weights, ``provenance`` goes into report and metadata,
    ``notes`` are sentences for the user (about a fallback, for example). ``build()`` returns a new
    flat tf_keras model, float32 [n, size, size, 3] in [-1, 1] to feature map [n, h, w, c].
    ``arrays`` are its pretrained weights, float32 by layer name, without random ones.
    """

    weights: str
    alpha: float
    size: int
    fingerprint: str
    pretrained: bool
    provenance: dict[str, str]
    notes: tuple[str, ...]
    build: Callable[[], Any]
    arrays: Weights = field(default_factory=dict)


SourceFunction = Callable[[float | None, int | None, int, Progress], Backbone]
"""``(alpha, size, seed, progress)`` to a backbone; None where the user gave no value."""

SOURCES: dict[str, SourceFunction] = {}
"""Named sources, registered with :func:`source`."""

_ALTERNATIVES = (
    "connect to the internet once, use --weights builtin, pass a file with --weights FILE (a Keras "
    "or .tflite MobileNetV2), or train from scratch with --weights none"
)


def source(name: str) -> Callable[[SourceFunction], SourceFunction]:
    """Register a named source of weights."""

    def register(function: SourceFunction) -> SourceFunction:
        SOURCES[name] = function
        return function

    return register


def load(
    weights: str | None,
    alpha: float | None,
    size: int | None,
    seed: int,
    progress: Progress | None = None,
) -> Backbone:
    """Load a backbone's weights; TensorFlow is not needed yet.

    ``weights``: a name in :data:`SOURCES`, a path to a Keras weights file or to a MobileNetV2
    ``.tflite``, or None: "imagenet", or if that is unavailable "builtin", with a note. Never
    random weights, except for "none". ``alpha`` and ``size`` follow from the weights
    where they are None; ``seed`` is for random weights.

    Raises:
        WeightsError: the weights are unavailable, or of another architecture or width.
        UsageError: there is no such ``alpha`` or ``size``.
    """
    shown = SilentProgress() if progress is None else progress
    if weights is None:
        return _default(alpha, size, seed, shown)
    if weights in SOURCES:
        return SOURCES[weights](alpha, size, seed, shown)
    path = Path(weights)
    if path.is_file():
        return _from_file(path, alpha, size)
    looks_like_path = len(path.parts) > 1 or path.suffix in (*from_keras.SUFFIXES, ".tflite")
    if looks_like_path:
        raise WeightsError(
            "a weights file",
            f"the folder {weights}" if path.is_dir() else f"no file {weights}",
            "save the model as a .keras or .h5 file" if path.is_dir() else "check the path",
            code="weights-not-found",
        )
    raise WeightsError(
        f"--weights {', '.join(SOURCES)} or a file",
        repr(weights),
        did_you_mean(weights, SOURCES, f"use --weights {next(iter(SOURCES))}"),
        code="unknown-weights",
    )


def pretrained_backbone(
    name: str, weights: Weights, size: int, provenance: dict[str, str], notes: tuple[str, ...] = ()
) -> Backbone:
    """Create a backbone with these weights (by layer name, complete and of one width).

    Raises:
        WeightsError: their shapes match no MobileNetV2.
    """
    alpha = mobilenet_v2.infer_alpha(weights)
    if alpha is None:
        widths = ", ".join(map(str, mobilenet_v2.ALPHAS))
        raise WeightsError(
            f"weights with the shapes of MobileNetV2 at alpha {widths}",
            f"other shapes in {name}",
            "pass weights of the standard architecture",
            code="weights-layout-mismatch",
        )
    return Backbone(
        weights=name,
        alpha=alpha,
        size=size,
        fingerprint=_fingerprint(alpha, size, weights),
        pretrained=True,
        provenance={"architecture": "MobileNetV2", **provenance},
        notes=notes,
        build=lambda: mobilenet_v2.build(alpha, size, weights),
        arrays=weights,
    )


@source("imagenet")
def _imagenet(alpha: float | None, size: int | None, seed: int, progress: Progress) -> Backbone:
    chosen = mobilenet_v2.check_alpha(1.0 if alpha is None else alpha)
    pixels = mobilenet_v2.check_size(224 if size is None else size, published=True)
    try:
        path = fetch_imagenet(chosen, pixels, progress)
    except UnreachableError as error:
        raise WeightsError(
            "a download of the ImageNet weights",
            str(error),
            _ALTERNATIVES,
            code="weights-unavailable",
        ) from error
    provenance = {"source": "ImageNet weights of tf_keras.applications", "file": path.name}
    return pretrained_backbone("imagenet", keras_cache.read(path).weights, pixels, provenance)


@source("builtin")
def _builtin(alpha: float | None, size: int | None, seed: int, progress: Progress) -> Backbone:
    card, weights = read_builtin()
    pixels = mobilenet_v2.check_size(card["use_at"] if size is None else size, published=False)
    provenance = {
        "source": "built-in weights, distilled by edge-toolkit",
        "teacher": card["teacher"]["model"],
        "trained_on": card["trained_on"],
    }
    backbone = pretrained_backbone("builtin", weights, pixels, provenance)
    _check_alpha(alpha, backbone, "the built-in weights")
    return backbone


@source("none")
def _random(alpha: float | None, size: int | None, seed: int, progress: Progress) -> Backbone:
    # Small by default: from random weights a larger one takes hours on a CPU.
    width = mobilenet_v2.check_alpha(0.35 if alpha is None else alpha)
    pixels = mobilenet_v2.check_size(96 if size is None else size, published=False)

    def build() -> Any:
        tf.seed_everything(seed)
        return mobilenet_v2.build(width, pixels)

    key = f"mobilenet_v2 {width} {pixels} random {seed}"
    return Backbone(
        weights="none",
        alpha=width,
        size=pixels,
        fingerprint=hashlib.sha256(key.encode()).hexdigest(),
        pretrained=False,
        provenance={"architecture": "MobileNetV2", "source": f"random, seed {seed}"},
        notes=("The backbone is initialized with random weights (--weights none).",),
        build=build,
    )


def _default(alpha: float | None, size: int | None, seed: int, progress: Progress) -> Backbone:
    try:
        return SOURCES["imagenet"](alpha, size, seed, progress)
    except WeightsError as error:
        backbone = SOURCES["builtin"](alpha, size, seed, progress)
        note = f"ImageNet weights are unavailable ({error.found}): using the built-in weights."
        return replace(backbone, notes=(note, *backbone.notes))


def _from_file(path: Path, alpha: float | None, size: int | None) -> Backbone:
    if alpha is not None:
        mobilenet_v2.check_alpha(alpha)
    if from_tflite.is_tflite(path):
        tflite = from_tflite.read(path)
        weights, own_size = tflite.weights, tflite.size
    else:
        file = keras_cache.read(path)
        weights, own_size = file.weights, file.size or 224
    pixels = mobilenet_v2.check_size(own_size if size is None else size, published=False)
    provenance = {"source": "file", "file": path.name, "sha256": sha256(path)}
    backbone = pretrained_backbone(path.name, weights, pixels, provenance)
    _check_alpha(alpha, backbone, str(path))
    return backbone


def _check_alpha(alpha: float | None, backbone: Backbone, where: str) -> None:
    if alpha is not None and alpha != backbone.alpha:
        raise WeightsError(
            f"weights of MobileNetV2 with alpha {alpha:g}",
            f"alpha {backbone.alpha:g} in {where}",
            f"use --alpha {backbone.alpha:g}, or omit it",
            code="weights-alpha-mismatch",
        )


def _fingerprint(alpha: float, size: int, weights: Weights) -> str:
    """sha256 over architecture and values: the same weights in another format are the same."""
    digest = hashlib.sha256(f"mobilenet_v2 {alpha} {size}".encode())
    for layer in mobilenet_v2.layers(alpha):
        for array in weights[layer.name]:
            digest.update(array.tobytes())
    return digest.hexdigest()
