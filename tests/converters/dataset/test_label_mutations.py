"""Readers of labels end with a result or an error that they meant, whatever the files hold."""

from collections import Counter
from pathlib import Path

from label_mutations import label_cases, label_outcome


def test_mutated_labels(tmp_path: Path) -> None:
    kinds: Counter[str] = Counter()
    for number, files in enumerate(label_cases(80, seed=1)):
        outcome = label_outcome(files, tmp_path / "set")
        crashed = outcome.failure is not None and not outcome.failure.endswith("MB")
        assert not crashed, (number, outcome, files)
        kinds.update(outcome.kinds)
    assert min(kinds["detect"], kinds["segment"]) >= 5
    assert len(kinds) >= 8
