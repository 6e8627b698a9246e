"""``edge track``: MOTChallenge files in, MOTChallenge files out, bad lines named."""

import json
from pathlib import Path

import numpy as np
import pytest
from errors import error_code, raises_code
from sequences import Scene, generate

from edge import cli
from edge.tracking import mot
from edge.tracking.frame_rate import estimate_fps
from edge.tracking.tracker import DEFAULT_FPS

COLUMNS = 10


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def walker(first: int, last: int, x: float = 100) -> list[str]:
    return [f"{f},-1,{x + 3 * f},50,40,90,0.9,-1,-1,-1" for f in range(first, last + 1)]


def follow(path: Path) -> mot.TrackTable:
    return mot.track(mot.read(path))


def test_a_sequence_in_a_file_becomes_tracks_in_a_file(tmp_path: Path, run_edge, solver) -> None:
    detections = write(tmp_path / "det.txt", *walker(1, 20), *walker(1, 20, 400))
    out = tmp_path / "tracks.txt"
    done = run_edge("track", detections, "-o", out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "frames": 20, "detections": 40, "tracks": 2, "boxes": 38, "output": str(out),
    }  # fmt: skip
    rows = np.loadtxt(out, delimiter=",")
    assert rows.shape == (38, COLUMNS)
    assert sorted(set(rows[:, 1])) == [1, 2]
    assert (np.diff(rows[:, 0]) >= 0).all()
    assert (rows[:, 7:] == -1).all()
    last = rows[rows[:, 0] == 20]
    assert last[:, 2:7] == pytest.approx(
        np.array([[160, 50, 40, 90, 0.9], [460, 50, 40, 90, 0.9]]), abs=1
    )
    assert "2 tracks in 20 frames" in run_edge("track", detections, "-o", out).stdout


def test_the_order_of_lines_does_not_matter(tmp_path: Path, solver) -> None:
    lines = [*walker(1, 30), *walker(5, 25, 300)]
    shuffled = list(np.random.default_rng(0).permutation(lines))
    ordered = mot.text(follow(write(tmp_path / "a.txt", *lines)))
    assert mot.text(follow(write(tmp_path / "b.txt", *shuffled))) == ordered


def test_frames_without_detections_count(tmp_path: Path, solver) -> None:
    lowest = "1,-1,500,300,40,90,0.3"  # in the lower right corner, so that nobody leaves the image
    short = follow(write(tmp_path / "a.txt", *walker(1, 10), *walker(21, 30), lowest))
    assert set(short.ids) == {1}
    assert {11, 12} <= set(short.frames) and 18 not in short.frames
    long = follow(write(tmp_path / "b.txt", *walker(1, 10), *walker(9_000_001, 9_000_010, -27e6)))
    assert set(long.ids) == {1, 2}


def test_a_file_without_detections_gives_one_without_tracks(
    tmp_path: Path, run_edge, solver
) -> None:
    out = tmp_path / "tracks.txt"
    done = run_edge("track", write(tmp_path / "det.txt", ""), "-o", out)
    assert done.returncode == 0, done.stderr
    assert out.read_text() == ""


def test_boxes_without_an_area_are_left_out(tmp_path: Path, solver) -> None:
    flat = [f"{f},-1,300,50,0,90,0.9,-1,-1,-1" for f in range(1, 20)]
    assert set(follow(write(tmp_path / "det.txt", *walker(1, 20), *flat)).ids) == {1}


