"""Training of a backbone by distillation, and export of its weights and model card."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.backbone.pretrain.student import Loss, Student, augment
from converters.backbone.pretrain.teacher import DistillationTargets
from converters.backbone.weights import Card
from converters.progress import Progress
from edge.errors import UsageError
from edge.files import write_atomic

LICENSE = (
    "The weights are under the project's license. They were trained on ImageNet images, which are "
    "for research and education, with a teacher trained on ImageNet; they contain no image. Check "
    "the terms of ImageNet before commercial use."
)


def write_card(card: Card, path: Path) -> None:
    """Write ``card`` as TOML: plain values first, then one table after another.

    Raises:
        OutputError: it cannot be written.
    """
    lines = _assignments({k: v for k, v in card.items() if not isinstance(v, dict)})
    for name, table in card.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *_assignments(table)]
    write_atomic(path, "\n".join(lines) + "\n")


def _assignments(table: dict[str, Any]) -> list[str]:
    # Strings, numbers, booleans and flat lists are written the same way in JSON and TOML.
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]


_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration (Jordan et al. 2024)."""


@dataclass(frozen=True, slots=True)
class PretrainConfig:
    """Everything that determines the weights except teacher and images."""

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
    """Intervals of logging and saving, in steps."""

    log: int = 50
    save: int = 500


def train(
    student: Student,
    targets: DistillationTargets,
    loss: Loss,
    config: PretrainConfig,
    folder: Path,
    progress: Progress,
    intervals: LogIntervals = LogIntervals(),
) -> None:
    """Train ``student`` towards the targets.

    A checkpoint is written to ``folder`` every ``intervals.save`` steps and on interruption; a
    later call continues from it and ends with the same weights as an uninterrupted one.

    Raises:
        UsageError: the checkpoint is past the point from which ``config.steps`` can be changed.
        KeyboardInterrupt: the user interrupted; the checkpoint is written.
    """
    from converters.tf import tensorflow

    tf = tensorflow()

    rate = learning_rate(config.peak_rate, config.steps, config.warm_up, config.decay)
    optimizer = muon(rate, config.boost)
    optimizer.build(student.with_heads.trainable_variables)
    checkpoint = tf.train.Checkpoint(student=student.with_heads, optimizer=optimizer)
    manager = tf.train.CheckpointManager(checkpoint, str(folder / "checkpoints"), max_to_keep=2)
    if manager.latest_checkpoint:
        checkpoint.restore(manager.latest_checkpoint)
    start = int(optimizer.iterations)
    _check_length(config, start, folder)

    step_of = _step(student, loss, optimizer, config)
    training_log = _TrainingLog(folder / "log.jsonl", config, intervals.log)
    saved = start
    try:
        for step in progress.track(range(start, config.steps), config.steps - start, "distilling"):
            rows = _rows(step, len(targets), config)
            training_log.add(step, step_of(*_batch(targets, rows), _seed(config, step)))
            if (step + 1) % intervals.save == 0 or step + 1 == config.steps:
                manager.save(checkpoint_number=step + 1)
                note_length(config, folder)
                saved = step + 1
    except KeyboardInterrupt:
        done = int(optimizer.iterations)
        if done > saved:
            manager.save(checkpoint_number=done)
            note_length(config, folder)
        raise


