"""What a killed training needs to go on: one file in the cache, written as a whole."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.pyramid.objective import ValidationScore
from edge.files import write_atomic

Arrays = list[NDArray[np.float32]]


@dataclass(slots=True)
class PhaseRecord:
    """A phase: its ``kind``, where training began, steps, and the results of its evaluations.

    ``evaluated``: steps after which the network was judged; ``every``: steps between them;
    ``scores``: what decides; ``figures``: by name; each by evaluation.
    """

    kind: str
    cut: str
    steps: int
    every: int
    before: int = 0
    done: int = 0
    over: bool = False
    seconds: float = 0.0
    evaluated: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    figures: dict[str, list[float]] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)

    def add(self, judgment: ValidationScore) -> None:
        """Record what the network is worth after the steps so far."""
        self.evaluated.append(self.done)
        self.scores.append(judgment.score)
        for name, value in judgment.figures.items():
            self.figures.setdefault(name, []).append(value)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the report, figures beside the others."""
        record = asdict(self)
        del record["scores"]
        return {**record, **record.pop("figures")}


@dataclass(slots=True)
class Checkpoint:
    """State of a training.

    ``phases``: so far; ``seconds``: spent; ``best``: index of the phase and of the evaluation that
    was best; ``states``: by cut, all that a trainer needs; ``best_layers``: kernel and bias of each
    trained node of the best network, by name.
    """

    phases: list[PhaseRecord] = field(default_factory=list)
    seconds: float = 0.0
    best: tuple[int, int] | None = None
    states: dict[str, Arrays] = field(default_factory=dict)
    best_layers: dict[str, Arrays] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the state; a file is replaced as a whole.

        Raises:
            OutputError: it cannot be written.
        """
        arrays: dict[str, NDArray[Any]] = {}
        for group, values in (("state", self.states), ("best", self.best_layers)):
            for name, listed in values.items():
                arrays |= {f"{group}|{name}|{index}": each for index, each in enumerate(listed)}
        record = {
            "phases": [asdict(phase) for phase in self.phases],
            "seconds": self.seconds,
            "best": self.best,
        }
        arrays["record"] = np.frombuffer(json.dumps(record).encode(), np.uint8)
        packed = io.BytesIO()
        np.savez(packed, **arrays)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, packed.getvalue())


def load(path: Path) -> Checkpoint:
    """Read a state; an empty one where there is none, or a damaged one."""
    try:
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        record = json.loads(arrays.pop("record").tobytes())
        phases = [PhaseRecord(**phase) for phase in record["phases"]]
        best = None if record["best"] is None else (record["best"][0], record["best"][1])
        return Checkpoint(
            phases, float(record["seconds"]), best,
            _grouped(arrays, "state"), _grouped(arrays, "best"),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile):
        return Checkpoint()


def _grouped(arrays: Mapping[str, NDArray[Any]], group: str) -> dict[str, Arrays]:
    numbered: dict[str, dict[int, NDArray[np.float32]]] = {}
    for key, value in arrays.items():
        kind, name, index = key.split("|")
        if kind == group:
            numbered.setdefault(name, {})[int(index)] = value
    return {name: [parts[i] for i in range(len(parts))] for name, parts in numbered.items()}
