"""The number of BLAS threads is one inside the block, and as before after it."""

import numpy as np
import pytest

from edge import blas


def threads() -> int:
    functions = blas._thread_functions()
    if functions is None:
        pytest.skip("NumPy has no OpenBLAS here")
    return int(functions[0]())


def test_one_thread_in_the_block_and_as_before_after_it() -> None:
    before = threads()
    with pytest.raises(ZeroDivisionError), blas.one_thread():
        assert threads() == 1
        raise ZeroDivisionError
    assert threads() == before


def test_products_are_right_in_the_block() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 300, 300))
    with blas.one_thread():
        product = first @ second
    np.testing.assert_allclose(product, np.einsum("ij,jk->ik", first, second))


def test_openblas_is_recognized_in_the_wheels_of_numpy() -> None:
    if not any("openblas" in str(path) for path in blas._bundled()):
        pytest.skip("this NumPy brings no OpenBLAS")
    assert blas._thread_functions() is not None