def _step(student: Student, loss: Loss, optimizer: Any, config: PretrainConfig) -> Any:
    from converters.tf import tensorflow

    tf = tensorflow()

    variables = student.with_heads.trainable_variables

    @tf.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def step(pixels: Any, embeddings: Any, grids: Any, seed: Any) -> Any:
        x, y, z = augment(pixels, embeddings, grids, config.mixup, config.color, seed)
        with tf.GradientTape() as tape:
            parts = loss(student.with_heads(x, training=True), y, z)
            total = loss.total(parts)
        gradients = tape.gradient(total, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.stack([total, *parts])

    return step


def _rows(step: int, count: int, config: PretrainConfig) -> NDArray[np.int64]:
    """Return the rows of one step: every epoch goes through all targets in its own order."""
    size = min(config.batch_size, count)
    epoch, index = divmod(step, count // size)
    order = np.random.default_rng([config.seed, epoch]).permutation(count)
    return np.sort(order[index * size : (index + 1) * size])


def _batch(targets: DistillationTargets, rows: NDArray[np.int64]) -> Iterator[Any]:
    for array in (targets.crops, targets.embeddings, targets.grids):
        yield array[rows]


def _seed(config: PretrainConfig, step: int) -> NDArray[np.int32]:
    return np.array([config.seed, step], np.int32)


def note_length(config: PretrainConfig, folder: Path) -> None:
    """Write the planned length of the training to ``folder``, for a run that resumes it."""
    noted = json.dumps({"steps": config.steps, "decay": config.decay})
    write_atomic(folder / "steps.json", noted)


def _check_length(config: PretrainConfig, start: int, folder: Path) -> None:
    """Refuse other steps unless both schedules, old and new, are still at their peak."""
    note = folder / "steps.json"
    if not start or not note.is_file():
        return
    earlier = json.loads(note.read_text())
    new = {"steps": config.steps, "decay": config.decay}
    free = min(int(e["steps"] * (1 - e["decay"])) for e in (earlier, new))
    if earlier != new and start > free:
        raise UsageError(
            f"--steps {earlier['steps']} --decay {earlier['decay']}, as when this run started",
            f"--steps {config.steps} --decay {config.decay} at step {start}",
            "the learning rate is already decaying; keep both values, or start a new run in "
            "another work folder",
            code="resume-settings-mismatch",
        )


def training_minutes(folder: Path, config: PretrainConfig) -> float:
    """Return the duration of the training in ``folder`` in minutes, over all its runs."""
    log = folder / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    speed = {line["step"]: line["pictures_per_s"] for line in lines}
    seconds, before = 0.0, 0
    for step in sorted(speed):
        seconds += (step - before) * config.batch_size / speed[step]
        before = step
    return seconds / 60


class _TrainingLog:
    """Training log: mean losses of every few steps, as JSON lines."""

    def __init__(self, path: Path, config: PretrainConfig, every: int) -> None:
        self._path, self._every = path, every
        self._images = config.batch_size
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


def learning_rate(peak: float, steps: int, warm_up: int, decay: float) -> Any:
    """Return a schedule: warm-up, constant, then decay over the last share ``decay`` of ``steps``.

    Both ends are linear. As good as a cosine (Hägele et al. 2024, "Scaling laws and
    compute-optimal training beyond fixed training durations"), and the length of a run that is
    still in its constant part can be changed without repeating it.
    """
    from converters.tf import keras, tensorflow

    tf, tf_keras = tensorflow(), keras()

    schedule: Any = tf_keras.optimizers.schedules.LearningRateSchedule

    class Trapezoid(schedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            done = tf.cast(step, tf.float32)
            up = (done + 1.0) / max(1, warm_up)
            down = (steps - done) / max(1.0, decay * steps)
            return peak * tf.clip_by_value(tf.minimum(up, down), 0.0, 1.0)

    return Trapezoid()


def muon(rate: Any, boost: float = 1.0, momentum: float = 0.95) -> Any:
    """Return Adam with Muon's orthogonalized momentum for the 1×1 convolutions.

    They hold nearly all weights of a MobileNetV2. Muon (Jordan et al. 2024, "Muon: an optimizer
    for hidden layers in neural networks") replaces the momentum of a matrix by the nearest
    matrix with singular values near one; scaled as by Liu et al. 2025 ("Muon is scalable for
    LLM training"), its steps are as large as Adam's and one learning rate serves both; ``boost``
    makes those of the matrices larger.
    """
    from converters.tf import keras, tensorflow

    tf, tf_keras = tensorflow(), keras()

    def orthogonalize(matrix: Any) -> Any:
        a, b, c = _NEWTON_SCHULZ
        wide = matrix.shape[0] <= matrix.shape[1]
        x = matrix if wide else tf.transpose(matrix)
        x = x / (tf.norm(x) + 1e-7)
        for _ in range(5):
            gram = tf.matmul(x, x, transpose_b=True)
            x = a * x + tf.matmul(b * gram + c * tf.matmul(gram, gram), x)
        return x if wide else tf.transpose(x)

    adam: Any = tf_keras.optimizers.Adam

    class Muon(adam):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any) -> None:
            shape = variable.shape
            if len(shape) != 4 or shape[:2] != (1, 1):
                super().update_step(gradient, variable)
                return
            slot = self._momentums[self._index_dict[self._var_key(variable)]]
            slot.assign(momentum * slot + (1 - momentum) * gradient)
            ahead = momentum * slot + (1 - momentum) * gradient
            step = orthogonalize(tf.reshape(ahead, (shape[2], shape[3])))
            scale = boost * 0.2 * float(max(shape[2], shape[3])) ** 0.5
            change = self.learning_rate * scale * tf.reshape(step, shape)
            variable.assign_sub(tf.cast(change, variable.dtype))

    return Muon(rate, name="muon")
