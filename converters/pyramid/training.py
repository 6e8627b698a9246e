"""Training of a network within a time budget.

First the head learns on the trunk as it is, on features that are computed once. Then each cut,
behind which the trunk learns too, gets a short trial; the best one on the validation split is
trained for the rest of the time. Whatever was best there at any time is the result.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic

import numpy as np

from converters.progress import Progress
from converters.pyramid import checkpoint, plan
from converters.pyramid.checkpoint import PhaseRecord
from converters.pyramid.objective import Objective
from converters.pyramid.trainer import Trained, Trainer, cut_behind
from converters.pyramid.work import CutWork

UNUSED_OPTIONS = ("balance", "fine_tune", "epochs", "batch_size", "dropout", "label_smoothing")
"""Of training: the budget and the validation images decide instead."""

MAX_VALIDATION = 150
"""Validation images that decide while training goes on."""


@dataclass(frozen=True, slots=True)
class PyramidTraining:
    """Options of a training.

    ``budget``: seconds; ``most_steps``: of a phase; ``batch_size``: images; ``seed``: of all random
    choices; ``workers``: threads that change images; ``clock``: returns seconds.
    """

    budget: float = 300.0
    most_steps: int = 20_000
    batch_size: int = 8
    seed: int = 0
    workers: int = 2
    clock: Callable[[], float] = field(default=time.perf_counter, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class TrainedPyramid(Generic[Trained]):
    """A trained network; ``phases``: what was tried; ``best``: which of it.

    ``score`` and ``figures`` are those of the result on the validation images.
    """

    network: Trained
    phases: tuple[PhaseRecord, ...]
    best: PhaseRecord
    score: float
    figures: dict[str, float]
    seconds: float


def train(
    network: Trained,
    objective: Objective,
    options: PyramidTraining,
    saved: Path,
    progress: Progress,
) -> TrainedPyramid[Trained]:
    """Train a network.

    Args:
        network: with a pretrained trunk and a new head.
        objective: what is learned; what is best on its validation images is kept.
        options: budget, seed and the like.
        saved: file of the state after each evaluation; a killed training goes on from there. It is
            removed at the end.
        progress: shows phases and their results.
    """
    run = _Run(network, objective, options, saved, progress)
    result = run.all_phases()
    saved.unlink(missing_ok=True)
    return result


class _Run(Generic[Trained]):
    def __init__(
        self,
        network: Trained,
        objective: Objective,
        options: PyramidTraining,
        saved: Path,
        progress: Progress,
    ) -> None:
        self._network, self._objective = network, objective
        self._options, self._progress = options, progress
        self._path, self._state = saved, checkpoint.load(saved)
        self._started = options.clock() - self._state.seconds
        self._work: CutWork[Trained] | None = None

    def all_phases(self) -> TrainedPyramid[Trained]:
        """Run all phases, or those that are left."""
        all_as_it_is, *cuts = self._network.trunk.cuts
        head = self._phase(0, plan.HEADS, all_as_it_is)
        if cuts and not plan.good_enough(head.scores):
            trials = [self._phase(1 + n, plan.PILOT, cut) for n, cut in enumerate(cuts)]
            tried = [trial for trial in trials if trial.scores]
            # Without time for trials the latest cut is taken, which is the cheapest one.
            chosen = max(tried, key=lambda trial: trial.scores[-1]).cut if tried else cuts[0]
            self._phase(1 + len(cuts), plan.MAIN, chosen)
        return self._result()

    def _phase(self, number: int, kind: str, cut_name: str) -> PhaseRecord:
        """Run a phase, or what is left of it; without time for it, it has no steps."""
        recorded = self._state.phases[number : number + 1]
        if recorded and recorded[0].over:
            return recorded[0]
        if not recorded and kind != plan.HEADS and self._elapsed() >= self._options.budget:
            self._state.phases.append(PhaseRecord(kind, cut_name, steps=0, every=1, over=True))
            return self._state.phases[-1]
        work = self._work_behind(cut_name)
        phase = recorded[0] if recorded else self._planned(work, kind)
        if not recorded:
            self._state.phases.append(phase)
        if phase.steps:
            self._run_phase(work, phase)
        phase.over = True
        self._save(work)
        return phase

    def _work_behind(self, cut_name: str) -> CutWork[Trained]:
        """Return the work behind a cut, as far as it has come; else it starts from the head's."""
        if self._work is not None and self._work.cut_name == cut_name:
            return self._work
        self._work = None  # its features take memory
        self._progress.say(f"Preparing to train behind {cut_name}.")
        work = CutWork(self._network, cut_name, self._objective)
        states, first = self._state.states, self._network.trunk.cuts[0]
        if cut_name in states:
            work.trainer.restore(states[cut_name])
        elif first in states:
            head = Trainer(self._network, cut_behind(self._network, first), self._objective)
            head.restore(states[first])
            work.trainer.start_from(head)
        self._work = work
        return work

    def _planned(self, work: CutWork[Trained], kind: str) -> PhaseRecord:
        trials = [p for p in self._state.phases if p.cut == work.cut_name and p.kind == plan.PILOT]
        if any(trial.done for trial in trials):
            seconds = trials[0].seconds / trials[0].done
        else:
            views = work.views(self._options.seed, different=1 << 20, calm_from=1 << 20)
            seconds = work.seconds_per_step(
                views, self._options.batch_size, self._options.workers, self._options.clock
            )
        budget = self._options.budget
        allowed = plan.seconds_for(
            kind, budget, budget - self._elapsed(), knows_boxes=self._network.trunk.knows_boxes
        )
        steps = plan.planned_steps(kind, seconds, allowed, self._options.most_steps)
        before = sum(trial.done for trial in trials)
        return PhaseRecord(
            kind, work.cut_name, steps, plan.evaluation_interval(kind, steps), before
        )

    def _run_phase(self, work: CutWork[Trained], phase: PhaseRecord) -> None:
        options = self._options
        schedule = plan.Schedule(phase.steps, phase.before, falls=phase.kind != plan.PILOT)
        began = options.clock() - phase.seconds
        total = phase.before + phase.steps
        different = plan.different_views(phase.kind, total * options.batch_size)
        views = work.views(options.seed, different, plan.calm_from(phase.kind, different))
        first = phase.before + phase.done
        batches = views.batches(options.batch_size, first, total, options.workers)
        losses = []
        shown = self._progress.track(batches, total - first, f"{phase.kind} behind {phase.cut}")
        for batch in shown:
            number = phase.before + phase.done + 1
            rates, decay = schedule.rates(phase.done), schedule.decay(phase.done)
            losses.append(work.trainer.step(batch, number, rates, decay))
            phase.done += 1
            if phase.done % phase.every and phase.done < phase.steps:
                continue
            phase.losses.append(float(np.mean(losses)))
            losses = []
            self._evaluate(work, phase)
            phase.seconds = options.clock() - began
            self._save(work)
            if plan.is_over(phase.scores, phase.steps // phase.every):
                break

    def _evaluate(self, work: CutWork[Trained], phase: PhaseRecord) -> None:
        network = work.trainer.averaged()
        judgment = work.judge(network)
        best = self._best_score()
        phase.add(judgment)
        if best is None or judgment.score > best:
            self._state.best = self._state.phases.index(phase), len(phase.scores) - 1
            trained = cut_behind(network, work.cut_name).trained
            self._state.best_layers = {
                node.name: [node.layer.kernel, node.layer.bias] for node in trained if node.layer
            }
        self._progress.say(
            f"{phase.kind} behind {phase.cut}, step {phase.done} of {phase.steps}: "
            f"{judgment.words} on the validation split."
        )

    def _best_score(self) -> float | None:
        if self._state.best is None:
            return None
        phase, evaluation = self._state.best
        return self._state.phases[phase].scores[evaluation]

    def _save(self, work: CutWork[Trained]) -> None:
        self._state.seconds = self._elapsed()
        self._state.states[work.cut_name] = work.trainer.state()
        self._state.save(self._path)

    def _elapsed(self) -> float:
        return self._options.clock() - self._started

    def _result(self) -> TrainedPyramid[Trained]:
        assert self._state.best is not None, "the head is always trained"
        number, evaluation = self._state.best
        phase = self._state.phases[number]
        layers = {node.name: node.layer for node in self._network.used_nodes() if node.layer}
        trained = {
            name: replace(layers[name], kernel=kernel, bias=bias)
            for name, (kernel, bias) in self._state.best_layers.items()
        }
        return TrainedPyramid(
            self._network.with_layers(trained),
            tuple(self._state.phases),
            phase,
            phase.scores[evaluation],
            {name: values[evaluation] for name, values in phase.figures.items()},
            self._elapsed(),
        )
