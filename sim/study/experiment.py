"""Running a model: once, many times, and two plans against each other.

Every plan of a comparison meets the same markets; with `worlds`, also the same drawn assumptions. How the work is
divided is told in batches.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sim import kpis
from sim.arrays import FloatArray
from sim.documents.messages import show
from sim.errors import SimulationError
from sim.ledger import Ledger
from sim.market import DrawnFor, Market, draw_tapes
from sim.native.compiler import NoMachineCode
from sim.plan import TimePlan
from sim.progress import Progress, part_of
from sim.scenario import Scenario
from sim.study import estimates
from sim.study.batches import BATCH_RUNS, batches, outcome_values, world_credit
from sim.study.estimates import Estimate, Verdict, plain_data
from sim.study.one_run import history_of, missing_compiler, run_name, run_plan, usual_replications
from sim.study.options import BASELINE, REPLICATIONS, REPLICATIONS_PER_WORLD, SEED, WORLDS
from sim.study.request import ComparisonRequest, KeptTapes, RunSettings, check_count, check_plan, check_plans
from sim.tape import tape_numbers

KPI_NAMES = [kpi.name for kpi in kpis.KPIS]
USUAL = RunSettings()


@dataclass(frozen=True, eq=False)
class Outcomes:
    """All indicators of many runs of one plan: `outcomes["skill"]` has shape (runs, quarters).

    With worlds, runs are world by world: run = world * replications + replication.
    """

    scenario: Scenario
    plan: TimePlan
    seed: int
    replications: int
    worlds: int
    values: FloatArray
    """shape (runs, KPIS, quarters)"""

    def __getitem__(self, kpi: str) -> FloatArray:
        if kpi not in KPI_NAMES:
            raise KeyError(f"unknown indicator {kpi!r}; allowed: {', '.join(KPI_NAMES)}")
        return self.values[:, KPI_NAMES.index(kpi)]

    @property
    def credit_usd(self) -> FloatArray:
        """Quota credit in US dollars, shape (runs, quarters)."""
        return self["credit_usd"]

    @property
    def attainment(self) -> FloatArray:
        """Quota credit / quota, shape (runs, quarters)."""
        return self["attainment"]

    def by_world(self) -> FloatArray:
        """Total quota credit by world and replication: shape (worlds, replications); one world without worlds."""
        return self.credit_usd.sum(axis=1).reshape(max(1, self.worlds), self.replications)


@dataclass(frozen=True)
class PlanResult:
    """One plan of a comparison. Money is quota credit in US dollars over the horizon unless it says otherwise."""

    plan: TimePlan
    credit_usd: Estimate
    credit_p10_usd: float
    credit_p90_usd: float
    attainment: Estimate
    attainment_by_quarter: tuple[Estimate, ...]
    chance_of_quota: tuple[Estimate, ...]
    """share of markets that made quota, by quarter"""
    quarters_at_quota: Estimate
    """share of quarters"""
    partner_share_of_credit: float
    difference_usd: Estimate
    """paired, against the baseline plan"""
    difference_share: Estimate
    """difference as a share of the baseline plan's mean credit"""
    difference_by_quarter_usd: tuple[Estimate, ...]
    difference_to_quarter_usd: tuple[Estimate, ...]
    """difference cumulated to each quarter: the dip, and how it is paid back"""
    markets_ahead: Estimate
    """share of markets with more credit than the baseline plan over the horizon"""
    markets_ahead_by_quarter: tuple[Estimate, ...]
    """difference of the credit cumulated to each quarter"""
    payback_quarter: int | None
    worlds_ahead: Estimate | None
    """share of plausible worlds in which the plan is better on average"""
    replications_for_one_percent: int
    """replications after which the interval of the difference is +- 1% of the baseline plan's credit"""
    verdict: Verdict | Literal["baseline"]