@pytest.mark.parametrize(
    ("line", "expected", "actual"),
    [
        ("2,-1,10,10,5", "frame,id,x,y,width,height,score", "2,-1,10,10,5"),
        ("frame,id,x,y,w,h,score", "frame,id,x,y,width,height,score", "frame,id,x,y,w,h,score"),
        ("2,-1,nan,10,5,5,0.9", "frame,id,x,y,width,height,score", "nan"),
        ("0,-1,10,10,5,5,0.9", "frame number", "0"),
        ("1.5,-1,10,10,5,5,0.9", "frame number", "1.5"),
        ("2,-1,10,10,5,5,87", "score", "87"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, expected: str, actual: str) -> None:
    with raises_code("invalid-detections", expected=expected, found=actual) as caught:
        mot.read(write(tmp_path / "det.txt", "1,-1,10,10,5,5,0.9", line))
    assert "line 2" in caught.value.expected


def test_what_is_no_file_of_detections(tmp_path: Path) -> None:
    with raises_code("file-unreadable", expected="none.txt"):
        mot.read(tmp_path / "none.txt")
    (tmp_path / "det.txt").write_bytes(b"\xff\xfe\x00\x01" * 9)
    with raises_code("invalid-detections", expected="det.txt"):
        mot.read(tmp_path / "det.txt")


@pytest.mark.parametrize("fps", [7.0, 14.0, 30.0])
def test_the_frame_rate_is_estimated_from_people_who_walk(fps: float) -> None:
    rows = generate(Scene(3, fps=fps, frames=150)).detections
    boxes = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    frames = ((frame, boxes[rows[:, 0] == frame]) for frame in range(1, 151))
    assert fps / 1.7 < estimate_fps(frames) < fps * 1.7


def test_without_lasting_objects_the_frame_rate_is_a_usual_one() -> None:
    boxes = [(frame, np.array([[9.0 * frame, 0, 9 * frame + 5, 9]])) for frame in range(1, 9)]
    assert estimate_fps([]) == estimate_fps(boxes) == DEFAULT_FPS


def test_the_frame_rate_counts(tmp_path: Path, run_here, solver) -> None:
    """Someone hidden for 40 frames is known again within a second, not after eight."""
    detections = write(tmp_path / "det.txt", *walker(1, 30, 0), *walker(71, 100, 0))
    for fps, tracks in ((60, 1), (5, 2)):
        done = run_here("track", detections, "-o", tmp_path / "out.txt", "--fps", fps, "--json")
        assert json.loads(done.stdout)["tracks"] == tracks


@pytest.mark.parametrize("fps", ["0", "-5", "nan", "inf", "1001"])
def test_an_impossible_frame_rate_is_refused(tmp_path: Path, run_here, fps: str) -> None:
    detections = write(tmp_path / "det.txt", *walker(1, 3))
    done = run_here("track", detections, "-o", tmp_path / "out.txt", "--fps", fps)
    assert done.returncode == 2
    assert error_code(done.stderr) == "invalid-option-value"
    assert not (tmp_path / "out.txt").exists()


def test_errors_leave_nothing_behind(tmp_path: Path, run_edge) -> None:
    out = tmp_path / "tracks.txt"
    done = run_edge("track", write(tmp_path / "det.txt", "1,2,3"), "-o", out)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "line 1" in done.stderr
    good = write(tmp_path / "good.txt", "")
    assert run_edge("track", good, "-o", tmp_path / "no" / "tracks.txt").returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["det.txt", "good.txt"]


@pytest.mark.parametrize("output", [".", "/", "no/tracks.txt"])
def test_a_place_for_the_tracks_is_wanted_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["track", "none.txt", "-o", output]) == 2
    stderr = capsys.readouterr().err
    if "no" in output:
        assert error_code(stderr) == "output-directory-missing"
        assert "mkdir -p no" in stderr
    else:
        assert error_code(stderr) == "output-is-directory"


def test_the_detections_are_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "det.txt", "1,-1,0,0,10,10,0.9,-1,-1,-1\n")
    before = path.read_bytes()
    assert cli.run(["track", str(path), "-o", str(tmp_path / "." / "det.txt")]) == 2
    stderr = capsys.readouterr().err
    assert error_code(stderr) == "output-path-conflict"
    assert str(path) in stderr
    assert path.read_bytes() == before


def test_help_shows_examples(run_edge) -> None:
    done = run_edge("track", "--help")
    assert "edge track detections.txt -o tracks.txt" in done.stdout


def test_a_generated_sequence_is_the_same_for_the_same_seed() -> None:
    first, again, other = (generate(Scene(seed, frames=30)) for seed in (1, 1, 2))
    assert (first.detections == again.detections).all()
    assert (
        first.detections.shape != other.detections.shape
        or (first.detections != other.detections).any()
    )
