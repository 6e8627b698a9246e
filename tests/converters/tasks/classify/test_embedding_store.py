"""Vectors on disk survive concurrent processes, and what cannot be written is said."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from errors import raises_code

from converters.tasks.classify.embedding_store import open_store


def test_a_cache_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    # Nobody, not even root, can make a file in /proc.
    with (
        raises_code("cache-not-writable", found="/proc", fix="EDGE_CACHE"),
        open_store(Path("/proc/embeddings.sqlite")),
    ):
        pytest.fail("there is nothing to write into")
    many = {str(key): np.zeros(1280, np.float32) for key in range(100)}
    with (
        raises_code("cache-not-writable", found="full"),
        open_store(tmp_path / "full.sqlite") as store,
    ):
        store._database.execute("PRAGMA max_page_count = 10")  # as a disk that is full
        store.put(many)


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from converters.tasks.classify.embedding_store import open_store\n"
        "with open_store(Path(sys.argv[1])) as store:\n"
        "    for i in range(100):\n"
        "        store.put({f'{sys.argv[2]} {i}': np.full(4, i, np.float32)})\n"
    )
    path = tmp_path / "store.sqlite"
    both = [subprocess.Popen([sys.executable, "-c", script, str(path), who]) for who in "ab"]
    assert [process.wait(60) for process in both] == [0, 0]
    keys = [f"{who} {i}" for who in "ab" for i in range(100)]
    with open_store(path) as store:
        embedded = store.get(keys)
    assert sorted(embedded) == sorted(keys)
    np.testing.assert_array_equal(embedded["b 7"], np.full(4, 7, np.float32))
