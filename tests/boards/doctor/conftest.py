from pathlib import Path

import pytest
from recorded_board import RecordedBoard


@pytest.fixture
def board(tmp_path: Path) -> RecordedBoard:
    """A healthy board; see :mod:`recorded_board`."""
    return RecordedBoard(tmp_path)
