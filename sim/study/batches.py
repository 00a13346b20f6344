"""Many runs at once: how they are divided into batches, and what is kept of each.

Every plan of a piece of work meets the same markets, and so does every set of assumptions: a batch draws the tapes of
some replications once and runs all of them on these. Of a batch only the indicators are kept, so memory does not grow
with ledgers or tapes. A replication depends on its number and on nothing else: results are the same for any number of
workers, here or on a cluster.

To stop early, let `progress` raise: the exception comes through and nothing more is begun.

Left out: what the indicators say of a plan (experiment.py, sensitivity.py).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from sim import kpis
from sim.arrays import FloatArray
from sim.coefficients import Coefficients, of_the_scenario, plans_with_tables
from sim.documents.messages import show
from sim.errors import SimulationError
from sim.fast import engine
from sim.ledger import Ledger
from sim.market import draw_market, draw_tapes, redraw_partners
from sim.plan import PlanTable, TimePlan
from sim.scenario import Scenario
from sim.study.one_run import MODEL_FAILURES, history_of, model_failure, run_name, run_plan, slow_runs
from sim.study.options import REPLICATIONS, WORLDS
from sim.study.request import KeptTapes, RunSettings, check_count, check_settings
from sim.tally import empty_sums
from sim.tape import TapeNumbers, Tapes, tape_numbers, weekly_demand

Whole = TypeVar("Whole", bound=Sequence[int])
BATCH_RUNS = {"compiled": 25, "simpy": 10}
"""Runs that a worker takes at a time: few enough for progress, enough to pay for the trip."""
VARIANT_REPLICATIONS = 25
"""Replications of a batch in which many sets of assumptions share their tapes."""
LEAST_JOBS = 8
"""A batch of many sets of assumptions takes long, so fewer replications than 8 batches of 25 are divided further."""
OPPORTUNITIES_AT_A_TIME = 100_000
"""A batch of large markets is smaller: it holds all their tapes at once."""
CREDIT = next(kpi for kpi in kpis.KPIS if kpi.name == "credit_usd")


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
    scenario: Scenario, plans: Mapping[str, TimePlan], replications: int, seed: int, worlds: int, settings: RunSettings
) -> FloatArray:
    """Indicators of every plan on the same markets: shape (plans, runs, KPIS, quarters), world by world."""
    check_count("replications", replications, REPLICATIONS.least)
    check_count("worlds", worlds, WORLDS.least)
    check_settings(settings, seed)
    tapes = settings.tapes
    if tapes is not None and (not isinstance(tapes, KeptTapes) or worlds or settings.engine != "compiled"):
        raise SimulationError(
            f"tapes is {show(tapes)}; allowed: what keep_tapes gives, for the compiled engine and without worlds"
        )
    work = Work.of(scenario, plans, seed)
    total = len(plans) * replications * max(1, worlds)
    return run_jobs(scenario, list(_jobs(work, replications, worlds, settings)), settings, total)


def variant_credit(
    scenario: Scenario,
    variants: Sequence[Scenario],
    plans: Mapping[str, TimePlan],
    replications: range,
    seed: int,
    settings: RunSettings,
) -> FloatArray:
    """Quota credit in US dollars over the horizon: shape (variants, plans, replications).

    Variants are `scenario` with other assumptions, and meet the same markets as it.
    """
    check_settings(settings, seed)
    work = Work.of(scenario, plans, seed)
    likely = _prepare(work, scenario)
    prepared = [_prepare(work, variant, likely.plans) for variant in variants]
    size = min(_batch_size(scenario, VARIANT_REPLICATIONS), -(-len(replications) // LEAST_JOBS))
    jobs: list[Batch] = [(_variants_batch, (work, prepared, batch)) for batch in batches(replications, size)]
    return run_jobs(scenario, jobs, settings, len(variants) * len(plans) * len(replications), along=2)


class Bookings(NamedTuple):
    """Gross bookings of plans laid out as tables, in US dollars."""

    direct: FloatArray
    """bookings of the manager's own deals, shape (tables, runs, quarters)"""
    partner: FloatArray
    """bookings by partner, shape (tables, runs, quarters, partners)"""


def table_bookings(
    scenario: Scenario, tables: Sequence[PlanTable], markets: KeptTapes | Sequence[int], seed: int
) -> Bookings:
    """Run plans that are laid out already, by a planner that tries many, in kept markets or in those of these numbers.

    The tables must be such as a TimePlan of the scenario gives. Raises SimulationError if the tapes are another's.
    """
    both = table_values(scenario, tables, markets, seed, _direct_and_partner_bookings)
    return Bookings(both[..., 0], both[..., 1:])


