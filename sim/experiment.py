"""Running a model: once, many times, and two plans against each other. The only place that runs engines in bulk.

Every plan of a comparison meets the same markets; with `worlds`, also the same drawn assumptions. A replication depends
on its number and on nothing else, so results are the same for any number of workers, here or on a cluster.

Work is divided into batches of replications. Of each batch only the indicators are kept, so memory does not grow with
ledgers or tapes. To stop early, let `progress` raise: the exception comes through and nothing more is begun.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim import estimates, kpis
from sim.coefficients import Coefficients, with_tables
from sim.documents import is_whole, show
from sim.errors import PlanError, SimulationError
from sim.estimates import Estimate
from sim.ledger import Ledger
from sim.market import DrawnFor, Market, check_seed, draw_market, draw_tapes, tape_numbers, weekly_demand
from sim.plan import PlanTable, TimePlan
from sim.scenario import Scenario
from sim.tally import empty_sums

if TYPE_CHECKING:
    from sim.tape import TapeNumbers, Tapes

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]
"""Called with (runs done, runs in all); may raise to stop."""
Engine = Callable[[Coefficients, Market], NDArray[Any]]
_Job = tuple[Callable[..., FloatArray], tuple[Any, ...]]
"""A batch: a function and its arguments."""
BATCH_RUNS = {"compiled": 25, "simpy": 10}
"""Runs that a worker takes at a time: few enough for progress, enough to pay for the trip."""
OPPORTUNITIES_AT_A_TIME = 100_000
"""A batch of large markets is smaller: it holds all their tapes at once."""
REPLICATIONS_PER_WORLD = 20
KPI_NAMES = [kpi.name for kpi in kpis.KPIS]


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
    """by quarter"""
    quarters_at_quota: Estimate
    """share of quarters"""
    partner_share_of_credit: float
    difference_usd: Estimate
    """paired, against the baseline plan"""
    difference_share: Estimate
    """the same as a share of the baseline plan's mean credit"""
    difference_by_quarter_usd: tuple[Estimate, ...]
    markets_ahead: Estimate
    """share of markets with more credit than the baseline plan over the horizon"""
    markets_ahead_by_quarter: tuple[Estimate, ...]
    """the same for the credit cumulated to each quarter"""
    payback_quarter: int | None
    worlds_ahead: Estimate | None
    """share of plausible worlds in which the plan is better on average"""
    replications_for_one_percent: int
    """replications after which the interval of the difference is +- 1% of the baseline plan's credit"""
    verdict: Literal["baseline", "ahead", "behind", "no clear difference"]


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
            "nexthour": version("nexthour"),
            "scenario": self.scenario.name,
            "scenario_digest": self.scenario.digest(),
            "seed": self.seed,
            "replications": self.replications,
            "worlds": self.worlds,
            "baseline": self.baseline,
            "plans": {name: _plain(result) for name, result in self.results.items()},
        }


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


def keep_tapes(scenario: Scenario, replications: int, seed: int = 7) -> KeptTapes:
    """Draw the tapes of some replications once, for `compare(..., tapes=...)`. Plans do not matter to a tape."""
    _check_count("replications", replications, 1)
    numbers = tape_numbers(scenario, seed)
    batches = _batches(replications, BATCH_RUNS["compiled"])
    return KeptTapes(numbers, tuple(draw_tapes(numbers, batch, whole=True) for batch in batches))


def simulate(scenario: Scenario, plan: TimePlan, market: Market, engine: str = "simpy") -> Ledger:
    """Run one plan in one market: a pure function, replayable from its arguments.

    Raises PlanError if the plan does not fit, SimulationError if the market is another scenario's or the model fails.
    """
    if not isinstance(market, Market):
        raise SimulationError(f"market is {show(market)}; allowed: what draw_market(scenario, seed) gives")
    _check_plan("plan", plan)
    if market.drawn_for != DrawnFor.of(scenario):
        raise SimulationError(
            f"scenario {scenario.name!r}: the market was drawn for another territory or horizon; "
            "draw it again with draw_market(scenario, seed)"
        )
    problem = market.problem(scenario)
    if problem:
        raise SimulationError(f"{_where(scenario, plan, market.seed, market.replication)}: {problem}")
    return _run(scenario, plan, plan.table(scenario), _history(scenario), market, engine)


