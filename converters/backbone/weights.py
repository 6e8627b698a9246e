"""Where a backbone's learned weights come from: a registry of named sources, and files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Backbone:
    """A MobileNetV2 without its top, with weights that are known.

    ``weights`` is the name of the source as reported ("imagenet", "none", a file name),
    ``fingerprint`` identifies architecture and weights (sha256 hex; the cache key),
    ``learned`` is False for random weights, ``provenance`` goes into report and metadata,
    ``notes`` are sentences that the user must see (a fallback, say). ``build()`` returns a fresh
    flat tf_keras model, float32 [n, size, size, 3] in [-1, 1] to feature map [n, h, w, c].
    """

    weights: str
    alpha: float
    size: int
    fingerprint: str
    learned: bool
    provenance: dict[str, str]
    notes: tuple[str, ...]
    build: Callable[[], Any]
