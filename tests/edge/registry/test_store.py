"""Models in the cache: pulled whole and checked, by several programs at once, and verified."""

import hashlib
import subprocess
import sys
import threading

import pytest
from errors import raises_code

from edge import known_models
from edge.errors import OutputError
from edge.registry import download, store
from edge.registry.catalog import find

from .conftest import CPU, LABELS, OPEN, TWIN


def pull(name, notes=None):
    entry = find(name)
    store.pull(entry, entry.files, (notes if notes is not None else []).append)


def test_a_model_comes_with_its_labels_and_edge_tpu_version(shop):
    notes = []
    pull("colors", notes)
    assert shop.at("colors", "cpu.tflite").read_bytes() == CPU
    assert shop.at("colors", "cpu_edgetpu.tflite").read_bytes() == TWIN
    assert shop.at("colors", "labels.txt").read_bytes() == LABELS
    assert len(notes) == 1
    assert "Downloading colors (Apache-2.0) from 127.0.0.1" in notes[0]


def test_a_model_with_a_pinned_checksum_needs_no_trial(shop, all_known, monkeypatch):
    monkeypatch.setattr(known_models, "_here", set())
    pull("colors")
    pull("open")

    def is_known(content):
        return all_known(known_models.digest(content), "ai-edge-litert 2.3.0")

    assert is_known(CPU) and is_known(TWIN)
    assert not is_known(OPEN)


def test_a_downloaded_model_is_not_downloaded_again(shop):
    pull("colors")
    before = len(shop.files.requests)
    notes = []
    pull("colors", notes)
    assert (len(shop.files.requests), notes) == (before, [])


def test_downloads_can_be_checked_with_sha256sum(shop):
    pull("colors")
    folder = shop.at("colors", "")
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.count(": OK") == 3


@pytest.mark.parametrize("path", ["/v1/cpu.tflite", "/v1/cpu_edgetpu.tflite"])
def test_wrong_content_is_rejected_and_removed(shop, path):
    shop.serve(path, content=b"something else")
    with raises_code("download-mismatch"):
        pull("colors")
    name = path.rpartition("/")[2]
    assert not [file.name for file in shop.at("colors", "").iterdir() if name in file.name]


def test_an_interrupted_pull_is_resumed(shop):
    shop.serve("/v1/cpu.tflite", breaks=[50_000] + [0] * download.ATTEMPTS)
    with raises_code("download-failed", found="50,000 of 179,200"):
        pull("colors")
    assert not shop.at("colors", "cpu.tflite").exists()
    shop.files.requests.clear()
    pull("colors")
    assert shop.files.requests[0] == ("/v1/cpu.tflite", "bytes=50000-")
    assert shop.at("colors", "cpu.tflite").read_bytes() == CPU


def test_a_damaged_partial_file_is_discarded(shop):
    part = shop.at("colors", ".cpu.tflite.partial")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    pull("colors")
    assert shop.at("colors", "cpu.tflite").read_bytes() == CPU


def test_a_damaged_file_is_replaced(shop):
    pull("colors")
    shop.at("colors", "cpu.tflite").write_bytes(CPU[:-1] + b"x")
    pull("colors")
    assert shop.at("colors", "cpu.tflite").read_bytes() == CPU


def test_the_first_pull_of_an_unverified_model_records_its_checksum(shop):
    notes = []
    pull("open", notes)
    assert hashlib.sha256(OPEN).hexdigest() in notes[-1]
    assert "open.tflite" in notes[-1]
    shop.at("open", "open.tflite").unlink()
    notes.clear()
    pull("open", notes)  # the same again: nothing to say
    assert len(notes) == 1


def test_the_recorded_checksum_is_enforced(shop):
    pull("open")
    shop.at("open", "open.tflite").unlink()
    shop.serve("/v1/open/1/open.tflite", content=OPEN + b"changed")
    with raises_code("download-mismatch", found="SHA-256", fix="rm -r"):
        pull("open")


