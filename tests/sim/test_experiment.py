"""Running in bulk: the same numbers for any number of workers, paired on the same markets; and honest statements.

Coverage of the intervals is checked against its nominal 95% by simulation: 2,000 samples, bounds at a false-alarm rate
of about 1e-4 (exact binomial).
"""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sim import (
    NextHourError,
    PlanError,
    Scenario,
    SimulationError,
    TimePlan,
    compare,
    draw_market,
    kpis,
    load_scenario,
    replicate,
    simulate,
    territory,
)
from sim.coefficients import with_tables
from sim.fast import engine as fast
from sim.ledger import PARTNER_WON, WON, Kind, Ledger
from sim.scenario import OpenDeal
from sim.study import batches, estimates
from sim.study.experiment import keep_tapes

SCENARIO = load_scenario("scenarios/baseline.yaml").variant(horizon_quarters=4)
BELIEVERS = TimePlan.constant(SCENARIO, 0.2, focus="believers")
NOBODY = TimePlan.constant(SCENARIO, 0.0, name="no partner time")
QUO = TimePlan.status_quo(SCENARIO)
PLANS = {"quo": QUO, "none": NOBODY, "believers": BELIEVERS}


@pytest.mark.parametrize("worlds", [0, 2])
def test_any_number_of_workers_and_any_batches_give_the_same_numbers(
    worlds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = replicate(SCENARIO, BELIEVERS, 24, worlds=worlds, workers=1)
    for workers in (2, 3):
        assert np.array_equal(one.values, replicate(SCENARIO, BELIEVERS, 24, worlds=worlds, workers=workers).values)
    for size in (1, 7, 1000):
        monkeypatch.setattr(batches, "BATCH_RUNS", {"compiled": size, "simpy": size})
        assert np.array_equal(one.values, replicate(SCENARIO, BELIEVERS, 24, worlds=worlds, workers=2).values)


@pytest.mark.parametrize("worlds", [0, 2])
def test_both_engines_give_the_same_outcomes(worlds: int) -> None:
    simpy, compiled = (
        replicate(SCENARIO, BELIEVERS, 3, worlds=worlds, workers=1, engine=engine) for engine in ("simpy", "compiled")
    )
    assert np.array_equal(simpy.values, compiled.values)


def test_kept_tapes_change_nothing() -> None:
    tapes = keep_tapes(SCENARIO, 30, seed=3)
    kept = compare(SCENARIO, PLANS, 30, seed=3, worlds=1, tapes=tapes, workers=2)
    drawn = compare(SCENARIO, PLANS, 30, seed=3, worlds=1, workers=2)
    assert kept.as_dict() == drawn.as_dict()
    for name, plan in PLANS.items():
        assert np.array_equal(kept.outcomes[name].values, drawn.outcomes[name].values)
        assert np.array_equal(replicate(SCENARIO, plan, 30, seed=3, tapes=tapes).values, drawn.outcomes[name].values)


@pytest.mark.parametrize(
    ("scenario", "replications", "seed"),
    [(SCENARIO, 30, 4), (SCENARIO, 29, 3), (SCENARIO.variant(horizon_quarters=5), 30, 3)],
)
def test_kept_tapes_of_something_else_are_refused(scenario: Scenario, replications: int, seed: int) -> None:
    tapes = keep_tapes(SCENARIO, 30, seed=3)
    with pytest.raises(SimulationError, match=r"kept tapes are of another territory.*keep them again") as problem:
        replicate(scenario, TimePlan.status_quo(scenario), replications, seed=seed, tapes=tapes)
    assert "\n" not in str(problem.value)


class Enough(KeyboardInterrupt):
    """Somebody pressed Ctrl-C."""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("stop", [Enough, RuntimeError])
def test_progress_that_raises_stops_the_run(
    workers: int, stop: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    run_plans = fast.run_plans

    def slowly(*given: Any) -> None:
        begun.append(1)
        time.sleep(0.1)
        run_plans(*given)

    def progress(done: int, total: int) -> None:
        raise stop(f"{done} of {total}")

    replicate(SCENARIO, QUO, 25, workers=1)  # compiled and linked
    monkeypatch.setattr(fast, "run_plans", slowly)
    before = set(threading.enumerate())
    with pytest.raises(stop, match="25 of 1000"):
        replicate(SCENARIO, QUO, 1000, workers=workers, progress=progress)
    # The first batches, and those that each worker may have begun while the first was counted.
    at_once = len(begun)
    assert at_once <= 2 * workers
    time.sleep(0.3)
    assert len(begun) == at_once
    assert set(threading.enumerate()) <= before


MEASURED = """
import sys
from pathlib import Path

from sim import TimePlan, load_scenario, replicate

scenario = load_scenario("scenarios/baseline.yaml").variant(horizon_quarters=12)
replicate(scenario, TimePlan.status_quo(scenario), int(sys.argv[1]), workers=2)
assert "numba" not in sys.modules
# Not ru_maxrss, which counts the process that started this one too.
(peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes on Linux")
def test_memory_does_not_grow_with_the_number_of_runs() -> None:
    baseline = load_scenario("scenarios/baseline.yaml").variant(horizon_quarters=12)
    replicate(baseline, TimePlan.status_quo(baseline), 1)  # compiling takes memory of its own
    few, many = (
        float(subprocess.check_output([sys.executable, "-c", MEASURED, str(runs)], text=True)) for runs in (25, 1000)
    )
    assert many - few < 100 and many < 300


@pytest.fixture
def cluster() -> Iterator[str]:
    """A Dask scheduler with two worker processes, on this machine only."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as local:
        yield local.scheduler_address


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning:distributed")
def test_workers_of_a_cluster_give_the_same_numbers(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one, three = replicate(SCENARIO, BELIEVERS, 60), compare(SCENARIO, PLANS, 30, worlds=2)

    def not_here(*_: Any) -> None:
        raise AssertionError("this run is not for this process")

    monkeypatch.setattr(fast, "run_plans", not_here)
    assert np.array_equal(one.values, replicate(SCENARIO, BELIEVERS, 60, scheduler=cluster).values)
    far = compare(SCENARIO, PLANS, 30, worlds=2, scheduler=cluster)
    assert far.as_dict() == three.as_dict()
    for name in PLANS:
        assert np.array_equal(far.outcomes[name].values, three.outcomes[name].values)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "127.0.0.1:{port}", "nonsense://here", "127.0.0.1", ""])
def test_a_wrong_address_of_a_scheduler_is_one_sentence(
    address: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("distributed")
    before, begun = set(threading.enumerate()), time.monotonic()
    with caplog.at_level(logging.WARNING), pytest.raises(SimulationError, match="no Dask scheduler answers") as problem:
        replicate(SCENARIO, QUO, 2, scheduler=address.format(port=_closed_port()))
    assert time.monotonic() - begun < 15 and "\n" not in str(problem.value)
    assert capfd.readouterr() == ("", "") and not caplog.records
    assert set(threading.enumerate()) <= before


def test_a_replication_does_not_depend_on_how_many_there_are() -> None:
    few, more = (replicate(SCENARIO, BELIEVERS, n, workers=1) for n in (3, 13))
    assert np.array_equal(few.values, more.values[:3])


def test_replicate_agrees_with_single_ledgers() -> None:
    outcomes = replicate(SCENARIO, BELIEVERS, 3, seed=5, workers=1)
    for r in range(3):
        ledger = simulate(SCENARIO, BELIEVERS, draw_market(SCENARIO, 5, r))
        assert np.array_equal(outcomes.values[r], kpis.summarise(kpis.Tally.of(ledger)))


def test_worlds_run_each_set_of_assumptions_on_the_same_markets() -> None:
    outcomes = replicate(SCENARIO, BELIEVERS, 3, seed=5, worlds=2, workers=1)
    assert outcomes.credit_usd.shape == (6, 4)
    assert outcomes.by_world().shape == (2, 3)
    for world in range(2):
        drawn = SCENARIO.world(5, world)
        assert drawn.assumptions.coach_gain_per_week != SCENARIO.assumptions.coach_gain_per_week
        # The plan and the history are those made for the likely world: what the manager knows does not change.
        numbers = with_tables(drawn, BELIEVERS.table(SCENARIO), QUO.table(SCENARIO))
        ledger = Ledger(drawn, BELIEVERS.name, 5, 1, territory.run_simpy(numbers, draw_market(drawn, 5, 1)))
        assert np.array_equal(outcomes.credit_usd[world * 3 + 1], kpis.credit_usd(kpis.Tally.of(ledger)))


def test_a_plan_against_itself_is_no_clear_difference() -> None:
    same = BELIEVERS.model_copy(update={"name": "twin"})
    comparison = compare(SCENARIO, {"a": BELIEVERS, "b": same}, 10, workers=1)
    assert comparison["b"].verdict == "no clear difference"
    assert comparison["b"].difference_usd.value == 0
    assert comparison["b"].payback_quarter is None
    assert comparison["a"].verdict == "baseline"


def test_differences_are_paired_and_shown_against_the_named_baseline() -> None:
    plans = {"quo": QUO, "none": NOBODY}
    comparison = compare(SCENARIO, plans, 12, baseline="none", worlds=3, replications_per_world=2, workers=1)
    own = replicate(SCENARIO, QUO, 12, workers=1).credit_usd - replicate(SCENARIO, NOBODY, 12, workers=1).credit_usd
    result = comparison["quo"]
    assert result.difference_usd.value == pytest.approx(own.sum(axis=1).mean())
    assert result.markets_ahead.value == pytest.approx((own.sum(axis=1) > 0).mean())
    assert [e.value for e in result.difference_by_quarter_usd] == pytest.approx(own.mean(axis=0))
    assert result.worlds_ahead is not None and result.worlds_ahead.observations == 3
    assert comparison.as_dict()["plans"]["quo"]["difference_usd"]["value"] == result.difference_usd.value


def test_progress_reaches_its_total() -> None:
    seen: list[tuple[int, int]] = []
    compare(SCENARIO, {"a": QUO, "b": NOBODY}, 4, worlds=1, replications_per_world=3, workers=1,
            progress=lambda done, total: seen.append((done, total)))  # fmt: skip
    assert seen[-1] == (14, 14)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize("words", [{"replications": 0}, {"replications": 2.5}, {"worlds": -1}, {"workers": 0}])
def test_wrong_numbers_get_one_sentence(words: dict[str, object]) -> None:
    with pytest.raises(SimulationError, match="allowed: a whole number"):
        replicate(SCENARIO, QUO, **{"replications": 2, **words})  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, "7", None, True])
