"""Commands of ``edge`` that need the extra "convert"."""
