"""Model registry: models by name, their downloads and checksums."""

from edge.registry.resolve import resolve_model

__all__ = ["resolve_model"]
