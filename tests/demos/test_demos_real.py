"""`edge demo` on a real model and video: what it holds in memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.realdata

FRAME = 500


def resident(model: Path, video: Path) -> float:
    """MB that the command holds in memory at frame 500."""
    with subprocess.Popen(
        [sys.executable, "-m", "edge", "demo", "classify", "--model", model, "--source", video,
         "--sink", "jsonl:-"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        memory = 0.0
        for line in running.stdout:
            if json.loads(line)["frame"] == FRAME:
                status = Path(f"/proc/{running.pid}/status").read_text()
                (values,) = [entry for entry in status.splitlines() if entry.startswith("VmRSS")]
                memory = int(values.split()[1]) / 1024
                break
        running.stdout.close()
    assert running.returncode == 0
    return memory


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc: not Linux")
def test_memory_stays_small(test_data: Path) -> None:
    model = test_data / "models/mobilenet_v2_1.0_224_quant.tflite"
    video = test_data / "video/one-by-one-person-detection.mp4"
    assert 0 < resident(model, video) <= 150
