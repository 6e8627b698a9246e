"""Lines of JSON."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from errors import raises_code

import edge
from edge.sinks import open_sink

SCHEMA = Path(edge.__file__).parent / "results.schema.json"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_for_every_frame_at_once(tmp_path: Path, stream: Any, output: Any) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("of an earlier run\n")
    sink = open_sink(f"jsonl:{path}", stream.context)
    for count in (1, 2, 3):
        sink.write(output(count, name="photos/ä.jpg" if count == 3 else ""))
        assert len(lines(path)) == count  # while the sink is open, for others to follow
    sink.close()
    assert lines(path)[0] == {
        "schema": 1,
        "frame": 1,
        "time_s": 0.1,
        "task": "classify",
        "classes": [
            {"label": "cat", "index": 3, "score": 0.91},
            {"label": "dog", "index": 4, "score": 0.06},
        ],
        "unknown": False,
        "threshold": 0.5,
    }
    assert lines(path)[2]["file"] == "photos/ä.jpg"


def test_lines_follow_the_schema(tmp_path: Path, stream: Any, output: Any, results: Any) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    schema = json.loads(SCHEMA.read_text())
    validator.check_schema(schema)
    sink = open_sink(f"jsonl:{tmp_path / 'out.jsonl'}", stream.context)
    for task, items in results.items():
        for result in items:
            sink.write(output(task=task, result=result))
    sink.close()
    written = lines(tmp_path / "out.jsonl")
    assert len(written) == sum(map(len, results.values()))
    for line in written:
        validator(schema).validate(line)
        assert set(line) <= set(schema["properties"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": 2},
        {"frame": -1},
        {"classes": None},
        {"unknown": "no"},
        {"task": "detect"},
        {"counts": {"squat": -1}},
        {"counts": {"door": {"in": 1}}},
    ],
)
def test_the_schema_notices_a_wrong_line(
    wrong: dict[str, Any], tmp_path: Path, stream: Any, output: Any
) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    sink = open_sink(f"jsonl:{tmp_path / 'out.jsonl'}", stream.context)
    sink.write(output())
    sink.close()
    line = lines(tmp_path / "out.jsonl")[0]
    assert not validator(json.loads(SCHEMA.read_text())).is_valid(line | wrong)


def test_stdout_stays_open(capsys: pytest.CaptureFixture[str], stream: Any, output: Any) -> None:
    sink = open_sink("jsonl:-", stream.context)
    sink.write(output())
    sink.close()
    print("still there")
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[0])["frame"] == 0
    assert lines[1:] == ["still there"]


def test_a_reader_that_goes_away_ends_the_stream_quietly() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from edge.frame import Output, StreamStatus\n"
        "from edge.results import Detections\n"
        "from edge.sinks import open_sink\n"
        "from edge.streaming.sink import StreamContext\n"
        "ended = []\n"
        "sink = open_sink('jsonl:-', StreamContext(None, True, lambda: ended.append(1), print))\n"
        "status = StreamStatus(1.0, 1.0, 1.0, 0, 'cpu')\n"
        "while not ended:\n"
        "    sink.write(Output(0, 0.0, '', 'detect', Detections(()), status, 0.0))\n"
        "sink.close()\n"
    )
    root = str(Path(edge.__file__).parents[1])
    run = subprocess.Popen(
        [sys.executable, "-c", program, root], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout is not None
    assert json.loads(run.stdout.readline())["task"] == "detect"
    run.stdout.close()
    assert run.wait(timeout=20) == 0
    assert run.stderr is not None
    assert run.stderr.read() == b""
    run.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_an_error(stream: Any, output: Any) -> None:
    sink = open_sink("jsonl:/dev/full", stream.context)
    with raises_code("output-not-writable", found="no space left"):
        sink.write(output())
