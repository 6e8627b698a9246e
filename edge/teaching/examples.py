"""Examples: embeddings with the class that each belongs to, in memory and in a file.

The file keeps them beside the model that was learned from them. So a class can be added without
the images of the others, and images are not embedded again.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.files import write_atomic
from edge.interpreter import Array

EXAMPLES_FILE = "embeddings.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An embedding; ``image``: the SHA-256 of the image file that it belongs to, in hex."""

    image: str
    embedding: Array


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """What a head learns from.

    Attributes:
        labels: Names of the classes that have examples.
        targets: int64 [n], the class of each example: an index into ``labels``.
        codes: [n, features], their embeddings as the extractor puts them out.
    """

    labels: tuple[str, ...]
    targets: NDArray[np.int64]
    codes: Array

    @classmethod
    def of(cls, classes: Mapping[str, Sequence[Example]]) -> "Examples":
        """Collect the examples of classes; those without any are left out."""
        taught = {label: examples for label, examples in classes.items() if examples}
        targets = np.repeat(np.arange(len(taught)), [len(examples) for examples in taught.values()])
        codes = [example.embedding for examples in taught.values() for example in examples]
        return cls(
            tuple(taught), targets.astype(np.int64), np.stack(codes) if codes else np.empty(0)
        )


@dataclass(frozen=True, slots=True)
class EmbeddingFormat:
    """How a backbone puts out embeddings; those of equal formats can be compared.

    ``backbone``: the SHA-256 of its file, in hex; ``features``: their number. A code means
    ``scale × (code − zero_point)``; scale 0: embeddings are real values.
    """

    backbone: str
    features: int
    scale: float
    zero_point: int

    def values(self, codes: Array) -> NDArray[np.float32]:
        """Return embeddings of any shape as real values, float32."""
        if self.scale == 0:
            return codes.astype(np.float32)
        return (codes.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)


@dataclass(frozen=True, slots=True, eq=False)
class StoredExamples:
    """The examples of all classes in a file."""

    format: EmbeddingFormat
    classes: Mapping[str, Sequence[Example]]


def write_examples(path: Path, stored: StoredExamples) -> None:
    """Write examples to a file.

    Raises:
        OutputError: it cannot be written.
    """
    content = io.BytesIO()
    examples = [example for each in stored.classes.values() for example in each]
    np.savez(
        content,
        backbone=np.array(stored.format.backbone),
        scale=np.array(stored.format.scale, np.float64),
        zero_point=np.array(stored.format.zero_point, np.int64),
        labels=np.array(list(stored.classes), str),
        counts=np.array([len(each) for each in stored.classes.values()], np.int64),
        images=np.array([example.image for example in examples], "S64"),
        codes=np.stack([example.embedding for example in examples])
        if examples
        else np.empty((0, stored.format.features)),
    )
    write_atomic(path, content.getvalue())


def read_examples(path: Path) -> StoredExamples | None:
    """Read a file that :func:`write_examples` wrote; None where there is none or it is damaged."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            labels, counts, images, codes = (
                file[name] for name in ("labels", "counts", "images", "codes")
            )
            form = EmbeddingFormat(
                str(file["backbone"]), codes.shape[1], float(file["scale"]), int(file["zero_point"])
            )
            if len(labels) != len(counts) or not counts.sum() == len(images) == len(codes):
                return None
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile):
        return None
    examples = iter([Example(i.decode(), c) for i, c in zip(images, codes, strict=True)])
    classes = {
        str(label): list(islice(examples, int(count)))
        for label, count in zip(labels, counts, strict=True)
    }
    return StoredExamples(form, classes)