def table_values(
    scenario: Scenario,
    tables: Sequence[PlanTable],
    markets: KeptTapes | Sequence[int],
    seed: int,
    of: Callable[[kpis.Tally], FloatArray],
) -> FloatArray:
    """What `of` makes of the sums of such tables, in kept markets or these replications: shape (tables, runs, ...)."""
    named = {f"table {i}": table for i, table in enumerate(tables)}
    plans = dict.fromkeys(named, TimePlan.status_quo(scenario))
    work = Work(scenario, plans, named, history_of(scenario), seed)
    prepared = _prepare(work, scenario)
    parts: Sequence[Sequence[int] | Tapes]
    if not isinstance(markets, KeptTapes):
        parts = batches(markets, _batch_size(scenario, VARIANT_REPLICATIONS))
    elif markets.fit(prepared.tape):
        parts = markets.batches
    else:
        raise SimulationError(f"scenario {scenario.name!r}: the kept tapes are of another territory; keep them again")
    return run_jobs(scenario, [(_values_batch, (work, prepared, part, of)) for part in parts], RunSettings(), 0)


def table_coverage(scenario: Scenario, tables: Sequence[PlanTable], replications: int, seed: int) -> FloatArray:
    """Opportunities of the horizon by who saw them: shape (tables, runs, COVERAGE_KINDS, segments).

    It takes the ledgers, which the sums of `table_bookings` do not, so it is some times as slow. The tables must be
    such as a TimePlan of the scenario gives.
    """
    history = history_of(scenario)
    try:
        prepared = plans_with_tables(scenario, tables, history)
    except MODEL_FAILURES as problem:
        raise model_failure(f"scenario {scenario.name!r}, seed {seed}", problem) from problem
    parts = batches(range(replications), _batch_size(scenario, VARIANT_REPLICATIONS))
    return run_jobs(scenario, [(_coverage_batch, (scenario, prepared, seed, part)) for part in parts], RunSettings(), 0)


def world_credit(
    scenario: Scenario, plans: Mapping[str, TimePlan], worlds: int, replications: int, seed: int, settings: RunSettings
) -> FloatArray:
    """Quota credit in US dollars over the horizon in drawn worlds: shape (worlds, plans, replications).

    Each world has `replications` markets of its own, the same for every plan. Were they the same in every world, so
    would be their luck, and the share of worlds in which a plan is ahead would say more of that than of the worlds.
    """
    check_settings(settings, seed)
    work = Work.of(scenario, plans, seed)
    laid_out = None if settings.engine == "simpy" else _prepare(work, scenario).plans
    size = _batch_size(scenario, VARIANT_REPLICATIONS)
    jobs: list[Batch] = [
        (_world_bookings_batch, (work, world, batch, settings.engine, laid_out))
        for world in range(worlds)
        for batch in batches(range(world * replications, (world + 1) * replications), size)
    ]
    credit = run_jobs(scenario, jobs, settings, len(plans) * worlds * replications)
    return np.swapaxes(credit.reshape(len(plans), worlds, replications), 0, 1)


def batches(replications: Whole, size: int) -> list[Whole]:
    """The replications in parts of at most `size`."""
    return [cast(Whole, replications[start : start + size]) for start in range(0, len(replications), max(1, size))]


