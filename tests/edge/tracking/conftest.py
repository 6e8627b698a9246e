"""The tracker's tests need the extra ``track``, or SciPy; the others run without."""

from importlib.util import find_spec

import pytest


@pytest.fixture
def solver() -> None:
    if not (find_spec("lap") or find_spec("scipy")):
        pytest.skip("the extra 'track' is not installed")
