"""`edge capture` as a user runs it: photos that `edge convert` can learn from."""

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from errors import error_code, raises_code

from edge import image_collector
from edge.commands import capture

RunEdge = Callable[..., "subprocess.CompletedProcess[str]"]


def test_an_interval_in_seconds_of_the_source(run_edge: RunEdge, tmp_path: Path) -> None:
    done = run_edge(
        "capture", "--label", "cat", "-o", tmp_path / "photos", "--source",
        "synthetic:320x240@10?frames=50", "--interval", "1", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert len(summary["kept"]) == 5
    assert summary["counts"] == {"cat": 5}
    for name in summary["kept"]:
        image = cv2.imread(name)
        assert image is not None
        assert image.shape == (240, 320, 3)


def test_a_burst_ends_at_its_count_and_overwrites_nothing(
    run_here: RunEdge, tmp_path: Path
) -> None:
    for turn in (1, 2):
        done = run_here(
            "capture", "--label", "dog", "-o", tmp_path, "--burst", "4",
            "--source", f"synthetic:320x240@5?seed={turn}",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert len(list((tmp_path / "dog").glob("*.jpg"))) == 4 * turn
    assert not list(tmp_path.rglob("*.partial"))


def test_duplicates_are_skipped(tmp_path: Path) -> None:
    kept = image_collector.open_collector(tmp_path, "cat")
    random = np.random.default_rng(0)
    first, second = (random.integers(0, 255, (6, 8, 3)).astype(np.uint8) for _ in range(2))
    first, second = (cv2.resize(p, (320, 240), interpolation=cv2.INTER_CUBIC)
                     for p in (first, second))  # fmt: skip
    noisy = np.clip(first + random.normal(0, 4, first.shape), 0, 255).astype(np.uint8)
    assert kept.add(first) is not None
    assert kept.add(noisy) is None
    assert kept.add(second) is not None
    assert kept.add(first) is None
    assert (len(kept.kept), kept.skipped) == (2, 2)
    kept.kept[0].rename(kept.kept[0].with_name("no UTF-8 \udcff.jpg"))
    assert image_collector.open_collector(tmp_path, "cat").add(first) is None


def test_a_class_that_exists_may_have_any_name(tmp_path: Path) -> None:
    label = 'cat, "red"?'
    with raises_code("invalid-label"):
        image_collector.open_collector(tmp_path, label)
    (tmp_path / label).mkdir()
    assert image_collector.open_collector(tmp_path, label).counts() == {label: 0}


def test_a_systems_own_files_are_no_images_of_a_class(tmp_path: Path) -> None:
    kept = image_collector.open_collector(tmp_path, "cat")
    for name in ("@eaDir/1.jpg", "cat/._1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert kept.counts() == {"cat": 0}
    with raises_code("invalid-label"):
        image_collector.open_collector(tmp_path, "@eaDir")


def test_duplicates_of_earlier_runs_are_skipped(run_here: RunEdge, tmp_path: Path) -> None:
    command = ("capture", "-o", tmp_path, "--interval", "1", "--json")
    for label, size, kept in (("cat", "1280x720", 5), ("cat", "1280x720", 0),
                              ("dog", "160x120", 5), ("dog", "160x120", 0)):  # fmt: skip
        done = run_here(*command, "--label", label, "--source", f"synthetic:{size}@10?frames=50")
        assert len(json.loads(done.stdout)["kept"]) == kept
    assert json.loads(done.stdout)["counts"] == {"cat": 5, "dog": 5}


def test_a_still_scene_ends_and_is_reported_once(run_edge: RunEdge, tmp_path: Path) -> None:
    image = tmp_path / "still.mkv"
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(image), cv2.CAP_FFMPEG, codec, 10, (64, 48))
    for _ in range(150):
        writer.write(np.full((48, 64, 3), 90, np.uint8))
    writer.release()
    done = run_edge("capture", "--label", "cat", "-o", tmp_path / "photos", "--burst", "3",
                    "--source", image)  # fmt: skip
    assert done.returncode == 0
    summary = done.stdout.partition("Next:")[0]
    assert [int(number) for number in re.findall(r"\d+", summary)] == [1, 149, 1]
    first, last = [line for line in done.stderr.splitlines() if "skipped" in line]
    assert last.startswith(first) and last != first  # it adds why


def test_keys_take_images_in_a_window(screen: str, tmp_path: Path) -> None:
    xdotool = shutil.which("xdotool")
    if xdotool is None:
        pytest.skip("no xdotool: apt-get install xdotool")
    environment = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
    environment["DISPLAY"] = screen
    running = subprocess.Popen(
        [sys.executable, "-m", "edge", "capture", "--label", "cat", "-o", tmp_path,
         "--source", "synthetic:320x240@100"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip

    def press(key: str) -> None:
        command = [xdotool, "mousemove", "100", "100", "key", key]
        subprocess.run(command, env=environment, check=False, capture_output=True)

    end = time.monotonic() + 30
    while not list(tmp_path.rglob("*.jpg")) and time.monotonic() < end:
        press("space")
        time.sleep(0.2)
    while running.poll() is None and time.monotonic() < end:
        press("q")
        time.sleep(0.2)
    out, stderr = running.communicate(timeout=20)
    assert running.returncode == 0, stderr
    assert out.split()[0] == str(len(list(tmp_path.rglob("*.jpg"))))


def test_keys_take_images_in_a_terminal(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "edge", "capture", "--label", "cat", "-o", tmp_path,
         "--source", "synthetic:160x120@500"],
        stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.close(follower)
    assert running.stderr is not None
    assert "Space" in running.stderr.readline()
    for _ in range(2):
        time.sleep(0.3)
        os.write(leader, b" ")
    time.sleep(0.3)
    os.write(leader, b"q")
    out, _ = running.communicate(timeout=20)
    os.close(leader)
    assert running.returncode == 0
    assert out.split()[0] == "2"
    assert len(list((tmp_path / "cat").glob("*.jpg"))) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--label", "../x", "--burst", "1"), "invalid-label", "'../x'"),
        (
            ("--label", "cat", "--burst", "1", "--interval", "1"),
            "conflicting-options",
            "--interval",
        ),
        (("--label", "cat", "--burst", "6", "--count", "2"), "conflicting-options", "--count"),
        (("--label", "cat"), "no-trigger", "--interval"),
        (
            ("--label", "cat", "--burst", "1", "--source", "browser"),
            "unsupported-source",
            "browser",
        ),
        (("--label", "cat", "--burst", "1", "--source", "9"), None, "camera"),
    ],
)
def test_bad_input(
    run_here: RunEdge, tmp_path: Path, arguments: tuple[str, ...], code: str | None, text: str
) -> None:
    source = () if "--source" in arguments else ("--source", "synthetic:")
    done = run_here("capture", "-o", tmp_path, *arguments, *source)
    assert done.returncode == 2
    assert text in done.stderr
    assert code is None or error_code(done.stderr) == code
    assert not list(tmp_path.rglob("*.jpg"))


def test_photos_lead_to_more_photos_then_to_a_model() -> None:
    def commands(counts: dict[str, int], source: str = "0") -> list[list[str]]:
        steps = capture.next_steps(counts, "cat", Path("my photos"), source)
        return [shlex.split(step.command) for step in steps]

    taking = ["edge", "capture", "--label"]
    assert commands({"cat": 30}) == [[*taking, "background", "-o", "my photos"]]
    assert commands({"cat": 3, "dog": 2, "owl": 0}, "picamera") == [
        [*taking, "cat", "-o", "my photos", "--source", "picamera"],
        ["edge", "convert", "my photos"],
    ]
    assert commands({"cat": 30, "dog": 5})[0] == [*taking, "dog", "-o", "my photos"]
    assert commands({"cat": 30, "dog": 25}) == [["edge", "convert", "my photos"]]
    assert commands({"cat": 0}) == []


def test_what_to_do_next_is_told_and_recorded(run_here: RunEdge, tmp_path: Path) -> None:
    words = (
        "capture", "--label", "cat", "-o", tmp_path, "--burst", "2", "--source",
        "synthetic:320x240@5",
    )  # fmt: skip
    summary = json.loads(run_here(*words, "--json").stdout)
    again = f"edge capture --label cat -o {tmp_path} --source synthetic:320x240@5"
    assert summary["next_steps"][0]["command"] == again
    assert again in [line.strip() for line in run_here(*words).stdout.splitlines()]
