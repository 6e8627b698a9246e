"""Compiled templates, kept in the cache: compiling takes longer than to fill all of them."""

import contextlib

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from edge.files import cache_folder


class TemplateCache(FileSystemBytecodeCache):
    """Compiled templates by their source; one that cannot be read or written is compiled again."""

    def __init__(self) -> None:
        folder = cache_folder() / "templates"
        with contextlib.suppress(OSError):
            folder.mkdir(exist_ok=True)
        super().__init__(str(folder))

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read a template if it is there and whole."""
        try:
            super().load_bytecode(bucket)
        except Exception:  # a damaged file may raise anything
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write a template if there is room."""
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)
