"""Model registry: models by name, their downloads and checksums."""

from edge.registry.resolve import resolve_model
from edge.registry.result_folder import local_model

__all__ = ["local_model", "resolve_model"]
