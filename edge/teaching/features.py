"""Features of images: the embedding of a classifier that somebody trained before."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from edge import interpreter
from edge import preprocessing as pixels
from edge.errors import ModelError
from edge.frame import BgrImage
from edge.image import decode_bgr
from edge.interpreter import Array, Runtime
from edge.modelfile import metadata, tflite
from edge.modelwriter.embedding import Extractor, behead
from edge.preprocessing import Preprocessing
from edge.quantities import counted
from edge.registry import resolve_model
from edge.teaching.examples import EmbeddingFormat

BUILTIN = "builtin"
"""Name of the backbone that this package contains: MobileNetV2 0.5 at 160 pixels, int8."""

_BUILTIN_FILE = Path(__file__).with_name("builtin.tflite")


@dataclass(frozen=True, slots=True)
class FeatureExtractor:
    """A backbone that runs: from an image to its embedding.

    Attributes:
        backbone: Name of the backbone, or path of the file that it comes from.
        extractor: The model file without its head.
        preprocessing: From an image to its input.
        runtime: Runs it.
        format: How it puts out embeddings.
    """

    backbone: str
    extractor: Extractor = field(repr=False)
    preprocessing: Preprocessing
    runtime: Runtime = field(repr=False)
    format: EmbeddingFormat
    _table: Array | None = field(repr=False)

    @classmethod
    def open(
        cls,
        backbone: str | Path,
        *,
        delegate: str = "auto",
        threads: int | None = None,
        say: Callable[[str], None] = print,
    ) -> Self:
        """Open a backbone.

        Args:
            backbone: "builtin"; or the path of a .tflite file, a result folder, or a name of the
                registry: any image classifier, whose head is cut off, or an extractor of features.
                For the Edge TPU: one that was compiled without its last layer.
            delegate: "auto", "cpu" or "edgetpu".
            threads: CPU threads; by default one per core, at most 4.
            say: called with a sentence before a model is downloaded.

        Raises:
            ModelError: no usable model, or one without an embedding, such as a detector.
            DelegateError: no interpreter, or no Edge TPU for a model that needs one.
            DownloadError, OutputError: a model of the registry cannot be had.
        """
        builtin = str(backbone) == BUILTIN
        path = _BUILTIN_FILE if builtin else resolve_model(backbone, say, delegate)
        name = BUILTIN if builtin else str(path)
        content = tflite.read_file(path)
        about = metadata.of(tflite.parse(content, name), name)
        extractor = behead(content, name)
        runtime = interpreter.load(
            extractor.content, name=name, delegate=delegate, threads=threads, trusted=builtin
        )
        if len(runtime.inputs) != 1:
            raise ModelError(
                "a model with one image as its input",
                f"{name}, which has {counted(len(runtime.inputs), 'input')}",
                "use an image classifier",
                code="model-unsupported-input",
            )
        preprocessing, notes = pixels.preprocessing_of(runtime.inputs[0], about, name)
        for note in notes:
            say(note)
        return cls(
            backbone=BUILTIN if builtin else path.name,
            extractor=extractor,
            preprocessing=preprocessing,
            runtime=runtime,
            format=format_of(extractor),
            _table=pixels.input_table(runtime.inputs[0], preprocessing),
        )

    @property
    def quantized(self) -> bool:
        """True where the embedding is int8 or uint8."""
        return self.extractor.embedding.dtype != "float32"

    def embed(self, image: BgrImage) -> Array:
        """Return the embedding of an image, uint8 BGR [height, width, 3].

        Returns:
            [features] as the model puts it out: int8 or uint8 codes, or float32; see
            :class:`edge.teaching.examples.EmbeddingFormat`.

        Raises:
            ModelError: the model fails.
        """
        rgb = cv2.cvtColor(self.preprocessing.resize(image), cv2.COLOR_BGR2RGB)
        inputs = pixels.apply_table(self._table, np.asarray(rgb, np.uint8))
        return self.runtime.invoke(inputs)[0].reshape(-1)

    def embed_file(self, content: bytes, name: str) -> Array:
        """Return the embedding of the content of an image file; see :meth:`embed`.

        Of a large JPEG a half, a quarter or an eighth is decoded, at least twice the input's size.

        Raises:
            ImageError: it is no image that can be read.
            ModelError: the model fails.
        """
        size = (self.preprocessing.width, self.preprocessing.height)
        return self.embed(decode_bgr(content, name, size))


def format_of(extractor: Extractor) -> EmbeddingFormat:
    """Return how an extractor puts out embeddings."""
    embedding = extractor.embedding
    scale, zero_point = (
        (embedding.scales[0], embedding.zero_points[0])
        if embedding.dtype != "float32"
        else (0.0, 0)
    )
    digest = hashlib.sha256(extractor.content).hexdigest()
    return EmbeddingFormat(digest, extractor.dimension, float(scale), int(zero_point))
