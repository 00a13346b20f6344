"""Many runs at once: how they are divided into batches, who does them, and what is kept of each.

Every plan of a piece of work meets the same markets, and so does every set of assumptions: a batch draws the tapes of
some replications once and runs all of them on these. Of a batch only the indicators are kept, so memory does not grow
with ledgers or tapes. A replication depends on its number and on nothing else: results are the same for any number of
workers, here or on a cluster.

To stop early, let `progress` raise: the exception comes through and nothing more is begun.

Left out: what the indicators say of a plan (experiment.py, robustness.py).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from sim import kpis
from sim.arrays import FloatArray
from sim.coefficients import Coefficients, of_the_scenario, plans_with_tables, with_tables
from sim.documents.yaml_file import is_whole, show
from sim.errors import PlanError, SimulationError
from sim.ledger import Ledger
from sim.market import Market, check_seed, draw_market, draw_tapes, redraw_partners, tape_numbers, weekly_demand
from sim.plan import PlanTable, TimePlan
from sim.scenario import Scenario
from sim.tally import empty_sums

if TYPE_CHECKING:
    from sim.tape import TapeNumbers, Tapes

Progress = Callable[[int, int], None]
"""Called with (runs done, runs in all); may raise to stop."""
Engine = Callable[[Coefficients, Market], NDArray[Any]]
_Job = tuple[Callable[..., FloatArray], tuple[Any, ...]]
"""A batch: a function and its arguments."""
Numbers = TypeVar("Numbers", bound=Sequence[int])
BATCH_RUNS = {"compiled": 25, "simpy": 10}
"""Runs that a worker takes at a time: few enough for progress, enough to pay for the trip."""
VARIANT_REPLICATIONS = 25
"""Replications of a batch in which many sets of assumptions share their tapes."""
LEAST_JOBS = 8
"""A batch of many sets of assumptions takes long, so fewer replications than 8 batches of 25 are divided further."""
OPPORTUNITIES_AT_A_TIME = 100_000
"""A batch of large markets is smaller: it holds all their tapes at once."""
CREDIT = next(kpi for kpi in kpis.KPIS if kpi.name == "credit_usd")
MODEL_FAILURES = (ArithmeticError, ValueError, LookupError, AttributeError, TypeError, AssertionError)


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


class How(NamedTuple):
    """What decides how long it takes, and never what comes out."""

    engine: str = "compiled"
    workers: int | None = None
    scheduler: str | None = None
    tapes: KeptTapes | None = None
    progress: Progress | None = None


class Work(NamedTuple):
    """What every batch needs. Plans are laid out once, from what is thought likely, whatever is true."""

    scenario: Scenario
    plans: Mapping[str, TimePlan]
    tables: Mapping[str, PlanTable]
    history: PlanTable
    seed: int

    @classmethod
    def of(cls, scenario: Scenario, plans: Mapping[str, TimePlan], seed: int) -> Work:
        """Raises PlanError if a plan does not fit."""
        tables = {name: plan.table(scenario) for name, plan in plans.items()}
        return cls(scenario, plans, tables, history_of(scenario), seed)


def outcome_values(
    scenario: Scenario, plans: Mapping[str, TimePlan], replications: int, seed: int, worlds: int, how: How
) -> FloatArray:
    """Indicators of every plan on the same markets: shape (plans, runs, KPIS, quarters), world by world."""
    check_count("replications", replications, 1)
    check_count("worlds", worlds, 0)
    check_how(how, seed)
    if how.tapes is not None and (not isinstance(how.tapes, KeptTapes) or worlds or how.engine != "compiled"):
        raise SimulationError(
            f"tapes is {show(how.tapes)}; allowed: what keep_tapes gives, for the compiled engine and without worlds"
        )
    work = Work.of(scenario, plans, seed)
    total = len(plans) * replications * max(1, worlds)
    return _gathered(list(_jobs(work, replications, worlds, how)), how, total)


def variant_credit(
    scenario: Scenario,
    variants: Sequence[Scenario],
    plans: Mapping[str, TimePlan],
    replications: range,
    seed: int,
    how: How,
) -> FloatArray:
    """Quota credit in US dollars over the horizon: shape (variants, plans, replications).

    Variants are `scenario` with other assumptions, and meet the same markets as it.
    """
    check_how(how, seed)
    work = Work.of(scenario, plans, seed)
    likely = _prepare(work, scenario)
    prepared = [_prepare(work, variant, likely.plans) for variant in variants]
    size = min(VARIANT_REPLICATIONS, _most_at_a_time(scenario), -(-len(replications) // LEAST_JOBS))
    jobs: list[_Job] = [(_variants_batch, (work, prepared, batch)) for batch in batches(replications, size)]
    return _gathered(jobs, how, len(variants) * len(plans) * len(replications), along=2)


class Bookings(NamedTuple):
    """Gross bookings of plans laid out as tables, in US dollars."""

    direct: FloatArray
    """of the manager's own deals, shape (tables, runs, quarters)"""
    partner: FloatArray
    """by partner, shape (tables, runs, quarters, partners)"""