def test_wrong_seeds_get_one_sentence(seed: object) -> None:
    with pytest.raises(SimulationError, match=r"seed is .*; allowed"):
        draw_market(SCENARIO, seed)  # type: ignore[arg-type]


def test_unknown_engines_baselines_and_markets_are_named() -> None:
    market = draw_market(SCENARIO, 1)
    with pytest.raises(SimulationError, match="engine is 'fast'; allowed: simpy"):
        simulate(SCENARIO, QUO, market, engine="fast")
    with pytest.raises(PlanError, match="baseline 'c' is not among the plans; allowed: a"):
        compare(SCENARIO, {"a": QUO}, 2, baseline="c")
    with pytest.raises(PlanError, match="no plan"):
        compare(SCENARIO, {}, 2)
    longer = SCENARIO.variant(horizon_quarters=5)
    with pytest.raises(SimulationError, match="drawn for another territory"):
        simulate(longer, TimePlan.status_quo(longer), market)


def test_money_adds_up_between_indicators() -> None:
    ledger = simulate(SCENARIO, BELIEVERS, draw_market(SCENARIO, 3))
    tally = kpis.Tally.of(ledger)
    of = {kpi.name: kpi.of(tally) for kpi in kpis.KPIS}
    assert of["credit_usd"] == pytest.approx(of["direct_credit_usd"] + of["partner_credit_usd"])
    won = ledger.of(*WON)
    assert of["bookings_usd"].sum() == won["amount_usd"][won["tick"] >= 0].sum()
    margins = np.array([p.margin for p in SCENARIO.all_partners])
    through = ledger.of(*PARTNER_WON)
    through = through[through["tick"] >= 0]
    kept = (through["amount_usd"] * margins[through["partner"]]).sum()
    assert of["net_bookings_usd"].sum() == pytest.approx(of["bookings_usd"].sum() - kept)
    assert kpis.credit_by_partner_usd(ledger).sum() == pytest.approx(of["partner_credit_usd"].sum())
    seen = kpis.coverage_by_segment(ledger)
    arrived = ledger.of(Kind.ARRIVED)
    assert sum(s.sum() for s in seen.values()) == (arrived["tick"] >= 0).sum()
    assert of["pipeline_coverage"][1] == pytest.approx(_open_amount(ledger, 1) / SCENARIO.quota_usd()[1])


