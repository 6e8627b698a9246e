"""`edge demo` on a real model and video: how soon it answers, and what it holds in memory."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.realdata

FRAME = 500


def watched(model: Path, video: Path) -> tuple[float, float]:
    """Seconds from the start of the command to its first line, and resident MB at frame 500."""
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "edge", "demo", "classify", "--model", model, "--source", video,
         "--sink", "jsonl:-"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        seconds = memory = 0.0
        for number, line in enumerate(running.stdout):
            if number == 0:
                seconds = time.perf_counter() - start
            if json.loads(line)["frame"] == FRAME:
                status = Path(f"/proc/{running.pid}/status").read_text()
                (said,) = [entry for entry in status.splitlines() if entry.startswith("VmRSS")]
                memory = int(said.split()[1]) / 1024
                break
        running.stdout.close()
    assert running.returncode == 0
    return seconds, memory


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc: not Linux")
def test_the_first_answer_comes_soon_and_memory_stays_small(test_data: Path) -> None:
    model = test_data / "models/mobilenet_v2_1.0_224_quant.tflite"
    video = test_data / "video/one-by-one-person-detection.mp4"
    runs = [watched(model, video) for _ in range(3)]
    assert min(seconds for seconds, _ in runs) <= 1.5  # others may be busy on this machine
    assert max(memory for _, memory in runs) <= 150