def table_bookings(
    scenario: Scenario, tables: Sequence[PlanTable], markets: KeptTapes | Sequence[int], seed: int
) -> Bookings:
    """Run plans that are laid out already, by a planner that tries many, in kept markets or in those of these numbers.

    The tables must be such as a TimePlan of the scenario gives. Raises SimulationError if the tapes are another's.
    """
    these = range(markets) if isinstance(markets, int) else markets
    both = table_values(scenario, tables, these, seed, _direct_and_partner_bookings)
    return Bookings(both[..., 0], both[..., 1:])


def table_values(
    scenario: Scenario,
    tables: Sequence[PlanTable],
    markets: KeptTapes | Sequence[int],
    seed: int,
    of: Callable[[kpis.Tally], FloatArray],
) -> FloatArray:
    """What `of` makes of the sums of such tables, in kept markets or these replications: shape (tables, runs, ...)."""
    names = [f"table {i}" for i in range(len(tables))]
    status_quo = TimePlan.status_quo(scenario)
    work = Work(
        scenario, dict.fromkeys(names, status_quo), dict(zip(names, tables, strict=True)), history_of(scenario), seed
    )
    prepared = _prepare(work, scenario)
    parts: Sequence[Sequence[int] | Tapes]
    if not isinstance(markets, KeptTapes):
        parts = batches(markets, min(VARIANT_REPLICATIONS, _most_at_a_time(scenario)))
    elif markets.fit(prepared.tape):
        parts = markets.batches
    else:
        raise SimulationError(f"scenario {scenario.name!r}: the kept tapes are of another territory; keep them again")
    return _gathered([(_values_batch, (work, prepared, part, of)) for part in parts], How(), 0)


def table_coverage(scenario: Scenario, tables: Sequence[PlanTable], replications: int, seed: int) -> FloatArray:
    """Opportunities of the horizon by who saw them: shape (tables, runs, COVERAGE_KINDS, segments).

    It takes the ledgers, which the sums of `table_bookings` do not, so it is some times as slow. The tables must be
    such as a TimePlan of the scenario gives.
    """
    history = history_of(scenario)
    try:
        prepared = plans_with_tables(scenario, tables, history)
    except MODEL_FAILURES as problem:
        raise failed(f"scenario {scenario.name!r}, seed {seed}", problem) from problem
    size = min(VARIANT_REPLICATIONS, _most_at_a_time(scenario))
    parts = batches(range(replications), size)
    return _gathered([(_coverage_batch, (scenario, prepared, seed, part)) for part in parts], How(), 0)


def world_credit(
    scenario: Scenario, plans: Mapping[str, TimePlan], worlds: int, replications: int, seed: int, how: How
) -> FloatArray:
    """Quota credit in US dollars over the horizon in drawn worlds: shape (worlds, plans, replications).

    Each world has `replications` markets of its own, the same for every plan. Were they the same in every world, so
    would be their luck, and the share of worlds in which a plan is ahead would say more of that than of the worlds.
    """
    check_how(how, seed)
    work = Work.of(scenario, plans, seed)
    its_plans = None if how.engine == "simpy" else _prepare(work, scenario).plans
    size = min(VARIANT_REPLICATIONS, _most_at_a_time(scenario))
    jobs: list[_Job] = [
        (_world_bookings_batch, (work, world, batch, how.engine, its_plans))
        for world in range(worlds)
        for batch in batches(range(world * replications, (world + 1) * replications), size)
    ]
    credit = _gathered(jobs, how, len(plans) * worlds * replications)
    return np.swapaxes(credit.reshape(len(plans), worlds, replications), 0, 1)


def _gathered(jobs: Sequence[_Job], how: How, total: int, along: int = 1) -> FloatArray:
    """What the jobs give, joined along the axis of replications."""
    done, parts = 0, []
    with closing(_results(jobs, how)) as results:
        for part in results:
            parts.append(part)
            done += int(np.prod(part.shape[: along + 1]))
            if how.progress is not None:
                how.progress(done, total)
    return np.concatenate(parts, axis=along)


def engine_named(name: str) -> Engine:
    """The function that runs one plan in one market."""
    if name == "simpy":
        from sim import territory

        return territory.run
    if name == "compiled":
        from sim.fast import engine as bulk

        return bulk.run
    raise SimulationError(f"engine is {name!r}; allowed: simpy, compiled")