def replicate(
    scenario: Scenario,
    plan: TimePlan,
    replications: int = 1000,
    seed: int = 7,
    worlds: int = 0,
    *,
    engine: str = "compiled",
    workers: int | None = None,
    scheduler: str | None = None,
    tapes: KeptTapes | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Run a plan in `replications` markets; with `worlds`, in as many under each of that many drawn assumption sets.

    `workers` is at most how many processors are used, all of them if None; with `scheduler`, the address of a Dask
    scheduler (tcp://host:8786), its workers do the work.
    `tapes` are markets kept by `keep_tapes`, for the compiled engine and without worlds.
    """
    _check_plan("plan", plan)
    how = _How(engine, workers, scheduler, tapes, progress)
    return _outcomes(scenario, {plan.name: plan}, replications, seed, worlds, how)[plan.name]


def compare(
    scenario: Scenario,
    plans: Mapping[str, TimePlan],
    replications: int = 1000,
    seed: int = 7,
    baseline: str | None = None,
    worlds: int = 0,
    *,
    engine: str = "compiled",
    workers: int | None = None,
    scheduler: str | None = None,
    tapes: KeptTapes | None = None,
    progress: Progress | None = None,
    replications_per_world: int = REPLICATIONS_PER_WORLD,
) -> Comparison:
    """Run plans on the same markets and say which is better, by how much and how surely.

    Differences are paired, against the plan named `baseline` (the first if not named). With `worlds`, each plan also
    runs in that many worlds of drawn assumptions, `replications_per_world` markets in each. The rest as in `replicate`.
    """
    if not isinstance(plans, Mapping):
        raise PlanError(f"compare: plans is {show(plans)}; allowed: plans by name, as in {{'a': plan_a, 'b': plan_b}}")
    for name, plan in plans.items():
        _check_plan(f"plan {name!r}", plan)
    for what, value, least in (
        ("replications", replications, 1),
        ("worlds", worlds, 0),
        ("replications_per_world", replications_per_world, 1),
    ):
        _check_count(what, value, least)
    if not plans:
        raise PlanError("compare: there is no plan; give at least one")
    baseline = next(iter(plans)) if baseline is None else baseline
    if baseline not in plans:
        raise PlanError(f"compare: baseline {baseline!r} is not among the plans; allowed: {', '.join(plans)}")
    total = len(plans) * (replications + worlds * replications_per_world)
    first = progress and (lambda done, _: progress(done, total))
    then = progress and (lambda done, _: progress(len(plans) * replications + done, total))
    how = _How(engine, workers, scheduler, tapes, first)
    outcomes = _outcomes(scenario, plans, replications, seed, 0, how)
    in_worlds = None
    if worlds:
        how = how._replace(tapes=None, progress=then)
        in_worlds = _outcomes(scenario, plans, replications_per_world, seed, worlds, how)
    results = {
        name: _result(outcomes[name], outcomes[baseline], (in_worlds[name], in_worlds[baseline]) if in_worlds else None)
        for name in plans
    }
    return Comparison(scenario, seed, replications, worlds, baseline, results, outcomes)


def _result(its: Outcomes, base: Outcomes, in_worlds: tuple[Outcomes, Outcomes] | None) -> PlanResult:
    is_baseline = its is base
    credit, total = its.credit_usd, its.credit_usd.sum(axis=1)
    difference = credit - base.credit_usd
    cumulated = np.cumsum(difference, axis=1)
    paired = estimates.mean(cumulated[:, -1])
    base_mean = float(base.credit_usd.sum(axis=1).mean())
    runs, quarters = credit.shape
    quota = np.array(its.scenario.quota_usd())
    ahead = [estimates.share(int((cumulated[:, q] > 0).sum()), runs) for q in range(quarters)]
    worlds_ahead = None
    if in_worlds is not None and not is_baseline:
        better = (in_worlds[0].by_world() - in_worlds[1].by_world()).mean(axis=1) > 0
        worlds_ahead = estimates.share(int(better.sum()), len(better))
    verdict: Literal["baseline", "ahead", "behind", "no clear difference"] = "no clear difference"
    if is_baseline:
        verdict = "baseline"
    elif paired.clear and runs > 1:
        verdict = "ahead" if paired.low > 0 else "behind"
    return PlanResult(
        plan=its.plan,
        credit_usd=estimates.mean(total),
        credit_p10_usd=float(np.percentile(total, 10)),
        credit_p90_usd=float(np.percentile(total, 90)),
        attainment=estimates.mean(total / quota.sum()),
        attainment_by_quarter=tuple(estimates.mean(its.attainment[:, q]) for q in range(quarters)),
        chance_of_quota=tuple(estimates.share(int((its.attainment[:, q] >= 1).sum()), runs) for q in range(quarters)),
        quarters_at_quota=estimates.mean((its.attainment >= 1).mean(axis=1)),
        partner_share_of_credit=_ratio(float(its["partner_credit_usd"].sum()), float(credit.sum())),
        difference_usd=paired,
        difference_share=paired.scaled(_ratio(1.0, base_mean)),
        difference_by_quarter_usd=tuple(estimates.mean(difference[:, q]) for q in range(quarters)),
        markets_ahead=ahead[-1],
        markets_ahead_by_quarter=tuple(ahead),
        payback_quarter=None if is_baseline else estimates.payback_quarter(difference.mean(axis=0)),
        worlds_ahead=worlds_ahead,
        replications_for_one_percent=(
            estimates.replications_needed(cumulated[:, -1], base_mean / 100) if runs > 1 and base_mean > 0 else runs
        ),
        verdict=verdict,
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _plain(value: Any) -> Any:
    if isinstance(value, TimePlan):
        return value.model_dump(mode="json")
    if isinstance(value, (Estimate, PlanResult)):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _history(scenario: Scenario) -> PlanTable:
    return TimePlan.status_quo(scenario).table(scenario)


def _where(scenario: Scenario, plan: TimePlan, seed: int, replication: int) -> str:
    return f"scenario {scenario.name!r}, plan {plan.name!r}, seed {seed}, replication {replication}"


def _failed(where: str, problem: Exception) -> SimulationError:
    return SimulationError(f"{where}: the model failed ({type(problem).__name__}: {problem}); please report this line")


MODEL_FAILURES = (ArithmeticError, ValueError, LookupError, AttributeError, TypeError, AssertionError)


def engine_named(name: str) -> Engine:
    """The function that runs one plan in one market."""
    if name == "simpy":
        from sim import territory

        return territory.run
    if name == "compiled":
        from sim import bulk

        return bulk.run
    raise SimulationError(f"engine is {name!r}; allowed: simpy, compiled")


def _run(
    scenario: Scenario, plan: TimePlan, table: PlanTable, history: PlanTable, market: Market, engine: str
) -> Ledger:
    run = engine_named(engine)
    try:
        records = run(with_tables(scenario, table, history), market)
    except MODEL_FAILURES as problem:
        raise _failed(_where(scenario, plan, market.seed, market.replication), problem) from problem
    return Ledger(scenario, plan.name, market.seed, market.replication, records)


class _How(NamedTuple):
    """What decides how long it takes, and never what comes out."""

    engine: str
    workers: int | None
    scheduler: str | None
    tapes: KeptTapes | None
    progress: Progress | None


class _Work(NamedTuple):
    """What every batch of a comparison needs."""

    scenario: Scenario
    plans: Mapping[str, TimePlan]
    tables: Mapping[str, PlanTable]
    history: PlanTable
    seed: int


def _outcomes(
    scenario: Scenario, plans: Mapping[str, TimePlan], replications: int, seed: int, worlds: int, how: _How
) -> dict[str, Outcomes]:
    """Outcomes of every plan on the same markets."""
    _check_count("replications", replications, 1)
    _check_count("worlds", worlds, 0)
    if how.workers is not None:
        _check_count("workers", how.workers, 1)
    check_seed("seed", seed)
    engine_named(how.engine)
    if how.scheduler is not None and not isinstance(how.scheduler, str):
        raise SimulationError(f"scheduler is {show(how.scheduler)}; allowed: an address such as tcp://127.0.0.1:8786")
    if how.tapes is not None and (not isinstance(how.tapes, KeptTapes) or worlds or how.engine != "compiled"):
        raise SimulationError(
            f"tapes is {show(how.tapes)}; allowed: what keep_tapes gives, for the compiled engine and without worlds"
        )
    work = _Work(
        scenario, plans, {name: plan.table(scenario) for name, plan in plans.items()}, _history(scenario), seed
    )
    done, parts = 0, []
    with closing(_results(list(_jobs(work, replications, worlds, how)), how)) as results:
        for part in results:
            parts.append(part)
            done += part.shape[0] * part.shape[1]
            if how.progress is not None:
                how.progress(done, len(plans) * replications * max(1, worlds))
    values = np.concatenate(parts, axis=1)
    return {
        name: Outcomes(scenario, plan, seed, replications, worlds, values[i])
        for i, (name, plan) in enumerate(plans.items())
    }


def _results(jobs: Sequence[_Job], how: _How) -> Generator[FloatArray, None, None]:
    """What the jobs give, in their order. Closing it cancels what has not begun."""
    from joblib import Parallel, cpu_count, delayed

    workers = min(len(jobs), how.workers or cpu_count())
    if how.engine == "compiled" and how.scheduler is None:
        # Compiled runs let go of Python's lock, so threads are enough; and a pool of them starts at once.
        pool = ThreadPoolExecutor(workers)
        try:
            yield from pool.map(lambda job: job[0](*job[1]), jobs)
        finally:
            pool.shutdown(cancel_futures=True)
        return
    with _workers_at(how.scheduler):
        parallel = Parallel(n_jobs=-1 if how.scheduler else workers, return_as="generator")
        yield from parallel(delayed(batch)(*its) for batch, its in jobs)


@contextmanager
def _workers_at(scheduler: str | None) -> Iterator[None]:
    """Hand work to the workers of a Dask scheduler, if an address is given."""
    if scheduler is None:
        yield
        return
    try:
        from distributed import Client, Security, rpc
    except ImportError as missing:
        raise SimulationError(
            f"scheduler is {scheduler!r}, but Dask is not installed; install nexthour[cluster] here and on the workers"
        ) from missing
    import asyncio

    from joblib import parallel_config

    async def ask() -> None:
        async with asyncio.timeout(5), rpc(scheduler, connection_args=Security().get_connection_args("client")) as its:
            await its.identity()

    # A client that finds no scheduler leaves a thread behind and complains later, so somebody asks first.
    # In a thread, because the caller may be inside an event loop, as in a notebook.
    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, ask()).result()
        client = Client(scheduler, timeout=10, set_as_default=False)
    except Exception as problem:
        raise SimulationError(
            f"no Dask scheduler answers at {scheduler!r}; allowed: an address such as tcp://127.0.0.1:8786"
        ) from problem
    with client, parallel_config(backend="dask", client=client):
        yield


def _batches(replications: int, size: int) -> list[range]:
    return [range(start, min(start + size, replications)) for start in range(0, replications, size)]


def _jobs(work: _Work, replications: int, worlds: int, how: _How) -> Iterator[_Job]:
    """The batches: a function and its arguments, in the order of the runs."""
    expected = sum(weekly_demand(work.scenario, segment).sum() for segment in work.scenario.market_map)
    size = min(BATCH_RUNS[how.engine] // len(work.plans), int(OPPORTUNITIES_AT_A_TIME // (expected + 1)))
    batches = _batches(replications, max(1, size))
    if how.engine == "simpy":
        for world in range(worlds) if worlds else [None]:
            for batch in batches:
                yield _reference_batch, (work, world, batch)
    elif worlds:
        for world in range(worlds):
            for batch in batches:
                yield _world_batch, (work, world, batch)
    else:
        prepared = _prepare(work, work.scenario)
        if how.tapes is None:
            for batch in batches:
                yield _compiled_batch, (work, prepared, batch)
            return
        if not how.tapes.fit(prepared.tape) or how.tapes.replications != replications:
            raise SimulationError(
                f"scenario {work.scenario.name!r}: the kept tapes are of another territory, seed or number of "
                "replications; keep them again with keep_tapes(scenario, replications, seed)"
            )
        for tapes in how.tapes.batches:
            yield _compiled_batch, (work, prepared, tapes)


def _reference_batch(work: _Work, world: int | None, replications: range) -> FloatArray:
    """Indicators of some replications, by the SimPy engine: shape (plans, replications, KPIS, quarters)."""
    here = work.scenario if world is None else work.scenario.world(work.seed, world)
    runs = []
    for replication in replications:
        market = draw_market(here, work.seed, replication)
        ledgers = [
            _run(here, plan, work.tables[name], work.history, market, "simpy") for name, plan in work.plans.items()
        ]
        runs.append([kpis.summarise(kpis.Tally.of(ledger)) for ledger in ledgers])
    return np.swapaxes(np.array(runs), 0, 1)


class _Prepared(NamedTuple):
    """The arrays that all compiled runs in one world share."""

    scenario: Scenario
    tape: TapeNumbers
    numbers: Any
    plans: Any


def _prepare(work: _Work, here: Scenario) -> _Prepared:
    from sim import bulk

    try:
        coefficients = [with_tables(here, work.tables[name], work.history) for name in work.plans]
        numbers = bulk.numbers(coefficients[0])
        return _Prepared(here, tape_numbers(here, work.seed), numbers, bulk.plans(coefficients))
    except MODEL_FAILURES as problem:
        plans = ", ".join(repr(plan.name) for plan in work.plans.values())
        raise _failed(f"scenario {here.name!r}, plans {plans}, seed {work.seed}", problem) from problem


def _world_batch(work: _Work, world: int, replications: range) -> FloatArray:
    return _compiled_batch(work, _prepare(work, work.scenario.world(work.seed, world)), replications)


def _compiled_batch(work: _Work, prepared: _Prepared, replications: range | Tapes) -> FloatArray:
    """Indicators of some replications, or of kept tapes: shape (plans, replications, KPIS, quarters)."""
    from sim import bulk

    tapes = draw_tapes(prepared.tape, replications) if isinstance(replications, range) else replications
    here = prepared.scenario
    runs = (len(work.plans), len(tapes.replications))
    sums = empty_sums(1 + here.horizon_quarters, len(here.all_partners), *runs)
    try:
        bulk.add_up(prepared.tape, tapes, prepared.numbers, prepared.plans, sums)
    except bulk.RunTrouble as problem:
        plan = list(work.plans.values())[problem.plan]
        raise _failed(_where(here, plan, work.seed, problem.replication), problem) from problem
    return kpis.summarise(kpis.Tally(here, sums))


def _check_count(name: str, value: object, least: int) -> None:
    if not is_whole(value, least, 10**7):
        raise SimulationError(f"{name} is {show(value)}; allowed: a whole number from {least} to {10**7:,}")


def _check_plan(name: str, value: object) -> None:
    if not isinstance(value, TimePlan):
        raise PlanError(f"{name} is {show(value)}; allowed: a TimePlan, as TimePlan.constant(scenario, 0.2) makes one")
