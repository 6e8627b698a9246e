"""The text of all errors is guarded by one snapshot; each error has a code.

After a message changed, ``make snapshot`` writes ``tests/error_messages.txt`` anew: read its diff.
"""

import copy
import pickle
import re

import pytest
from error_messages import SNAPSHOT, Construction, constructions, snapshot

from edge.errors import CorruptFrameError, EdgeError

CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")


def test_messages_are_those_of_the_snapshot() -> None:
    assert snapshot() == SNAPSHOT.read_text(), "if the change is meant, run: make snapshot"


def test_every_error_has_a_literal_code_in_kebab_case() -> None:
    def is_valid(call: Construction) -> bool:
        return all(map(CODE.fullmatch, call.codes())) and bool(
            call.codes() or call.passes_code_on()
        )

    wrong = [f"{call.module}:{call.line}" for call in constructions() if not is_valid(call)]
    assert not wrong
    assert len(constructions()) > 300


def test_every_error_has_the_three_fields() -> None:
    wrong = [
        f"{call.module}:{call.line}"
        for call in constructions()
        if not {"expected", "found", "fix", "code"} <= call.arguments.keys()
    ]
    assert not wrong


@pytest.mark.parametrize("duplicate", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_survives_copying_and_pickling(duplicate) -> None:
    error = CorruptFrameError("a frame", "noise", "look away", code="frame-corrupt", summary="s")
    other = duplicate(error)
    assert type(other) is CorruptFrameError
    assert str(other) == "s: look away"
    assert other.to_dict() == error.to_dict()


def test_an_error_without_a_code_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        EdgeError("a", "b", "c")  # type: ignore[call-arg]
