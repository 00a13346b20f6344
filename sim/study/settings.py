"""How many runs are done: engine, workers, kept tapes, progress; and the checks of what a caller hands in.

Left out: what is done with it (batches.py, workers.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sim.documents.declared import is_whole
from sim.documents.messages import show
from sim.errors import PlanError, SimulationError
from sim.plan import TimePlan
from sim.progress import Progress
from sim.study.one_run import engine_named
from sim.study.options import MOST_RUNS, WORKERS
from sim.tape import Tapes
from sim.tape_numbers import TapeNumbers, check_seed


class KeptTapes(NamedTuple):
    """Tapes kept for more comparisons on the same markets, as when somebody moves a slider: about 240 kB each."""

    numbers: TapeNumbers
    batches: tuple[Tapes, ...]

    @property
    def replications(self) -> int:
        """How many markets there are."""
        return sum(len(batch.replications) for batch in self.batches)

    def fit(self, numbers: TapeNumbers) -> bool:
        """Whether these are tapes of the same territory and seed."""
        return all(np.array_equal(one, other) for one, other in zip(self.numbers, numbers, strict=True))


class RunSettings(NamedTuple):
    """What decides how long runs take, and never what comes out."""

    engine: str = "compiled"
    workers: int | None = None
    scheduler: str | None = None
    tapes: KeptTapes | None = None
    progress: Progress | None = None


def check_settings(settings: RunSettings, seed: int) -> None:
    """Raise SimulationError unless runs can be done with these settings and this seed."""
    if settings.workers is not None:
        check_count("workers", settings.workers, WORKERS.least)
    check_seed("seed", seed)
    engine_named(settings.engine)
    scheduler = settings.scheduler
    if scheduler is not None and not isinstance(scheduler, str):
        raise SimulationError(f"scheduler is {show(scheduler)}; allowed: an address such as tcp://127.0.0.1:8786")


def check_count(name: str, value: object, least: int) -> None:
    """Raise SimulationError unless `value` is a whole number from `least` to ten million."""
    if not is_whole(value, least, MOST_RUNS):
        raise SimulationError(f"{name} is {show(value)}; allowed: a whole number from {least} to {MOST_RUNS:,}")


def check_plans(caller: str, plans: object) -> None:
    """Raise PlanError unless these are plans by name, one or more."""
    if not isinstance(plans, Mapping):
        raise PlanError(f"{caller}: plans is {show(plans)}; allowed: plans by name, as in {{'a': plan_a, 'b': plan_b}}")
    for name, plan in plans.items():
        check_plan(f"plan {name!r}", plan)
    if not plans:
        raise PlanError(f"{caller}: there is no plan; give at least one")


def check_plan(name: str, value: object) -> None:
    """Raise PlanError unless `value` is a plan."""
    if not isinstance(value, TimePlan):
        raise PlanError(f"{name} is {show(value)}; allowed: a TimePlan, as TimePlan.constant(scenario, 0.2) makes one")