def _open_amount(ledger: object, quarter: int) -> int:
    """Pipeline as the quarter (from 0) begins, counted deal by deal."""
    open_deals: dict[int, int] = {}
    for record in ledger.before(quarter + 1):  # type: ignore[attr-defined]
        if record["kind"] in (Kind.FOUND, Kind.REGISTERED):
            open_deals[record["opportunity"]] = int(record["amount_usd"])
        elif record["kind"] in (*WON, Kind.LOST, Kind.NO_DECISION, Kind.PARTNER_LEFT):
            del open_deals[record["opportunity"]]
    return sum(open_deals.values())


def _covers(hits: int, of: int) -> bool:
    low, high = stats.binom.ppf([5e-5, 1 - 5e-5], of, 0.95)
    return bool(low <= hits <= high)


def test_intervals_of_means_cover_as_often_as_they_say() -> None:
    samples = np.random.default_rng(1).normal(3.0, 2.0, (2000, 12))
    intervals = [estimates.mean(row) for row in samples]
    assert _covers(sum(e.low <= 3.0 <= e.high for e in intervals), 2000)


def test_wilson_matches_its_published_form() -> None:
    k, n, z = 7, 40, stats.norm.ppf(0.975)
    centre, half = (k + z**2 / 2) / (n + z**2), z * np.sqrt(k * (n - k) / n + z**2 / 4) / (n + z**2)
    e = estimates.share(k, n)
    assert (e.low, e.high) == pytest.approx((centre - half, centre + half))


