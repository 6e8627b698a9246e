"""Put a taught head on another copy of its backbone, such as one compiled for the Edge TPU."""

from pathlib import Path

import numpy as np

from edge import logistic_regression
from edge.errors import ModelError
from edge.files import check_writable, write_atomic
from edge.known_models import trust_model
from edge.modelfile import metadata, tflite
from edge.modelfile.metadata import ModelMetadata
from edge.modelfile.metadata_writer import write_metadata
from edge.modelwriter.embedding import behead
from edge.modelwriter.heads import LinearLayer, append_float_head
from edge.teaching.assessment import assess
from edge.teaching.examples import EXAMPLES_FILE, EmbeddingFormat, Examples, read_examples
from edge.teaching.features import format_of
from edge.teaching.lesson import check_classes
from edge.teaching.output import MODEL_FILE


def put_head(model: Path, source: Path, out: Path) -> tuple[str, ...]:
    """Write ``model`` with the head of a taught result; return its labels.

    The head is fitted again on the embeddings in ``source``, and computes in float32. ``model`` has
    to put out embeddings as the backbone of ``source`` does, which a compiled copy of it does.

    Raises:
        ModelError: ``source`` is no result of "edge teach", or its backbone is another one.
        DatasetError: fewer than two classes.
        OutputError: ``out`` cannot be written.
    """
    check_writable(out)
    content = tflite.read_file(model)
    extractor = behead(content, str(model))
    stored = read_examples(source / EXAMPLES_FILE)
    if stored is None:
        raise ModelError(
            "a result of 'edge teach'",
            f"{source} without a readable {EXAMPLES_FILE}",
            "teach with the backbone first: edge teach DIR --once --backbone FILE",
            code="folder-without-embeddings",
        )
    own = format_of(extractor)
    _check_equal(own, stored.format, model, source)
    examples = Examples.of(stored.classes)
    check_classes(examples.labels)
    values = stored.format.values(examples.codes)
    strength = assess(values, examples.targets, examples.labels).strength
    fitted = logistic_regression.fit(values, examples.targets, strength)
    headed = append_float_head(
        extractor, LinearLayer(fitted.kernel, fitted.bias), "uint8" if own.scale else "float32"
    )
    taught = metadata.read(tflite.read_file(source / MODEL_FILE)) or ModelMetadata()
    described = write_metadata(headed, taught)
    trust_model(described)
    write_atomic(out, described)
    return examples.labels


def _check_equal(own: EmbeddingFormat, taught: EmbeddingFormat, model: Path, source: Path) -> None:
    """Check that a model puts out embeddings like the backbone of a taught result."""
    equal = own.features == taught.features and own.zero_point == taught.zero_point
    if not equal or not np.isclose(own.scale, taught.scale, rtol=1e-5):
        raise ModelError(
            f"a backbone with {_words(taught)}, as that of {source}",
            f"{model}, with {_words(own)}",
            "use a copy of the backbone that was taught with",
            code="head-mismatch",
        )


def _words(form: EmbeddingFormat) -> str:
    if form.scale == 0:
        return f"{form.features} features in float32"
    return f"{form.features} features of scale {form.scale:.6g} and zero point {form.zero_point}"