@dataclass(frozen=True)
class Comparison:
    """Several plans on the same markets."""

    scenario: Scenario
    seed: int
    replications: int
    worlds: int
    baseline: str
    results: Mapping[str, PlanResult]
    outcomes: Mapping[str, Outcomes]

    def __getitem__(self, plan: str) -> PlanResult:
        return self.results[plan]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: every figure with its interval."""
        return {
            **self.scenario.provenance(self.seed),
            "replications": self.replications,
            "worlds": self.worlds,
            "baseline": self.baseline,
            "plans": plain_data(self.results),
        }


def keep_tapes(scenario: Scenario, replications: int | Sequence[int], seed: int = SEED.default) -> KeptTapes:
    """Draw the tapes of a number of replications, or of those of these numbers, once. Plans do not matter to a tape.

    For `compare(..., tapes=...)`, which wants the first replications of a seed.
    """
    if not isinstance(replications, Sequence):
        check_count("replications", replications, REPLICATIONS.least)
        replications = range(replications)
    numbers = tape_numbers(scenario, seed)
    parts = batches(replications, BATCH_RUNS["compiled"])
    return KeptTapes(numbers, tuple(draw_tapes(numbers, batch, whole=True) for batch in parts))


def simulate(scenario: Scenario, plan: TimePlan, market: Market, engine: str = "simpy") -> Ledger:
    """Run one plan in one market: a pure function, replayable from its arguments.

    Raises PlanError if the plan does not fit, SimulationError if the market is another scenario's or the model fails.
    """
    if not isinstance(market, Market):
        raise SimulationError(f"market is {show(market)}; allowed: what draw_market(scenario, seed) gives")
    check_plan("plan", plan)
    if market.drawn_for != DrawnFor.of(scenario):
        raise SimulationError(
            f"scenario {scenario.name!r}: the market was drawn for another territory or horizon; "
            "draw it again with draw_market(scenario, seed)"
        )
    if problem := market.problem(scenario):
        raise SimulationError(f"{run_name(scenario, plan, market.seed, market.replication)}: {problem}")
    if engine == "compiled" and (missing := missing_compiler(scenario)):
        raise NoMachineCode(missing)
    return run_plan(scenario, plan, plan.table(scenario), history_of(scenario), market, engine)


def replicate(
    scenario: Scenario,
    plan: TimePlan,
    replications: int | None = None,
    seed: int = SEED.default,
    worlds: int = WORLDS.default,
    *,
    engine: str = "compiled",
    workers: int | None = None,
    scheduler: str | None = None,
    tapes: KeptTapes | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Run a plan in `replications` markets; with `worlds`, in as many under each of that many drawn assumption sets.

    Where nobody says how many markets: in 1,000, or in 100 where the compiled engine cannot be had and runs are slow.
    `workers` is at most how many processors are used, all of them if None; with `scheduler`, the address of a Dask
    scheduler (tcp://host:8786), its workers do the work.
    `tapes` are markets kept by `keep_tapes`, for the compiled engine and without worlds.
    """
    check_plan("plan", plan)
    replications = usual_replications(scenario, engine) if replications is None else replications
    settings = RunSettings(engine, workers, scheduler, tapes, progress)
    return _outcomes(scenario, {plan.name: plan}, replications, seed, worlds, settings)[plan.name]


def compare(
    scenario: Scenario,
    plans: Mapping[str, TimePlan],
    replications: int | None = None,
    seed: int = SEED.default,
    baseline: str | None = BASELINE.default,
    worlds: int = WORLDS.default,
    *,
    engine: str = "compiled",
    workers: int | None = None,
    scheduler: str | None = None,
    tapes: KeptTapes | None = None,
    progress: Progress | None = None,
    replications_per_world: int = REPLICATIONS_PER_WORLD.default,
) -> Comparison:
    """Run plans on the same markets and say which is better, by how much and how surely.

    Differences are paired, against the plan named `baseline` (the first if not named). With `worlds`, each plan also
    runs in that many worlds of drawn assumptions, each with `replications_per_world` markets of its own. The rest as in
    `replicate`.
    """
    check_plans("compare", plans)
    request = ComparisonRequest.of(
        plans=plans, baseline=baseline, replications=replications, seed=seed, worlds=worlds,
        replications_per_world=replications_per_world,
    )  # fmt: skip
    return run_comparison(scenario, request, RunSettings(engine, workers, scheduler, tapes, progress))


def run_comparison(scenario: Scenario, request: ComparisonRequest, settings: RunSettings = USUAL) -> Comparison:
    """What `compare` gives, for a request."""
    request = request.resolve(scenario, "compare", settings.engine)
    plans = request.plans_by_name
    runs = len(plans) * request.replications
    total = runs + len(plans) * request.worlds * request.replications_per_world
    first = settings._replace(progress=part_of(settings.progress, 0, total))
    outcomes = _outcomes(scenario, plans, request.replications, request.seed, 0, first)
    in_worlds = None
    if request.worlds:
        then = settings._replace(tapes=None, progress=part_of(settings.progress, runs, total))
        credit = world_credit(scenario, plans, request.worlds, request.replications_per_world, request.seed, then)
        in_worlds = {name: credit[:, p] for p, name in enumerate(plans)}
    return compare_outcomes(outcomes, str(request.baseline), in_worlds)


