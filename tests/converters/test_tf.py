"""The door to TensorFlow: it opens without a word, and says so where it does not open."""

import subprocess
import sys

import pytest

from edge.installation import install_command

NOISE = "import os; from converters import tf\n"


def run(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", NOISE + script],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_tensorflow_loads_in_the_background_without_a_word() -> None:
    script = (
        "tf.prefetch()\n"
        "print(tf.keras().__name__, tf.tensorflow().__name__, os.environ['TF_USE_LEGACY_KERAS'])\n"
    )
    done = run(script)
    assert done.stdout == "tf_keras tensorflow 1\n"
    assert done.stderr == ""


def test_a_missing_tensorflow_says_how_to_get_it() -> None:
    script = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from edge.errors import EdgeError\n"
        "try: tf.keras()\n"
        "except EdgeError as error: print(error.code, error)\n"
    )
    printed = run(script).stdout
    assert printed.startswith("missing-package ")
    assert install_command("train") in printed


@pytest.mark.parametrize("seconds", [0.5, 3])
def test_leaving_during_the_import_keeps_the_exit_code(seconds: float) -> None:
    done = run(f"import time\ntf.prefetch(); time.sleep({seconds}); raise SystemExit(2)\n")
    assert done.returncode == 2
