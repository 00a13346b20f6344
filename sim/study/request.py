"""What a comparison is asked for, as one value, with the names, defaults and bounds that Python and the app use too.

    request = ComparisonRequest.of(plans=["20% with Believers"], replications=500)
    compare(scenario, request.chosen_plans(scenario, "here"), request.markets(scenario), request.seed)

Left out: the comparison itself (experiment.py); meaning, default and bounds of each field (options.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field

from sim.documents.declared import Items, Request, declare, validate
from sim.documents.messages import guess, show
from sim.errors import PlanError
from sim.plan import TimePlan
from sim.scenario import Scenario
from sim.study.one_run import usual_replications
from sim.study.options import BASELINE, PLANS, REPLICATIONS, SEED, WORLDS, ComparisonOption
from sim.study.settings import check_count
from sim.tape_numbers import check_seed

NameOrFile = Annotated[str, Field(max_length=4000)]
COUNTS: Mapping[str, ComparisonOption] = {
    "replications": REPLICATIONS,
    "worlds": WORLDS,
}


def _declared(option: ComparisonOption) -> Any:
    bounds: dict[str, Any] = {"ge": option.least, "le": option.most} if isinstance(option.default, int) else {}
    return declare(option.meaning, unit=option.unit, default=option.default, **bounds)


class ComparisonRequest(Request):
    """Everything that a comparison is asked for; the default is all plans of a scenario against today's split."""

    plans: Items[NameOrFile] | None = _declared(PLANS)
    baseline: NameOrFile | None = _declared(BASELINE)
    replications: int = _declared(REPLICATIONS)
    seed: int = _declared(SEED)
    worlds: int = _declared(WORLDS)

    @classmethod
    def of(cls, **given: Any) -> Self:
        """A request from plain values; None is as usual.

        Raises SimulationError for a number that is out of bounds, PlanError for names that are none.
        """
        given = {name: value for name, value in given.items() if value is not None}
        for name in COUNTS.keys() & given.keys():
            check_count(name, given[name], COUNTS[name].least)
        check_seed("seed", given.get("seed", SEED.default))
        return validate(cls, given, "compare", PlanError)

    def markets(self, scenario: Scenario) -> int:
        """The number of markets: as asked for, else as usual, which is fewer where each takes long."""
        return self.replications if "replications" in self.model_fields_set else usual_replications(scenario)

    def with_markets(self, replications: int) -> Self:
        """A copy of the request for another number of markets."""
        return self.model_copy(update={"replications": replications})

    def options(self, *always: str) -> list[str]:
        """The options of the terminal that ask for the same: of fields that are not as usual, and `always` these."""
        options: list[str] = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name in always or value != field.default:
                for text in value if isinstance(value, tuple) else (value,):
                    options += [f"--{'plan' if name == 'plans' else name}", str(text)]
        return options

    def chosen_plans(self, scenario: Scenario, where: str) -> dict[str, TimePlan]:
        """The plans by name, the baseline first; `where` is what to call the scenario if one is not in it.

        Raises PlanError for a plan that is not there, and if two share a name.
        """
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
