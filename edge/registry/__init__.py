"""Models that people use, by name: where they are, how they are checked, and what is kept here."""

from edge.registry.resolve import resolve_model

__all__ = ["resolve_model"]
