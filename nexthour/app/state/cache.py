"""What was read and computed already, shared by all who look: bounded caches of Streamlit's.

Scenarios and plans are frozen, so a digest stands for each. A comparison is put together from runs of single plans: of
two plans that differ in a slider, today's split is run once. It is the same comparison as `nexthour compare` makes.

Left out: long work (nexthour/jobs/). The planner's packages are imported when first needed: the first page does not
wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from nexthour.app.state import later, library
from optimize.effort import Effort
from sim import Comparison, Outcomes, Scenario, ScenarioError, TimePlan, compare_outcomes, load_scenario, replicate
from sim.arrays import FloatArray
from sim.assumptions import Assumption, assumptions
from sim.progress import Progress
from sim.study.batches import table_bookings, world_credit
from sim.study.experiment import keep_tapes
from sim.study.one_run import usual_replications
from sim.study.options import REPLICATIONS, WORLDS_OF_SENSITIVITY
from sim.study.request import ComparisonRequest, KeptTapes, RunSettings
from sim.tape import tape_numbers

if TYPE_CHECKING:
    from optimize.coverage.gaps import GapAnalysis
    from optimize.coverage.rollup import Rollup
    from optimize.coverage.treatment import Treatment
    from optimize.replan.actuals import Actuals, Deviation

FIRST_MARKETS, MARKETS = 100, REPLICATIONS.default
"""Shown at once, and following."""
FEW_WORLDS = WORLDS_OF_SENSITIVITY.default
EFFORT = Effort.normal
LARGEST_TAPES = 50_000_000
"""Bytes of the tapes of one territory that are kept. The largest that a scenario allows would be 7 GB."""
REST_SECONDS = 0.15
"""A rest before the many markets: on two cores they would hold up the browser that draws the first, and who still
moves a slider does not need them."""
BY_DIGEST: dict[str | type[Any], Callable[[Any], Any]] = {
    Scenario: Scenario.digest,
    TimePlan: TimePlan.digest,
    "optimize.replan.actuals.Actuals": lambda actuals: actuals.model_dump_json(),
}


def usual_markets(scenario: Scenario) -> int:
    """The number of markets in which pages try a plan: fewer where each takes tenths of a second."""
    return min(MARKETS, usual_replications(scenario))


def stages(scenario: Scenario, request: ComparisonRequest, with_worlds: bool = True) -> Iterator[ComparisonRequest]:
    """The request in markets that can be shown at once, then in all, then in plausible worlds too.

    Only those that are done within a minute.
    """
    yield request.model_copy(update={"replications": FIRST_MARKETS})
    if usual_markets(scenario) < MARKETS:
        return
    later.rest(REST_SECONDS)
    yield request.model_copy(update={"replications": MARKETS})
    if with_worlds:
        yield request.model_copy(update={"replications": MARKETS, "worlds": FEW_WORLDS})


def scenario(scenario_id: str, files: Mapping[str, Path]) -> Scenario:
    """A scenario of the library. Raises InputError if its file cannot be used."""
    path = files.get(scenario_id)
    changed_ns = 0 if path is None else library.changed_ns(path)
    if path is None or not changed_ns:  # somebody deleted it
        raise ScenarioError(f"The scenario {scenario_id} is not there any more; choose another")
    return _scenario(path, changed_ns)


@st.cache_resource(max_entries=50, show_spinner="Reading the scenario ...")
def _scenario(path: Path, changed_ns: int) -> Scenario:
    return load_scenario(path)


@st.cache_resource(max_entries=50, show_spinner=False, hash_funcs=BY_DIGEST)
def known_assumptions(scenario: Scenario) -> tuple[Assumption, ...]:
    """What the scenario assumes; to find it takes as long as all controls of a page."""
    return assumptions(scenario)


def known_plans(scenario: Scenario) -> dict[str, TimePlan]:
    """The plans of the library that can be followed in a scenario, by name, the status quo first."""
    return _known_plans(scenario, _plans_now())


def unreadable_plans() -> list[str]:
    """What is wrong with saved plans that cannot be read, a sentence for each file."""
    return _unreadable_plans(_plans_now())


def _plans_now() -> tuple[tuple[Path, int], ...]:
    return tuple((path, library.changed_ns(path)) for path in library.plan_files().values())


@st.cache_resource(max_entries=2, show_spinner=False)
def _unreadable_plans(changed: tuple[tuple[Path, int], ...]) -> list[str]:
    return library.problems_of_plans()


@st.cache_resource(max_entries=50, show_spinner=False, hash_funcs=BY_DIGEST)
def _known_plans(scenario: Scenario, changed: tuple[tuple[Path, int], ...]) -> dict[str, TimePlan]:
    return library.plans_for(scenario)


def comparison(scenario: Scenario, request: ComparisonRequest) -> Comparison:
    """Plans against the first of them, each in the same markets; with worlds, in plausible ones too."""
    return comparison_across(request, dict.fromkeys(request.plans_by_name, scenario))


def comparison_across(request: ComparisonRequest, scenarios: Mapping[str, Scenario]) -> Comparison:
    """Plans, each in a scenario of its own, against the first. Raises SimulationError if horizons differ."""
    plans, markets, seed, worlds = request.plans_by_name, request.replications, request.seed, request.worlds
    runs = {name: outcomes(scenarios[name], plan, markets, seed) for name, plan in plans.items()}
    in_worlds = None
    if worlds:
        each = request.replications_per_world
        in_worlds = {name: _in_worlds(scenarios[name], plan, worlds, each, seed) for name, plan in plans.items()}
    return compare_outcomes(runs, next(iter(plans)), in_worlds)


def outcomes(scenario: Scenario, plan: TimePlan, markets: int, seed: int) -> Outcomes:
    """The outcomes of a plan in a number of markets; 2.7 MB for 1,000 of twelve quarters, 4.5 MB at most."""
    if markets <= FIRST_MARKETS:
        return _first_outcomes(scenario, plan, markets, seed)
    key = "outcomes", scenario.digest(), plan.digest(), markets, seed
    return later.result(key, lambda progress: replicate(scenario, plan, markets, seed, progress=progress), later.SOON)


@st.cache_resource(max_entries=40, show_spinner=False, hash_funcs=BY_DIGEST)
def _first_outcomes(scenario: Scenario, plan: TimePlan, markets: int, seed: int) -> Outcomes:
    return replicate(scenario, plan, markets, seed, tapes=_tapes(scenario, markets, seed))


def credit_by_seller(scenario: Scenario, plan: TimePlan, markets: int, seed: int) -> FloatArray:
    """Quota credit in US dollars over the horizon, the manager's own deals first: shape (markets, 1 + partners)."""
    if markets <= FIRST_MARKETS:
        return _credit_by_seller(scenario, plan, markets, seed)
    key = "sellers", scenario.digest(), plan.digest(), markets, seed
    return later.result(key, lambda progress: _credit_by_seller(scenario, plan, markets, seed), later.SOON)