def compare_outcomes(
    outcomes: Mapping[str, Outcomes], baseline: str, in_worlds: Mapping[str, FloatArray] | None = None
) -> Comparison:
    """Compare what was run already: plans of one scenario, or of several that meet the same markets.

    `in_worlds` is each one's quota credit in plausible worlds in US dollars: arrays of shape (worlds, markets). Raises
    SimulationError if the runs are not of the same markets.
    """
    base = outcomes[baseline]
    for name, outcome in outcomes.items():
        for what, one, other in (
            ("seed", outcome.seed, base.seed),
            ("number of replications", outcome.replications, base.replications),
            ("horizon", outcome.scenario.horizon_quarters, base.scenario.horizon_quarters),
        ):
            if one != other:
                raise SimulationError(
                    f"compare: {name} has another {what} ({one}) than {baseline} ({other}); run both with the same"
                )
    results = {
        name: _result(outcome, base, None if in_worlds is None else in_worlds[name] - in_worlds[baseline])
        for name, outcome in outcomes.items()
    }
    worlds = 0 if in_worlds is None else len(in_worlds[baseline])
    return Comparison(base.scenario, base.seed, base.replications, worlds, baseline, results, outcomes)


def _outcomes(
    scenario: Scenario, plans: Mapping[str, TimePlan], replications: int, seed: int, worlds: int, settings: RunSettings
) -> dict[str, Outcomes]:
    values = outcome_values(scenario, plans, replications, seed, worlds, settings)
    return {
        name: Outcomes(scenario, plan, seed, replications, worlds, values[i])
        for i, (name, plan) in enumerate(plans.items())
    }


def _result(outcomes: Outcomes, base: Outcomes, in_worlds: FloatArray | None) -> PlanResult:
    """The result of a plan; `in_worlds` are differences from the baseline plan, shape (worlds, replications)."""
    is_baseline, at_quota = outcomes is base, outcomes.attainment >= 1
    credit, total = outcomes.credit_usd, outcomes.credit_usd.sum(axis=1)
    difference = credit - base.credit_usd
    cumulated = np.cumsum(difference, axis=1)
    paired = estimates.mean(cumulated[:, -1])
    base_mean = float(base.credit_usd.sum(axis=1).mean())
    runs, quarters = credit.shape
    quota = np.array(outcomes.scenario.quota_usd())
    ahead = [estimates.share(int((cumulated[:, q] > 0).sum()), runs) for q in range(quarters)]
    worlds_ahead = None
    if in_worlds is not None and not is_baseline:
        worlds_ahead = estimates.share_of_worlds(in_worlds[:, None], lambda means: means[:, 0] > 0)
    return PlanResult(
        plan=outcomes.plan,
        credit_usd=estimates.mean(total),
        credit_p10_usd=float(np.percentile(total, 10)),
        credit_p90_usd=float(np.percentile(total, 90)),
        attainment=estimates.mean(total / quota.sum()),
        attainment_by_quarter=tuple(estimates.mean(outcomes.attainment[:, q]) for q in range(quarters)),
        chance_of_quota=tuple(estimates.share(int(at_quota[:, q].sum()), runs) for q in range(quarters)),
        quarters_at_quota=estimates.mean(at_quota.mean(axis=1)),
        partner_share_of_credit=_ratio(float(outcomes["partner_credit_usd"].sum()), float(credit.sum())),
        difference_usd=paired,
        difference_share=paired.scaled(_ratio(1.0, base_mean)),
        difference_by_quarter_usd=tuple(estimates.mean(difference[:, q]) for q in range(quarters)),
        difference_to_quarter_usd=tuple(estimates.mean(cumulated[:, q]) for q in range(quarters)),
        markets_ahead=ahead[-1],
        markets_ahead_by_quarter=tuple(ahead),
        payback_quarter=None if is_baseline else estimates.payback_quarter(difference.mean(axis=0)),
        worlds_ahead=worlds_ahead,
        replications_for_one_percent=(
            estimates.replications_needed(cumulated[:, -1], base_mean / 100) if runs > 1 and base_mean > 0 else runs
        ),
        verdict="baseline" if is_baseline else paired.verdict,
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