def run_one(
    scenario: Scenario, plan: TimePlan, table: PlanTable, history: PlanTable, market: Market, engine: str
) -> Ledger:
    run = engine_named(engine)
    try:
        records = run(with_tables(scenario, table, history), market)
    except MODEL_FAILURES as problem:
        raise failed(where_of(scenario, plan, market.seed, market.replication), problem) from problem
    return Ledger(scenario, plan.name, market.seed, market.replication, records)


def _results(jobs: Sequence[_Job], how: How) -> Generator[FloatArray, None, None]:
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
        yield from parallel(delayed(batch)(*job) for batch, job in jobs)


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


def batches(replications: Numbers, size: int) -> list[Numbers]:
    """The replications in parts of at most `size`."""
    return [cast(Numbers, replications[start : start + size]) for start in range(0, len(replications), max(1, size))]


def _most_at_a_time(scenario: Scenario) -> int:
    """Replications whose tapes a batch may hold at once."""
    expected = sum(weekly_demand(scenario, segment).sum() for segment in scenario.market_map)
    return max(1, int(OPPORTUNITIES_AT_A_TIME // (expected + 1)))


def _jobs(work: Work, replications: int, worlds: int, how: How) -> Iterator[_Job]:
    """The batches: a function and its arguments, in the order of the runs."""
    size = max(1, min(BATCH_RUNS[how.engine] // len(work.plans), _most_at_a_time(work.scenario)))
    parts = batches(range(replications), size)
    if how.engine == "simpy":
        for world in range(worlds) if worlds else [None]:
            for batch in parts:
                yield _reference_batch, (work, world, batch)
    elif worlds:
        # Worlds with few replications go together: they share the tapes.
        together = 1 if len(parts) > 1 else max(1, VARIANT_REPLICATIONS // replications)
        for some in batches(range(worlds), together):
            for batch in parts:
                yield _worlds_batch, (work, some, batch)
    elif how.tapes is None:
        prepared = _prepare(work, work.scenario)
        for batch in parts:
            yield _plans_batch, (work, prepared, batch)
    else:
        prepared = _prepare(work, work.scenario)
        if not how.tapes.fit(prepared.tape) or how.tapes.replications != replications:
            raise SimulationError(
                f"scenario {work.scenario.name!r}: the kept tapes are of another territory, seed or number of "
                "replications; keep them again with keep_tapes(scenario, replications, seed)"
            )
        for tapes in how.tapes.batches:
            yield _plans_batch, (work, prepared, tapes)


def _reference_batch(work: Work, world: int | None, replications: range) -> FloatArray:
    """Indicators of some replications, by the SimPy engine: shape (plans, replications, KPIS, quarters)."""
    here = work.scenario if world is None else work.scenario.world(work.seed, world)
    runs = []
    for replication in replications:
        market = draw_market(here, work.seed, replication)
        ledgers = [
            run_one(here, plan, work.tables[name], work.history, market, "simpy") for name, plan in work.plans.items()
        ]
        runs.append([kpis.summarise(kpis.Tally.of(ledger)) for ledger in ledgers])
    return np.swapaxes(np.array(runs), 0, 1)


def _plans_batch(work: Work, prepared: Prepared, replications: range | Tapes) -> FloatArray:
    """Indicators of some replications, or of kept tapes: shape (plans, replications, KPIS, quarters)."""
    (tally,) = _tallies(work, [prepared], replications)
    return kpis.summarise(tally)


def _worlds_batch(work: Work, worlds: range, replications: range) -> FloatArray:
    """Indicators of some replications in each of some worlds: shape (plans, runs, KPIS, quarters)."""
    prepared = [_prepare(work, work.scenario.world(work.seed, world)) for world in worlds]
    return np.concatenate([kpis.summarise(tally) for tally in _tallies(work, prepared, replications)], axis=1)


def _world_bookings_batch(work: Work, world: int, replications: range, engine: str, plans: Any) -> FloatArray:
    """Quota credit in US dollars over the horizon in one world: shape (plans, replications)."""
    if engine == "simpy":
        return _reference_batch(work, world, replications)[:, :, kpis.KPIS.index(CREDIT)].sum(axis=-1)
    here = _prepare(work, work.scenario.world(work.seed, world), plans)
    return _variants_batch(work, [here], replications)[0]


def _variants_batch(work: Work, variants: Sequence[Prepared], replications: range) -> FloatArray:
    """Quota credit in US dollars over the horizon: shape (variants, plans, replications)."""
    return np.array([CREDIT.of(tally).sum(axis=-1) for tally in _tallies(work, variants, replications)])


def _values_batch(
    work: Work, prepared: Prepared, tapes: Sequence[int] | Tapes, of: Callable[[kpis.Tally], FloatArray]
) -> FloatArray:
    """What `of` makes of the sums of some replications: shape (plans, replications, ...)."""
    (tally,) = _tallies(work, [prepared], tapes)
    return of(tally)


def _direct_and_partner_bookings(tally: kpis.Tally) -> FloatArray:
    """Gross bookings in US dollars, direct and by partner: shape (..., quarters, 1 + partners)."""
    return np.concatenate([kpis.direct_bookings_usd(tally)[..., None], kpis.bookings_by_partner(tally)], axis=-1)


def _coverage_batch(scenario: Scenario, prepared: Sequence[Coefficients], seed: int, replications: range) -> FloatArray:
    """Shape (tables, replications, COVERAGE_KINDS, segments)."""
    from sim.fast import engine as bulk

    counts = []
    for replication in replications:
        market = draw_market(scenario, seed, replication)
        try:
            runs = [bulk.run(its, market) for its in prepared]
        except MODEL_FAILURES as problem:
            where = f"scenario {scenario.name!r}, seed {seed}, replication {replication}"
            raise failed(where, problem) from problem
        ledgers = (Ledger(scenario, "", seed, replication, run) for run in runs)
        counts.append([list(kpis.coverage_by_segment(ledger).values()) for ledger in ledgers])
    return np.swapaxes(np.array(counts), 0, 1)


class Prepared(NamedTuple):
    """The arrays that all compiled runs under one set of assumptions share."""

    scenario: Scenario
    tape: TapeNumbers
    numbers: Any
    plans: Any


def _prepare(work: Work, here: Scenario, plans: Any = None) -> Prepared:
    """What runs in `here` need; `plans` as prepared for other assumptions are the same, and take half the time."""
    from sim.fast import engine as bulk

    try:
        if plans is None:
            plans = bulk.plans(plans_with_tables(here, list(work.tables.values()), work.history))
        numbers = bulk.numbers(of_the_scenario(here, quarters=()))
        return Prepared(here, tape_numbers(here, work.seed), numbers, plans)
    except MODEL_FAILURES as problem:
        plans = ", ".join(repr(plan.name) for plan in work.plans.values())
        raise failed(f"scenario {here.name!r}, plans {plans}, seed {work.seed}", problem) from problem


def _tallies(work: Work, variants: Sequence[Prepared], replications: Sequence[int] | Tapes) -> Iterator[kpis.Tally]:
    """Sums of every plan in every replication, shape (plans, replications, ...), under each set of assumptions.

    Tapes are drawn once. A set of assumptions may say other things of the partners, which are then drawn again; what it
    says of the rest of the market is the same.
    """
    from sim.fast import engine as bulk
    from sim.tape import Tapes

    first = variants[0].tape
    tapes = replications if isinstance(replications, Tapes) else draw_tapes(first, replications)
    for prepared in variants:
        here = prepared.scenario
        if prepared.tape is not first:
            tapes = redraw_partners(prepared.tape, tapes)
        sums = empty_sums(1 + here.horizon_quarters, len(here.all_partners), len(work.plans), len(tapes.replications))
        try:
            bulk.add_up(prepared.tape, tapes, prepared.numbers, prepared.plans, sums)
        except bulk.RunTrouble as problem:
            plan = list(work.plans.values())[problem.plan]
            raise failed(where_of(here, plan, work.seed, problem.replication), problem) from problem
        yield kpis.Tally(here, sums)


def history_of(scenario: Scenario) -> PlanTable:
    """The plan that was followed before the first day."""
    return TimePlan.status_quo(scenario).table(scenario)


def where_of(scenario: Scenario, plan: TimePlan, seed: int, replication: int) -> str:
    """A run, named so that it can be run again."""
    return f"scenario {scenario.name!r}, plan {plan.name!r}, seed {seed}, replication {replication}"


def failed(where: str, problem: Exception) -> SimulationError:
    """What to raise if the model itself went wrong."""
    return SimulationError(f"{where}: the model failed ({type(problem).__name__}: {problem}); please report this line")


def check_how(how: How, seed: int) -> None:
    """Raise SimulationError unless this can be worked with."""
    if how.workers is not None:
        check_count("workers", how.workers, 1)
    check_seed("seed", seed)
    engine_named(how.engine)
    if how.scheduler is not None and not isinstance(how.scheduler, str):
        raise SimulationError(f"scheduler is {show(how.scheduler)}; allowed: an address such as tcp://127.0.0.1:8786")


def check_count(name: str, value: object, least: int) -> None:
    """Raise SimulationError unless `value` is a whole number from `least` to ten million."""
    if not is_whole(value, least, 10**7):
        raise SimulationError(f"{name} is {show(value)}; allowed: a whole number from {least} to {10**7:,}")


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