def test_an_unverified_file_must_look_like_a_model(shop):
    shop.serve("/v1/open/1/open.tflite", content=b"<html>Please log in</html>")
    with raises_code("download-failed", found="login"):
        pull("open")
    assert not shop.at("open", "open.tflite").exists()
    assert store.recorded(shop.at("open", "")) == {}


def test_concurrent_pulls_of_a_model_wait_for_each_other(shop):
    release = threading.Event()
    shop.serve("/v1/cpu.tflite", release=release)
    notes = [[], []]

    def waiting(line):
        notes[1].append(line)
        release.set()  # only once the second one waits does the first one get its file

    entry = find("colors")
    first = threading.Thread(target=store.pull, args=(entry, entry.files, notes[0].append))
    first.start()
    while not shop.files.requests:
        assert first.is_alive()
    store.pull(entry, entry.files, waiting)
    first.join()
    assert len(notes[1]) == 1 and "colors" in notes[1][0]
    assert sorted(path for path, _ in shop.files.requests) == sorted(
        ["/v1/cpu.tflite", "/v1/cpu_edgetpu.tflite", "/v1/names%20of.txt"]
    )


def test_many_programs_at_once(shop, tmp_path):
    """Processes of their own, one of which is killed in the middle."""
    release = threading.Event()
    shop.serve("/v1/cpu.tflite", release=release)
    code = (
        "import sys; from pathlib import Path; from edge.registry import catalog, resolve_model\n"
        f"catalog.SHIPPED = Path({str(tmp_path / 'models.toml')!r})\n"
        "print(resolve_model('colors', lambda line: None, 'edgetpu'))"
    )
    command = [sys.executable, "-c", code]
    killed = subprocess.Popen(command)
    while not shop.files.requests:
        assert killed.poll() is None
    others = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    killed.kill()
    killed.wait()
    release.set()
    outs = [process.communicate(timeout=60)[0].decode().strip() for process in others]
    assert outs == [str(shop.at("colors", "cpu_edgetpu.tflite"))] * 3
    assert shop.at("colors", "cpu.tflite").read_bytes() == CPU
    assert not list(shop.at("colors", "").glob("*.partial"))


def test_a_mirror_is_a_copy_of_another_cache(shop, tmp_path, monkeypatch):
    pull("colors")
    models = tmp_path / "a copy" / "models"
    (tmp_path / "cache").rename(tmp_path / "a copy")
    shop.files.served.clear()
    monkeypatch.setenv(download.MIRROR, str(models))
    pull("colors")
    assert shop.at("colors", "labels.txt").read_bytes() == LABELS
    with raises_code("download-failed", found="No such file"):
        pull("open")


def test_a_mirror_may_be_a_url_and_is_verified(shop, monkeypatch):
    monkeypatch.setenv(download.MIRROR, f"{shop.files.url}/class/")
    for old, new in (("cpu.tflite", "cpu.tflite"), ("names%20of.txt", "labels.txt")):
        shop.files.served[f"/class/colors/{new}"] = shop.files.served[f"/v1/{old}"]
    entry = find("colors")
    store.pull(entry, (entry.model, entry.labels), lambda line: None)
    assert {path.rpartition("/")[0] for path, _ in shop.files.requests} == {"/class/colors"}
    shop.serve("/class/colors/cpu.tflite", content=b"changed")
    shop.at("colors", "cpu.tflite").unlink()
    with raises_code("download-mismatch"):
        store.pull(entry, (entry.model,), lambda line: None)


def test_an_unwritable_cache(shop, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "models").write_text("a file where a folder should be")
    with pytest.raises(OutputError):
        pull("colors")


@pytest.mark.parametrize("name", [".lock", "cpu.tflite"])
def test_a_model_folder_that_cannot_be_written(shop, name):
    shop.at("colors", name).mkdir(parents=True)  # in its way
    with raises_code("output-not-writable", expected="colors"):
        pull("colors")
