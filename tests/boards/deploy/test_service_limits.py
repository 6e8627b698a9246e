"""Options with which a service on a board could not work are refused before anything is sent."""

import pytest
from errors import raises_code

from boards.deploy import run_command

RUN = "demo classify --source 0"


@pytest.mark.parametrize(
    ("more", "code", "found", "fix"),
    [
        ("--sink window", "sink-needs-screen", "window", "--sink web"),
        ("--sink /home/pi/out.mkv", "output-not-on-board", "/home/pi/out.mkv", "--sink out.mkv"),
        ("--sink jsonl:../log.jsonl", "output-not-on-board", "../log.jsonl", "jsonl:log.jsonl"),
        ("--sink frames:/data/x", "output-not-on-board", "/data/x", "frames:x"),
        ("--sink 'web?recordings=/mnt/usb'", "output-not-on-board", "/mnt/usb", "recordings=usb"),
        ("--stats /var/log/stats.json", "output-not-on-board", "/var/log", "--stats stats.json"),
        ("--sink a.mkv --sink ./a.mkv", "output-path-conflict", "a.mkv", "another"),
        ("--sink web:0.0.0.0:80", "port-not-permitted", "80", "8080"),
        ("--sink wbe", "unknown-sink", "wbe", "web"),
        ("--frames 100", "run-command-ends", "100", "--frames"),
        ("--source clip.mp4 --loop", "source-not-on-board", "clip.mp4", "/home/pi/clip.mp4"),
        ("--source photos/", "source-not-on-board", "photos/", "board"),
    ],
)
def test_what_a_service_cannot_do_is_refused(more: str, code: str, found: str, fix: str) -> None:
    with raises_code(code, found=found, fix=fix):
        run_command.parse(f"{RUN} {more}")


@pytest.mark.parametrize(
    "more",
    [
        "--sink out.mkv --sink jsonl:log/lines.jsonl --stats stats.json",
        "--sink jsonl:- --sink frames:images",
        "--sink web:0.0.0.0 --sink mqtt://localhost/camera",
        "--sink jsonl:/dev/null",
        "--source /data/clip.mp4 --loop",
        "--source rtsp://camera/1",
    ],
)
def test_what_it_can_do_is_accepted(more: str) -> None:
    assert run_command.parse(f"{RUN} {more}").words[:2] == ("demo", "classify")


def test_a_mirror_takes_its_images_from_the_board() -> None:
    with raises_code("source-not-on-board", found="--index dancers"):
        run_command.parse("demo mirror --source 0 --index dancers")
    assert run_command.parse("demo mirror --source 0 --index /data/dancers").files == ()
