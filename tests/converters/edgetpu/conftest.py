"""A stand-in on the PATH, and a prediction made to order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import replaying_compiler
from replaying_compiler import StandIn

from converters.edgetpu import compiler

InstallCompiler = Callable[..., StandIn]


@dataclass(frozen=True)
class ToOrder:
    """What a test wants to have been foreseen, in place of a prediction."""

    cpu: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"cpu": self.cpu}


@pytest.fixture
def foresee(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make the prediction say that these operations stay on the CPU: ``foresee(SOFTMAX=1)``."""

    def order(**cpu: int) -> None:
        monkeypatch.setattr(compiler, "check", lambda content, name: ToOrder(cpu))

    return order


@pytest.fixture
def compiler_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstallCompiler:
    """Put a stand-in on the PATH that replays a transcript: see ``replaying_compiler.install``."""

    def put(transcript: str, prepared: bytes | None = None, **behavior: Any) -> StandIn:
        stand_in = replaying_compiler.install(tmp_path / "bin", transcript, prepared, **behavior)
        monkeypatch.setenv("PATH", replaying_compiler.path_with(stand_in.folder))
        return stand_in

    return put


@pytest.fixture
def no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH without a compiler and without Docker."""
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
