"""Threads of the linear algebra library (BLAS) that NumPy calls.

OpenBLAS splits a small product among all cores and lets them wait for each other in a busy loop:
on a busy machine two threads made the fit of a head 12 times slower than one.
"""

import ctypes
import importlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

_PREFIXES_AND_SUFFIXES = (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", ""))
"""How builds of OpenBLAS name their functions: those in NumPy 2's wheels, in NumPy 1's, and those
of Linux distributions."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Run the block with one OpenBLAS thread; without effect where NumPy has another library.

    The number of threads belongs to the process: it holds for other threads, too.
    """
    functions = _thread_functions()
    if functions is None:
        yield
        return
    get, limit = functions
    before = get()
    limit(1)
    try:
        yield
    finally:
        limit(before)


@cache
def _thread_functions() -> tuple[Any, Any] | None:
    """Return OpenBLAS's functions that get and set the number of threads, if NumPy uses it."""
    for library in _libraries():
        for prefix, suffix in _PREFIXES_AND_SUFFIXES:
            get = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
            limit = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
            if get is not None and limit is not None:
                return get, limit
    return None


def _libraries() -> Iterator[ctypes.CDLL]:
    """Yield handles in which to look for OpenBLAS.

    On Linux and macOS the handle of a library also finds the functions of those it depends on. On
    Windows it does not.
    """
    linear_algebra = importlib.import_module("numpy.linalg._umath_linalg")
    for path in (linear_algebra.__file__, *_bundled()):
        with suppress(OSError):  # a part of the folder that does not load alone
            yield ctypes.CDLL(str(path))


def _bundled() -> list[Path]:
    """Return the libraries that a wheel keeps in a folder next to the package."""
    return sorted(Path(np.__file__).parent.with_name("numpy.libs").glob("*openblas*"))