def _credit_by_seller(scenario: Scenario, plan: TimePlan, markets: int, seed: int) -> FloatArray:
    bookings = table_bookings(scenario, [plan.table(scenario)], range(markets), seed)
    shares = np.array([scenario.credit_share(partner) for partner in scenario.all_partners])
    direct, partner = bookings.direct[0].sum(axis=1), bookings.partner[0].sum(axis=1) * shares
    return np.column_stack([direct, partner])


def _in_worlds(scenario: Scenario, plan: TimePlan, worlds: int, markets: int, seed: int) -> FloatArray:
    """Quota credit in US dollars, shape (worlds, markets)."""

    def make(progress: Progress) -> FloatArray:
        settings = RunSettings(progress=progress)
        return world_credit(scenario, {plan.name: plan}, worlds, markets, seed, settings)[:, 0]

    key = "worlds", scenario.digest(), plan.digest(), worlds, markets, seed
    return later.result(key, make, later.LAST)


def _tapes(scenario: Scenario, markets: int, seed: int) -> KeptTapes | None:
    """Tapes of the first markets are kept, some 26 MB; of 1,000 they would be 260 MB, and are drawn again."""
    numbers = tape_numbers(scenario, seed)
    return _tapes_if_small(tuple((part.shape, part.tobytes()) for part in numbers), scenario, markets, seed)


@st.cache_resource(max_entries=6, show_spinner=False)
def _tapes_if_small(
    numbers: tuple[tuple[tuple[int, ...], bytes], ...], _scenario: Scenario, markets: int, seed: int
) -> KeptTapes | None:
    """None where they are too large; the tape of one market tells."""
    (one,) = keep_tapes(_scenario, 1, seed).batches
    if markets * sum(part.nbytes for part in one) > LARGEST_TAPES:
        return None
    return keep_tapes(_scenario, markets, seed)


@st.cache_resource(max_entries=40, show_spinner=False, hash_funcs=BY_DIGEST)
def territory_map(scenario: Scenario, plan: TimePlan | None, seed: int) -> GapAnalysis:
    """Who sees what today, and with a plan if one is given."""
    from optimize.coverage import gaps

    return gaps.map_market(scenario, plan, seed, EFFORT)


@st.cache_resource(max_entries=40, show_spinner=False, hash_funcs=BY_DIGEST)
def partner_treatments(scenario: Scenario, plan: TimePlan, seed: int) -> tuple[Treatment, ...]:
    """Each partner's results and commitment today, and what a plan does with it."""
    from optimize.coverage import treatment

    return treatment.treatments(scenario, plan, seed, EFFORT)


@st.cache_resource(max_entries=40, show_spinner=False, hash_funcs=BY_DIGEST)
def plan_deviations(scenario: Scenario, plan: TimePlan, actuals: Actuals, seed: int) -> tuple[Deviation, ...]:
    """The figures that were not as planned."""
    from optimize.replan.actuals import find_deviations

    return find_deviations(scenario, plan, actuals, seed, EFFORT)


def rollup(scenarios: tuple[Scenario, ...], seed: int) -> Rollup:
    """Several territories as one market. Raises ScenarioError if they cannot be added up."""
    from optimize.coverage.rollup import roll_up

    key = "rollup", *(scenario.digest() for scenario in scenarios), seed
    return later.result(key, lambda progress: roll_up(scenarios, seed, progress, EFFORT), later.SOON)
