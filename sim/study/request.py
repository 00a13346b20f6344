"""What a comparison is asked for, as one value: the same from Python, the terminal, the app and a job; and how its runs
are done, which changes nothing that comes out.

    request = ComparisonRequest.of(plans=["20% with Believers"], replications=500)
    run_comparison(scenario, request)

Left out: the comparison itself (experiment.py); meaning, default and bounds of each field (options.py).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import Discriminator, Field, Tag, model_validator
from pydantic import ValidationError as PydanticError

from sim.documents.declared import FrozenMap, Items, Request, is_whole, validate
from sim.documents.messages import guess, sentence, show
from sim.errors import PlanError, SimulationError
from sim.plan import TimePlan
from sim.progress import Progress
from sim.scenario import Scenario
from sim.study.one_run import engine_named, usual_replications
from sim.study.options import BASELINE, MOST_RUNS, PLANS, REPLICATIONS, REPLICATIONS_PER_WORLD, SEED, WORKERS, WORLDS
from sim.tape import TapeNumbers, Tapes, check_seed

COUNTS = {"replications": REPLICATIONS, "worlds": WORLDS, "replications_per_world": REPLICATIONS_PER_WORLD}
COMPARISON_OPTIONS = {"plans": PLANS, "baseline": BASELINE, **COUNTS, "seed": SEED}
NameOrFile = Annotated[str, Field(max_length=4000)]
PlansToCompare = Annotated[
    Annotated[FrozenMap[TimePlan], Tag("~named")] | Annotated[Items[NameOrFile], Tag("~listed")],
    Discriminator(lambda value: "~named" if isinstance(value, Mapping) else "~listed"),
]


def in_sentences(cls: Any, data: Any, make: Callable[[Any], Any]) -> Any:
    """A validator around a request: what is wrong is a PlanError, a sentence for each thing, however it is made."""
    try:
        return make(data)
    except PydanticError as problems:
        found = (sentence(cls, problem, data, "") for problem in problems.errors(include_url=False))
        raise PlanError(*(text.removeprefix(": ") for text in found)) from None


class ComparisonRequest(Request):
    """Everything that a comparison is asked for; the default is all plans of a scenario against today's split.

    `plans` are names and files, or plans by name; the baseline is the first of these if it is not named.
    """

    plans: PlansToCompare | None = PLANS.declare()
    baseline: NameOrFile | None = BASELINE.declare()
    replications: int = REPLICATIONS.declare()
    seed: int = SEED.declare()
    worlds: int = WORLDS.declare()
    replications_per_world: int = REPLICATIONS_PER_WORLD.declare()

    @model_validator(mode="wrap")
    @classmethod
    def _check_numbers(cls, data: Any, make: Callable[[Any], Any]) -> Any:
        if isinstance(data, Mapping):
            for name, option in COUNTS.items():
                check_count(name, data.get(name, option.default), option.least)
            check_seed("seed", data.get("seed", SEED.default))
        return in_sentences(cls, data, make)

    @property
    def plans_by_name(self) -> Mapping[str, TimePlan]:
        """The plans of a request that has them by name."""
        assert isinstance(self.plans, Mapping)
        return self.plans

    @classmethod
    def of(cls, **given: Any) -> Self:
        """A request from plain values; None is as usual.

        Raises SimulationError for a number that is out of bounds, PlanError for names that are none.
        """
        return validate(cls, {name: value for name, value in given.items() if value is not None}, "compare", PlanError)

    def resolve(self, scenario: Scenario, where: str, engine: str = "compiled") -> Self:
        """A request for the same, with plans by name, the baseline's name, and the number of markets as usual here.

        `where` is what to call the scenario if a plan is not in it. Raises PlanError for a plan that is not there, and
        if two share a name.
        """
        plans = self._named_plans(scenario, where)
        baseline = self.baseline
        if not isinstance(self.plans, Mapping) or baseline is None:
            baseline = next(iter(plans))
        if baseline not in plans:
            raise PlanError(f"{where}: baseline {baseline!r} is not among the plans; allowed: {', '.join(plans)}")
        asked = "replications" in self.model_fields_set
        markets = self.replications if asked else usual_replications(scenario, engine)
        return self.model_copy(update={"plans": plans, "baseline": baseline, "replications": markets})

    def options(self, *always: str) -> list[str]:
        """The options of the terminal that ask for the same: of fields that are not as usual, and `always` these."""
        options: list[str] = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name in always or value != field.default:
                for text in value if isinstance(value, tuple) else (value,):
                    options += [COMPARISON_OPTIONS[name].flag(name), str(text)]
        return options

    def _named_plans(self, scenario: Scenario, where: str) -> dict[str, TimePlan]:
        """The plans by name: as they were given, else the baseline first."""
        if isinstance(self.plans, Mapping):
            return dict(self.plans)
        today = scenario.status_quo.name
        first = today if self.baseline is None else self.baseline
        others = [today, *(split.name for split in scenario.plans)] if self.plans is None else self.plans
        plans: dict[str, TimePlan] = {}
        for word in dict.fromkeys((first, *others)):
            plan = find_plan(scenario, where, word)
            if plan.name in plans:
                raise PlanError(f"{word}: another plan is named {plan.name!r} too; change one of the names")
            plans[plan.name] = plan
        return plans


def find_plan(scenario: Scenario, where: str, name_or_file: str) -> TimePlan:
    """The plan of that name in the scenario, which is called `where`, else the plan in that file. Raises PlanError."""
    named = {split.name: split for split in (scenario.status_quo, *scenario.plans)}
    if name_or_file in named:
        return TimePlan.from_split(scenario, named[name_or_file])
    if Path(name_or_file).suffix in (".yaml", ".yml") or Path(name_or_file).is_file():
        plan = TimePlan.load(name_or_file)
        plan.table(scenario)
        return plan
    meant = guess(name_or_file, list(named))
    raise PlanError(f"{where}: no plan {show(name_or_file)}; {meant} (or give a plan file, .yaml)")


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
