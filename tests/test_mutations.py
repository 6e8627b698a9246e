"""A quick sample of ``make fuzz``: mutated model files end in results or errors, never in crashes.

In a process of its own: its cases are forked, which threads of other tests would not survive.
"""

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent / "benchmarks" / "fuzz_models.py"


def test_a_sample_of_mutated_models(tmp_path):
    command = [sys.executable, PROGRAM, "--cases", "40", "--commands", "0", "--jobs", "1"]
    done = subprocess.run(
        [*command, "--keep", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("40 cases: ")
    assert {"model-damaged", "ran"} <= {*done.stdout.replace(",", " ").split()}
