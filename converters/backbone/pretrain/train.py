"""The training loop: seeded, logged, interruptible, resumable."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone.pretrain.optimizer import learning_rate, muon
from converters.backbone.pretrain.student import Loss, Student, augment
from converters.backbone.pretrain.teacher import DistillationTargets
from converters.progress import Progress
from edge.errors import UsageError
from edge.files import write_atomic


@dataclass(frozen=True, slots=True)
class PretrainConfig:
    """Everything that decides the weights, beside teacher and images."""

    alpha: float = 0.5
    size: int = 96
    crops: int = 80_000
    steps: int = 10_000
    batch_size: int = 64
    peak_rate: float = 3e-3
    boost: float = 4.0
    warm_up: int = 300
    decay: float = 0.3
    batch_norm_momentum: float = 0.95
    embedding_weight: float = 2.0
    grid_weight: float = 1.0
    mixup: float = 0.0
    color: float = 0.1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class LogIntervals:
    """How often to log and to save, in steps."""

    log: int = 50
    save: int = 500


def train(
    student: Student,
    lessons: DistillationTargets,
    loss: Loss,
    recipe: PretrainConfig,
    folder: Path,
    progress: Progress,
    pace: LogIntervals = LogIntervals(),
) -> None:
    """Teach ``student``.

    A checkpoint lies in ``folder`` every ``pace.save`` steps and when the training is
    interrupted; a later call continues from it and ends as an uninterrupted one would have.

    Raises:
        UsageError: the checkpoint is past the point from which ``recipe.steps`` can be changed.
        KeyboardInterrupt: the user interrupted; the checkpoint is written.
    """
    from converters.tf import tensorflow

    tf = tensorflow()

    rate = learning_rate(recipe.peak_rate, recipe.steps, recipe.warm_up, recipe.decay)
    optimizer = muon(rate, recipe.boost)
    optimizer.build(student.taught.trainable_variables)
    kept = tf.train.Checkpoint(student=student.taught, optimizer=optimizer)
    manager = tf.train.CheckpointManager(kept, str(folder / "checkpoints"), max_to_keep=2)
    if manager.latest_checkpoint:
        kept.restore(manager.latest_checkpoint)
    begun = int(optimizer.iterations)
    _check_length(recipe, begun, folder)

    step_of = _step(student, loss, optimizer, recipe)
    journal = _Journal(folder / "log.jsonl", recipe, pace.log)
    saved = begun
    try:
        for step in progress.track(range(begun, recipe.steps), recipe.steps - begun, "distilling"):
            rows = _rows(step, len(lessons), recipe)
            journal.add(step, step_of(*_batch(lessons, rows), _seed(recipe, step)))
            if (step + 1) % pace.save == 0 or step + 1 == recipe.steps:
                manager.save(checkpoint_number=step + 1)
                note_length(recipe, folder)
                saved = step + 1
    except KeyboardInterrupt:
        done = int(optimizer.iterations)
        if done > saved:
            manager.save(checkpoint_number=done)
            note_length(recipe, folder)
        raise


def _step(student: Student, loss: Loss, optimizer: Any, recipe: PretrainConfig) -> Any:
    from converters.tf import tensorflow

    tf = tensorflow()

    variables = student.taught.trainable_variables

    @tf.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def step(pixels: Any, embeddings: Any, grids: Any, seed: Any) -> Any:
        x, y, z = augment(pixels, embeddings, grids, recipe.mixup, recipe.color, seed)
        with tf.GradientTape() as tape:
            parts = loss(student.taught(x, training=True), y, z)
            total = loss.total(parts)
        gradients = tape.gradient(total, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.stack([total, *parts])

    return step


def _rows(step: int, count: int, recipe: PretrainConfig) -> NDArray[np.int64]:
    """The lessons of one step: every epoch goes through all of them in its own order."""
    size = min(recipe.batch_size, count)
    epoch, place = divmod(step, count // size)
    order = np.random.default_rng([recipe.seed, epoch]).permutation(count)
    return np.sort(order[place * size : (place + 1) * size])


def _batch(lessons: DistillationTargets, rows: NDArray[np.int64]) -> Iterator[Any]:
    for array in (lessons.crops, lessons.embeddings, lessons.grids):
        yield array[rows]


def _seed(recipe: PretrainConfig, step: int) -> NDArray[np.int32]:
    return np.array([recipe.seed, step], np.int32)


def note_length(recipe: PretrainConfig, folder: Path) -> None:
    """Write down in ``folder`` how long the training shall be, for one that continues it."""
    noted = json.dumps({"steps": recipe.steps, "decay": recipe.decay})
    write_atomic(folder / "steps.json", noted)


def _check_length(recipe: PretrainConfig, begun: int, folder: Path) -> None:
    """Steps may change only while both schedules, old and new, are still at their peak."""
    note = folder / "steps.json"
    if not begun or not note.is_file():
        return
    earlier = json.loads(note.read_text())
    new = {"steps": recipe.steps, "decay": recipe.decay}
    free = min(int(e["steps"] * (1 - e["decay"])) for e in (earlier, new))
    if earlier != new and begun > free:
        raise UsageError(
            f"--steps {earlier['steps']} --decay {earlier['decay']}, as when this run started",
            f"--steps {recipe.steps} --decay {recipe.decay} at step {begun}",
            "the learning rate is already decaying; keep both values, or start a new run in "
            "another work folder",
            code="resume-settings-mismatch",
        )


def minutes_of(folder: Path, recipe: PretrainConfig) -> float:
    """How long the training in ``folder`` took, in minutes, over all its parts."""
    log = folder / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    pace = {line["step"]: line["pictures_per_s"] for line in lines}
    seconds, before = 0.0, 0
    for step in sorted(pace):
        seconds += (step - before) * recipe.batch_size / pace[step]
        before = step
    return seconds / 60


class _Journal:
    """Mean losses of every few steps, as JSON lines."""

    def __init__(self, path: Path, recipe: PretrainConfig, every: int) -> None:
        self._path, self._every = path, every
        self._images = recipe.batch_size
        self._sums: list[Any] = []
        self._since = time.monotonic()

    def add(self, step: int, losses: Any) -> None:
        self._sums.append(losses)
        if (step + 1) % self._every:
            return
        means = np.mean([np.asarray(x) for x in self._sums], axis=0)
        seconds = time.monotonic() - self._since
        names = ("total", "divergence", "embedding", "grid")
        line = {
            "step": step + 1,
            **{n: round(float(v), 4) for n, v in zip(names, means, strict=True)},
        }
        line["pictures_per_s"] = round(len(self._sums) * self._images / seconds, 1)
        with self._path.open("a") as log:
            log.write(json.dumps(line) + "\n")
        self._sums, self._since = [], time.monotonic()
