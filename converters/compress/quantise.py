"""Quantise: one trained model to its TFLite variants."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variant:
    """A TFLite file in memory: ``name`` is "float32", "float16" or "int8"."""

    name: str
    content: bytes
