"""Demos: short programs on the public API of ``edge``, to read and to copy."""
