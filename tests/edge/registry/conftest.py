"""Fixtures for the registry: a server, and a registry of small files on it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from file_server import Files, Served, serving

from edge.registry import catalog, download

CPU = bytes(range(256)) * 700
TWIN = b"compiled " * 20_000
OPEN = b"\0\0\0\0TFL3" + bytes(90_000)
LABELS = b"red\ngreen\nblue\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    monkeypatch.setattr(download, "RETRY_DELAY_S", 0.0)
    monkeypatch.delenv(download.MIRROR, raising=False)
    with serving() as files:
        yield files


@dataclass(frozen=True)
class Shop:
    """The models ``colors`` (git's id, twin, labels) and ``open`` (nothing to check it with)."""

    files: Files
    cache: Path

    def at(self, name: str, file: str) -> Path:
        return self.cache / "models" / name / file

    def serve(self, path: str, **how: object) -> Served:
        served = self.files.served[path]
        for key, value in how.items():
            setattr(served, key, value)
        return served


@pytest.fixture
def shop(server: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    contents = {"cpu.tflite": CPU, "cpu_edgetpu.tflite": TWIN, "names of.txt": LABELS}
    server.served |= {f"/v1/{name.replace(' ', '%20')}": Served(c) for name, c in contents.items()}
    server.served["/v1/open/1/open.tflite"] = Served(OPEN)
    blob = hashlib.sha1(b"blob %d\0" % len(CPU) + CPU).hexdigest()
    registry = tmp_path / "models.toml"
    registry.write_text(f"""
[origins.here]
about = "A test"
url = "{server.url}/v1/"
licence = "Apache-2.0"

[models.colors]
task = "classify"
origin = "here"
input = "32x32"
model = {{ file = "cpu.tflite", bytes = {len(CPU)}, blob = "{blob}" }}
edgetpu = {{ file = "cpu_edgetpu.tflite", sha256 = "{hashlib.sha256(TWIN).hexdigest()}" }}
labels = {{ file = "names of.txt", bytes = 15, sha256 = "{hashlib.sha256(LABELS).hexdigest()}" }}

[models.open]
task = "segment"
origin = "here"
input = "256x256"
model = {{ file = "open/1/open.tflite" }}
""")
    monkeypatch.setattr(catalog, "SHIPPED", registry)
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path / "cache"))
    catalog.entries.cache_clear()
    yield Shop(server, tmp_path / "cache")
    catalog.entries.cache_clear()
