"""Fixtures for the board side: tiny models (tests/support/tiny_models.py) and a screen."""

import shutil
import subprocess
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import tiny_models


@pytest.fixture(scope="session")
def tiny_model() -> Callable[..., bytes]:
    return tiny_models.color_model


@pytest.fixture(scope="session")
def edgetpu_model() -> Callable[[], bytes]:
    return tiny_models.edgetpu_model


@pytest.fixture
def red() -> np.ndarray:
    return tiny_models.red_image()


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """The DISPLAY of a virtual screen."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("no Xvfb: apt-get install xvfb")
    command = [server, "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert run.stdout is not None
    number = run.stdout.readline().decode().strip()
    yield f":{number}"
    run.terminate()
    run.wait(timeout=10)
    run.stdout.close()