@pytest.mark.parametrize(
    ("difference", "quarter"),
    [([1, 1], 1), ([-2, 1, 2], 3), ([-2, 3, -4, 5], 4), ([-1, -1], None), ([2, -3, 4], 3), ([0, 0], None), ([], None)],
)
def test_payback_is_when_the_sum_stays_above_zero(difference: list[float], quarter: int | None) -> None:
    assert estimates.payback_quarter(np.array(difference, dtype=float)) == quarter


def test_replications_needed_reach_the_wanted_width() -> None:
    values = np.random.default_rng(2).normal(0, 5.0, 4000)
    n = estimates.replications_needed(values, 0.5)
    assert 1.96 * 5.0 / np.sqrt(n) == pytest.approx(0.5, rel=0.05)


def test_scenarios_are_not_changed_by_running() -> None:
    before = SCENARIO.digest()
    replicate(SCENARIO, QUO, 2, worlds=1, workers=1)
    assert isinstance(SCENARIO, Scenario) and SCENARIO.digest() == before


def test_an_open_pipeline_counts_as_the_first_quarter_begins() -> None:
    deals = tuple(OpenDeal(segment="enterprise", stage=2, amount_usd=amount) for amount in (400_000, 200_000))
    taken_over = SCENARIO.variant(open_pipeline=deals)
    ledger = simulate(taken_over, TimePlan.status_quo(taken_over), draw_market(taken_over, 3))
    assert kpis.pipeline_coverage(kpis.Tally.of(ledger))[0] == pytest.approx(600_000 / SCENARIO.quota_usd()[0])


def test_an_empty_open_pipeline_is_an_empty_one() -> None:
    nothing_open = SCENARIO.variant(open_pipeline=())
    ledger = simulate(nothing_open, TimePlan.status_quo(nothing_open), draw_market(nothing_open, 3))
    assert kpis.pipeline_coverage(kpis.Tally.of(ledger))[0] == 0
    assert len(ledger.of(Kind.REPLACED)) > 0


def test_a_market_with_other_stages_is_refused() -> None:
    shorter = SCENARIO.variant(
        market_map=tuple(s.model_copy(update={"stages": s.stages[:1]}) for s in SCENARIO.market_map)
    )
    with pytest.raises(SimulationError, match="drawn for another territory"):
        simulate(SCENARIO, QUO, draw_market(shorter, 3))


@pytest.mark.parametrize(
    "call",
    [
        lambda: compare(SCENARIO, [QUO]),  # type: ignore[arg-type]
        lambda: compare(SCENARIO, {"a": "status quo"}),  # type: ignore[dict-item]
        lambda: simulate(SCENARIO, "status quo", draw_market(SCENARIO, 1)),  # type: ignore[arg-type]
        lambda: simulate(SCENARIO, QUO, None),  # type: ignore[arg-type]
        lambda: replicate(SCENARIO, None),  # type: ignore[arg-type]
        lambda: compare(SCENARIO, {"a": QUO}, 2, replications_per_world=0),
    ],
)
def test_what_a_program_hands_in_wrong_is_named(call: Callable[[], object]) -> None:
    with pytest.raises(NextHourError, match="allowed: "):
        call()