def _batch_size(scenario: Scenario, most: int) -> int:
    """Replications of a batch: `most`, or as many as it may hold the tapes of at once."""
    expected = sum(weekly_demand(scenario, segment).sum() for segment in scenario.market_map)
    return max(1, min(most, int(OPPORTUNITIES_AT_A_TIME // (expected + 1))))


def _jobs(work: Work, replications: int, worlds: int, settings: RunSettings) -> Iterator[Batch]:
    parts = batches(range(replications), _batch_size(work.scenario, BATCH_RUNS[settings.engine] // len(work.plans)))
    if settings.engine == "simpy":
        for world in range(worlds) if worlds else [None]:
            for batch in parts:
                yield _reference_batch, (work, world, batch)
    elif worlds:
        # Worlds with few replications go together: they share the tapes.
        together = 1 if len(parts) > 1 else max(1, VARIANT_REPLICATIONS // replications)
        for some in batches(range(worlds), together):
            for batch in parts:
                yield _worlds_batch, (work, some, batch)
    else:
        prepared = _prepare(work, work.scenario)
        tapes = settings.tapes
        if tapes is not None and (not tapes.fit(prepared.tape) or tapes.replications != replications):
            raise SimulationError(
                f"scenario {work.scenario.name!r}: the kept tapes are of another territory, seed or number of "
                "replications; keep them again with keep_tapes(scenario, replications, seed)"
            )
        for batch_or_tapes in parts if tapes is None else tapes.batches:
            yield _values_batch, (work, prepared, batch_or_tapes, kpis.summarise)


def _reference_batch(work: Work, world: int | None, replications: range) -> FloatArray:
    """Indicators of some replications, by the SimPy engine: shape (plans, replications, KPIS, quarters)."""
    here = work.scenario if world is None else work.scenario.world(work.seed, world)
    runs, plans = [], work.plans.items()
    for replication in replications:
        market = draw_market(here, work.seed, replication)
        ledgers = [run_plan(here, plan, work.tables[name], work.history, market, "simpy") for name, plan in plans]
        runs.append([kpis.summarise(kpis.Tally.of(ledger)) for ledger in ledgers])
    return np.swapaxes(np.array(runs), 0, 1)


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
    counts = []
    for replication in replications:
        market = draw_market(scenario, seed, replication)
        try:
            runs = [engine.run_compiled(each, market) for each in prepared]
        except MODEL_FAILURES as problem:
            where = f"scenario {scenario.name!r}, seed {seed}, replication {replication}"
            raise model_failure(where, problem) from problem
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
    try:
        if plans is None:
            plans = engine.lay_out_plans(plans_with_tables(here, list(work.tables.values()), work.history))
        numbers = engine.lay_out_numbers(of_the_scenario(here, quarters=()))
        return Prepared(here, tape_numbers(here, work.seed), numbers, plans)
    except MODEL_FAILURES as problem:
        plans = ", ".join(repr(plan.name) for plan in work.plans.values())
        raise model_failure(f"scenario {here.name!r}, plans {plans}, seed {work.seed}", problem) from problem


def _tallies(work: Work, variants: Sequence[Prepared], replications: Sequence[int] | Tapes) -> Iterator[kpis.Tally]:
    """Sums of every plan in every replication, shape (plans, replications, ...), under each set of assumptions.

    Tapes are drawn once. A set of assumptions may say other things of the partners, which are then drawn again; what it
    says of the rest of the market is the same.
    """
    first = variants[0].tape
    tapes = replications if isinstance(replications, Tapes) else draw_tapes(first, replications)
    for prepared in variants:
        here = prepared.scenario
        if prepared.tape is not first:
            tapes = redraw_partners(prepared.tape, tapes)
        sums = empty_sums(1 + here.horizon_quarters, len(here.all_partners), len(work.plans), len(tapes.replications))
        try:
            engine.run_plans(prepared.tape, tapes, prepared.numbers, prepared.plans, sums)
        except engine.RunTrouble as problem:
            plan = list(work.plans.values())[problem.plan]
            raise model_failure(run_name(here, plan, work.seed, problem.replication), problem) from problem
        yield kpis.Tally(here, sums)


Batch = tuple[Callable[..., FloatArray], tuple[Any, ...]]
"""A function and its arguments, to be run by a worker."""


def run_jobs(
    scenario: Scenario, jobs: Sequence[Batch], settings: RunSettings, total: int, along: int = 1
) -> FloatArray:
    """What the jobs of a scenario give, joined along the axis of replications. Progress hears of `total` runs."""
    done, parts = 0, []
    with closing(_results(scenario, jobs, settings)) as results:
        for part in results:
            parts.append(part)
            done += int(np.prod(part.shape[: along + 1]))
            if settings.progress is not None:
                settings.progress(done, total)
    return np.concatenate(parts, axis=along)


def _results(scenario: Scenario, jobs: Sequence[Batch], settings: RunSettings) -> Generator[FloatArray, None, None]:
    """What the jobs give, in their order. Closing it cancels what has not begun."""
    from joblib import Parallel, cpu_count, delayed

    workers = min(len(jobs), settings.workers or cpu_count())
    if settings.engine == "compiled" and settings.scheduler is None and not slow_runs(scenario):
        # Compiled runs let go of Python's lock, so threads are enough; and a pool of them starts at once.
        pool = ThreadPoolExecutor(workers)
        try:
            yield from pool.map(lambda job: job[0](*job[1]), jobs)
        finally:
            pool.shutdown(cancel_futures=True)
        return
    if multiprocessing.current_process().daemon:  # it may have no children
        workers = 1
    with _workers_at(settings.scheduler):
        parallel = Parallel(n_jobs=-1 if settings.scheduler else workers, return_as="generator")
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
        secured = Security().get_connection_args("client")
        async with asyncio.timeout(5), rpc(scheduler, connection_args=secured) as asked:
            await asked.identity()

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
