"""Claim: the two engines are one model. Over generated runs their ledgers are equal to the last bit.

Also: the sums of the fast path are those of the ledgers; the kernel's text gives the same as plain Python; an edited
rule changes both engines and nothing else compiles; numbers that cannot be stop both, naming the run.

The generated runs (tests/strategies.py) must reach every kind of record and every corner listed here.
"""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import sim
from sim import Ledger, Market, Scenario, SimulationError, TimePlan, coefficients, draw_market, simulate
from sim import market as markets
from sim.coefficients import Coefficients, with_tables
from sim.fast import engine as fast
from sim.ledger import NEVER, NOBODY, TICKS_PER_QUARTER, TICKS_PER_WEEK, Kind
from sim.native import compiler, kept_code
from sim.native.compiler import interpret
from sim.streams import Stream, four_marks, uniforms
from sim.tally import empty_sums
from sim.terms import COVERAGE_MODES, PARTNER_SEGMENTS
from sim.territory import run_simpy
from tests.helpers import candidate, explain_difference, numbers_of_run, partner, plan_of, run_once, segment, stage
from tests.helpers import territory as land
from tests.strategies import Case, as_drawn, in_worlds, market_of, round_times, world_of

pytestmark = pytest.mark.generated

EXAMPLES = int(os.environ.get("EXAMPLES", "30"))
TURNS = 6


def checked(examples: int) -> settings:
    return settings(
        derandomize="FRESH_SEEDS" not in os.environ,
        database=None,
        deadline=None,
        max_examples=examples,
        # Making a difference smaller takes minutes; `explain_difference` says where it is.
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


def coefficients_of(case: Case, plan: TimePlan) -> Coefficients:
    """As in a comparison over worlds: plans are laid out in the likely world, and run in the drawn one."""
    history = TimePlan.status_quo(case.scenario)
    return with_tables(world_of(case), plan.table(case.scenario), history.table(case.scenario))


def ledger_of(case: Case, coefficients: Coefficients, market: Market, engine: Any) -> Ledger:
    return Ledger(case.scenario, case.plan.name, case.seed, case.replication, engine(coefficients, market))


# ---------------------------------------------------------------- bit by bit

KINDS_OF_CASES = {
    "as drawn": as_drawn(),
    "round times": round_times(),
    "drawn worlds": in_worlds(),
    "long": as_drawn(st.integers(7, 20)),
}
AT_ONCE = {
    "a week": (Kind.REACH,),
    "a visit": (Kind.VISIT,),
    "an answer": (Kind.ADVANCED, Kind.WON_DIRECT),
    "a closing": (Kind.WON_PARTNER, Kind.WON_CO_SOLD, Kind.WON_SOLD_FOR),
    "an arrival": (Kind.ARRIVED,),
    "an end of patience": (Kind.NO_DECISION,),
}
"""Kinds of event, by what they write."""
CORNERS = {
    *(kind.name for kind in Kind),
    *(f"coverage {mode}" for mode in COVERAGE_MODES),
    *("a parked partner", "weeks off", "demand by week", "demand by quarter", "idle hours", "a wrong label"),
    *("waiting for people", "nobody's people in time", "sold for out of the line", "left while in line"),
    *("no partners", "no demand", "no people", "no margin", "no lag", "no cycle", "endless patience"),
    *("replaced during a visit", "hours dropped for want of discipline"),
}
CORNERS_OF = {
    "as drawn": CORNERS,
    "round times": CORNERS | {f"{a} and {b} at once" for a, b in combinations(AT_ONCE, 2)} | {"no patience", "no work"},
    "drawn worlds": CORNERS | {"another world"},
    "long": CORNERS,
}


@pytest.mark.parametrize("kind", KINDS_OF_CASES)
def test_both_engines_write_the_same_ledger(kind: str) -> None:
    """10 cases for each of EXAMPLES over the four kinds: 10,000 in the long run."""
    seen: Counter[str] = Counter()

    def compare(case: Case) -> None:
        market, coefficients = market_of(case), coefficients_of(case, case.plan)
        one, other = (ledger_of(case, coefficients, market, engine) for engine in (run_simpy, fast.run_compiled))
        how = f"  world {case.world}, times rounded to {case.step} ticks: see Case in tests/strategies.py"
        assert one.digest() == other.digest(), explain_difference(one, other, case.plan, how)
        seen.update(corners_of(case, coefficients, market, one))

    # What is drawn depends on which modules are loaded, so a corner may want more cases than usual.
    for turn in range(TURNS):
        cases = checked(EXAMPLES * 10 // 4)(given(KINDS_OF_CASES[kind])(compare))
        (cases if "FRESH_SEEDS" in os.environ else seed(turn)(cases))()
        if not CORNERS_OF[kind] - set(seen):
            break
    missing = CORNERS_OF[kind] - set(seen)
    assert not missing, f"no generated run has {', '.join(sorted(missing))}"


def corners_of(case: Case, coefficients: Coefficients, market: Market, ledger: Ledger) -> set[str]:
    """Which of CORNERS a run reaches."""
    scenario, plan, records = world_of(case), case.plan, ledger.records
    kinds = set(records["kind"].tolist())
    found, registered, started = (ledger.of(kind) for kind in (Kind.FOUND, Kind.REGISTERED, Kind.STARTED))
    lines = started[started["value"] > 0]
    calendar, horizon = scenario.calendar, scenario.horizon_quarters
    met = {
        "a parked partner": _parked_and_there(case.scenario, plan, ledger),
        "weeks off": bool(calendar.weeks_off),
        "demand by week": bool(calendar.demand_by_week_of_quarter),
        "demand by quarter": bool(calendar.demand_by_quarter_of_year),
        "idle hours": any(quarter.idle_ticks for quarter in coefficients.quarters[1:]),
        "a wrong label": any(
            PARTNER_SEGMENTS[true] != partner.label
            for partner, true in zip(scenario.all_partners, market.true_segment, strict=True)
        ),
        "waiting for people": len(lines) > 0,
        "nobody's people in time": bool((ledger.of(Kind.NO_DECISION)["partner"] != NOBODY).any()),
        "sold for out of the line": bool(
            set(lines[["tick", "opportunity"]].tolist())
            & set(ledger.of(Kind.SELL_FOR)[["tick", "opportunity"]].tolist())
        ),
        "left while in line": bool(
            set(ledger.of(Kind.PARTNER_LEFT)["opportunity"].tolist()) - set(started["opportunity"].tolist())
        ),
        "no partners": not scenario.all_partners,
        "no demand": any(s.opportunities_per_quarter == 0 for s in scenario.market_map),
        "no people": any(scenario.all_partners[p].capacity_deals == 0 for p in set(registered["partner"].tolist())),
        "no margin": any(scenario.all_partners[p].margin == 0 for p in set(registered["partner"].tolist())),
        "no lag": bool((market.lag_ticks[found["opportunity"], 0] == 0).any()),
        "no cycle": bool((market.cycle_ticks[started["opportunity"]] == 0).any()),
        "no patience": bool((market.patience_ticks[found["opportunity"], 0] == 0).any()),
        "no work": bool((market.effort_ticks[ledger.of(Kind.VISIT)["opportunity"], 0] == 0).any()),
        "endless patience": bool((market.patience_ticks[found["opportunity"], 0] == NEVER).any()),
        "replaced during a visit": _replaced_during_a_visit(ledger),
        "hours dropped for want of discipline": plan.discipline < 1
        and ledger.digest() != _disciplined(case, market).digest(),
        "another world": world_of(case) != case.scenario,
    }
    arrived = ledger.of(Kind.ARRIVED)
    arrived = arrived[(arrived["tick"] >= 0) & (arrived["partner"] != NOBODY)]
    for s in set(arrived["segment"].tolist()):
        met[f"coverage {COVERAGE_MODES[coefficients.quarters[horizon].coverage_mode[s]]}"] = True
    ticks = {name: set(ledger.of(*kinds)["tick"].tolist()) for name, kinds in AT_ONCE.items()}
    for a, b in combinations(AT_ONCE, 2):
        met[f"{a} and {b} at once"] = bool(ticks[a] & ticks[b])
    return {Kind(kind).name for kind in kinds} | {name for name, reached in met.items() if reached}


def _parked_and_there(scenario: Scenario, plan: TimePlan, ledger: Ledger) -> bool:
    levels = ledger.of(Kind.SKILL)
    quarters = levels["tick"] // TICKS_PER_QUARTER
    parked = plan.table(scenario).parked if plan.parked else np.zeros((scenario.horizon_quarters, 1), bool)
    return bool(plan.parked) and bool(parked[quarters, levels["partner"]].any())


def _replaced_during_a_visit(ledger: Ledger) -> bool:
    visits, replaced = ledger.of(Kind.VISIT), ledger.of(Kind.REPLACED)
    before = visits[visits["tick"] < 0]
    return len(before) > 0 and before["opportunity"][-1] in replaced["opportunity"]


def _disciplined(case: Case, market: Market) -> Ledger:
    plan = case.plan.model_copy(update={"discipline": 1.0})
    return ledger_of(case, coefficients_of(case, plan), market, fast.run_compiled)


# ---------------------------------------------------------------- the words of a difference


def lively() -> Scenario:
    """A small territory in which something of everything happens."""
    return land(
        market_map=[
            segment(
                opportunities_per_quarter=30.0,
                win_rate_shock=0.3,
                demand_cv=0.4,
                deal_size_sigma=0.5,
                inbound_share=0.4,
                prospecting_yield=0.1,
                stages=[stage(mean_hours=4.0, advance_probability=0.7, buyer_lag_weeks=1.0, patience_weeks=2.0)] * 2,
            )
        ],
        partners=[partner(base_share={"only": 0.6}, capacity_deals=1, cycle_weeks=2.0, exit_hazard_per_year=0.3)],
        candidates=[candidate(base_share={"only": 0.2}, label="achiever")],
        assumptions={"label_accuracy": 0.6},
    )


def busy_plan(scenario: Scenario, name: str = "test plan") -> TimePlan:
    plan = plan_of(
        scenario,
        ("sell", None, 20.0),
        ("prospect", "only", 4.0),
        ("coach", "Pine", 2.0),
        ("joint_plan", "Pine", 2.0),
        ("co_sell", "Pine", 3.0),
        ("sell_for", "Pine", 3.0),
        ("recruit", "Cypress", 2.0),
        discipline=0.5,
    )
    return plan.model_copy(update={"name": name})


def altered(ledger: Ledger, **changes: tuple[int, Any]) -> Ledger:
    records = ledger.records.copy()
    for field, (row, value) in changes.items():
        records[field][row] = value
    return dataclasses.replace(ledger, records=records)


def test_a_difference_is_told_in_words_and_can_be_had_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scenario = lively()
    plan = busy_plan(scenario)
    ledger = run_once(scenario, plan, seed=3, replication=2)
    row = int(np.flatnonzero(ledger.records["kind"] == Kind.VISIT)[5])
    lines = list(ledger.lines())
    other = altered(ledger, amount_usd=(row, 77), value=(row + 3, 0.0))
    text = explain_difference(ledger, other, plan, "  world 4")
    assert text.splitlines()[0] == f"The ledgers differ from record {row} on, of {len(lines)} and {len(lines)}."
    assert [line[9:] for line in text.splitlines() if line.startswith("  both ")] == lines[row - 5 : row]
    assert f"  one    {lines[row]}\n  other  {list(other.lines())[row]}\n  amount_usd: 0 and 77\n" in text
    assert "seed 3, replication 2, plan 'test plan'" in text and text.endswith("\n  world 4")
    (folder,) = tmp_path.iterdir()
    again = sim.load_scenario(folder / "scenario.yaml"), TimePlan.load(folder / "plan.yaml")
    assert run_once(*again, seed=3, replication=2).digest() == ledger.digest()


def test_a_difference_that_words_do_not_show_is_told_too() -> None:
    ledger = run_once(scenario := lively(), busy_plan(scenario))
    assert explain_difference(ledger, dataclasses.replace(ledger, records=ledger.records.copy())) == ""
    value = float(ledger.records["value"][40])
    assert f"value: {value!r} and {math.nextafter(value, 9)!r}" in explain_difference(
        ledger, altered(ledger, value=(40, math.nextafter(value, 9)))
    )
    row = int(np.flatnonzero(ledger.records["value"] == 0)[0])
    assert "value: 0.0 and -0.0" in explain_difference(ledger, altered(ledger, value=(row, -0.0)))
    shorter = dataclasses.replace(ledger, records=ledger.records[:-2])
    assert "  other  ends here" in explain_difference(ledger, shorter)
    assert "which cannot be said in words" in explain_difference(ledger, altered(ledger, kind=(40, 99)))


# ---------------------------------------------------------------- many at once


@checked(max(1, EXAMPLES))
@given(st.data())
def test_the_sums_of_many_runs_are_those_of_their_ledgers(data: st.DataObject) -> None:
    """Two plans in three replications at once, marks drawn when asked for; the ledgers are SimPy's."""
    from tests.strategies import plans

    case = data.draw(st.one_of(as_drawn(), in_worlds()))
    here = world_of(case)
    both = [case.plan, data.draw(plans(case.scenario, "other plan", lively=True))]
    coefficients = [coefficients_of(case, plan) for plan in both]
    first = data.draw(st.sampled_from([0, 40, 2**63 - 3]))
    replications = [first + 1, first, first + 2]
    sums = fast_sums(here, case.seed, coefficients, replications)
    for p, r in np.ndindex(2, 3):
        market = draw_market(here, case.seed, replications[r])
        ledger = ledger_of(case, coefficients[p], market, run_simpy)
        rows, partners = len(coefficients[p].quarters), len(here.all_partners)
        expected = empty_sums(rows, partners)
        assert fast.add_up_ledger(ledger.records, expected) == len(ledger.records)
        for name, sums_expected in expected._asdict().items():
            got = getattr(sums, name)[p, r]
            where = f"{name} of plan {p} in replication {replications[r]}: {np.argwhere(got != sums_expected).tolist()}"
            assert got.tobytes() == sums_expected.tobytes(), where
        assert expected.by_kind["count"].sum() == len(ledger.records)


def fast_sums(scenario: Scenario, seed: int, of: list[Coefficients], replications: list[int]) -> Any:
    numbers = markets.tape_numbers(scenario, seed)
    tapes = markets.draw_tapes(numbers, replications)
    sums = empty_sums(len(of[0].quarters), len(of[0].partners), len(of), len(replications))
    fast.run_plans(numbers, tapes, fast.lay_out_numbers(of[0]), fast.lay_out_plans(of), sums)
    return sums


# ---------------------------------------------------------------- as plain Python


def use_plain_text(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Call the plain text where its machine code would be called; counts the calls."""
    calls: Counter[str] = Counter()

    def call(self: compiler.Compiled, *arguments: Any) -> int:
        calls[self.plain.__name__] += 1
        with np.errstate(over="ignore"):
            return interpret(self.plain.__name__, self._names(), arguments)

    monkeypatch.setattr(compiler.Compiled, "__call__", call)
    return calls


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_the_text_of_the_kernel_is_plain_python(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    scenario = lively()
    pipeline = [
        {"segment": "only", "stage": 2, "amount_usd": 1000, "route": "direct"},
        {"segment": "only", "amount_usd": 500, "age_weeks": 3.0, "route": "Pine"},
    ]
    for variant in (scenario, scenario.variant(open_pipeline=pipeline)):
        plan, other = busy_plan(variant), TimePlan.constant(variant, 0.3, name="other plan")
        coefficients = [numbers_of_run(variant, plan), numbers_of_run(variant, other)]
        market = draw_market(variant, seed, 5)
        ledger = simulate(variant, plan, market, engine="compiled")
        sums = fast_sums(variant, seed, coefficients, [5, 6])
        expected = empty_sums(len(coefficients[0].quarters), 2)
        fast.add_up_ledger(ledger.records, expected)
        with monkeypatch.context() as patch:
            calls = use_plain_text(patch)
            again = draw_market(variant, seed, 5)
            for field in dataclasses.fields(Market):
                if isinstance(getattr(market, field.name), np.ndarray):
                    assert getattr(again, field.name).tobytes() == getattr(market, field.name).tobytes(), field.name
            assert_equal(ledger, simulate(variant, plan, again, engine="compiled"), plan)
            for name, got in fast_sums(variant, seed, coefficients, [5, 6])._asdict().items():
                assert got.tobytes() == getattr(sums, name).tobytes(), name
            added = empty_sums(len(coefficients[0].quarters), 2)
            fast.add_up_ledger(ledger.records, added)
            assert all(a.tobytes() == b.tobytes() for a, b in zip(added, expected, strict=True))
            assert calls == {"run_all": 2, "draw_all_tapes": 2, "draw_whole": 1, "add_up_ledger": 1}


def assert_equal(one: Ledger, other: Ledger, plan: TimePlan) -> None:
    assert one.digest() == other.digest(), explain_difference(one, other, plan)


ADDRESSES = [
    (0, 0, Stream.PARTNER, 0, 0),
    (7, 3, Stream.STAGE, 16 * 2 + 3, 11),
    (2**63 - 1, 2**63 - 1, Stream.OPPORTUNITY, 49, 40_000),
    (2**62 + 1, 5, Stream.SHOCK, 1, 1),
]


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_four_marks_are_a_block_of_numpys(address: tuple[int, int, Stream, int, int]) -> None:
    *where, block = address
    with np.errstate(over="ignore"):
        assert four_marks(*address) == tuple(uniforms(*where, 4 * block + 4)[-4:].tolist())


@pytest.mark.parametrize(("seed", "replication"), [(0, 0), (7, 3), (2**63 - 1, 2**63 - 1)])
def test_compiled_marks_are_numpys(seed: int, replication: int) -> None:
    """Marks that a market shows as they are drawn: without a shock, U is one of them."""
    names = ["only", "two"]
    scenario = land(market_map=[segment(name) for name in names], partners=[partner(name) for name in "ABC"][:1])
    market = draw_market(scenario, seed, replication)
    assert market.signing[0] == uniforms(seed, replication, Stream.PARTNER, 0, 4)[3]
    for s in range(len(names)):
        chosen = np.flatnonzero(market.segment == s)
        assert len(chosen) > 20
        marks = uniforms(seed, replication, Stream.OPPORTUNITY, s, 8 * len(chosen)).reshape(-1, 8)
        for column, which in ((market.found, 2), (market.brought, 4), (market.settles, 5)):
            assert (column[chosen] == marks[:, which]).all()


# ---------------------------------------------------------------- an edited rule

BOTH_DIGESTS = """
import sys
import sim
from sim import TimePlan, draw_market, load_scenario, simulate
scenario, plan = load_scenario(sys.argv[1]), TimePlan.load(sys.argv[2])
market = draw_market(scenario, 7)
print(sim.__file__, *(simulate(scenario, plan, market, engine=engine).digest() for engine in ("simpy", "compiled")))
"""


@pytest.mark.long
def test_an_edited_rule_changes_both_engines(tmp_path: Path) -> None:
    """With the same cache; what was compiled before is used as long as nothing is edited."""
    scenario = lively()
    plan = busy_plan(scenario)
    scenario.save(tmp_path / "scenario.yaml")
    plan.save(tmp_path / "plan.yaml")
    digest = simulate(scenario, plan, draw_market(scenario, 7), engine="compiled").digest()
    cache = tmp_path / "cache"
    shutil.copytree(kept_code.cache_folder(), cache)  # so that what is compiled here need not be again
    copy = tmp_path / "copy" / "sim"
    shutil.copytree(Path(sim.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def run() -> tuple[list[str], str]:
        done = subprocess.run(
            [sys.executable, "-B", "-c", BOTH_DIGESTS, tmp_path / "scenario.yaml", tmp_path / "plan.yaml"],
            env={**os.environ, "PYTHONPATH": str(copy.parent), "NEXTHOUR_CACHE": str(cache)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        where, *digests = done.stdout.split()
        assert Path(where).parent == copy
        return digests, done.stderr

    def kept() -> dict[str, int]:
        return {file.name: file.stat().st_mtime_ns for file in cache.iterdir()}

    assert run()[0] == [digest] * 2
    before = kept()
    assert run() == ([digest] * 2, "")
    assert kept() == before

    rules = copy / "rules.py"
    text = rules.read_text(encoding="utf-8")
    edited = text.replace("math.exp(-prospecting_yield * hours", "math.exp(-2.0 * prospecting_yield * hours")
    assert edited != text
    rules.write_text(edited, encoding="utf-8")
    (simpy, machine), told = run()
    assert simpy == machine != digest
    assert "Compiling" in told
    assert kept().items() > before.items()


# ---------------------------------------------------------------- numbers that cannot be

SEED, REPLICATION = 7, 3
ENGINES = ["simpy", "compiled"]


def first_replaced(value: float) -> Callable[[Any], Any]:
    """The column with another number at the first place of the horizon."""

    def change(column: Any) -> Any:
        made = column.copy()
        made.flat[0] = value
        return made

    return change


IMPOSSIBLE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "ticks that are not whole": ("tick", lambda ticks: ticks + 0.5),
    "no column at all": ("tick", lambda _: None),
    "a U that is no number": ("settles", first_replaced(math.nan)),
    "a U above 1": ("settles", first_replaced(1.5)),
    "a U below 0": ("settles", first_replaced(-0.1)),
    "a mark of being found that is no number": ("found", first_replaced(math.nan)),
    "a mark of being brought that is no number": ("brought", first_replaced(math.nan)),
    "a mark of signing above 1": ("signing", first_replaced(1.5)),
    "arrivals out of order": ("tick", lambda ticks: ticks[::-1].copy()),
    "an arrival before the history": ("tick", first_replaced(-27 * TICKS_PER_WEEK)),
    "an unknown segment": ("segment", first_replaced(1)),
    "a segment below 0": ("segment", first_replaced(-1)),
    "an unknown partner": ("owner", first_replaced(2)),
    "a partner below nobody": ("owner", first_replaced(-2)),
    "an amount below 0": ("amount_usd", first_replaced(-5)),
    "a stage that the segment does not have": ("stage", first_replaced(2)),
    "an age below 0": ("age_ticks", first_replaced(-1)),
    "a cycle below 0": ("cycle_ticks", first_replaced(-1)),
    "work below 0": ("effort_ticks", first_replaced(-1)),
    "a lag below 0": ("lag_ticks", first_replaced(-1)),
    "patience below 0": ("patience_ticks", first_replaced(-1)),
    "a fourth kind of partner": ("true_segment", first_replaced(3)),
    "an exit before the beginning": ("exit_ticks", first_replaced(-1)),
    "a column too short": ("amount_usd", lambda amounts: amounts[:-1]),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_an_impossible_market_stops_the_run(what: str, engine: str) -> None:
    scenario = lively()
    market = draw_market(scenario, SEED, REPLICATION)
    column, change = IMPOSSIBLE[what]
    damaged = dataclasses.replace(market, **{column: change(getattr(market, column))})
    stops(scenario, busy_plan(scenario), damaged, engine)


def stops(scenario: Scenario, plan: TimePlan, market: Market, engine: str) -> None:
    with pytest.raises(SimulationError) as problem:
        simulate(scenario, plan, market, engine=engine)
    for word in (repr(scenario.name), repr(plan.name), f"seed {SEED}", f"replication {REPLICATION}"):
        assert word in str(problem.value), f"{word} is not in: {problem.value}"


def in_parts(field: str, **changes: Any) -> Callable[[Coefficients], Coefficients]:
    """Numbers changed in every segment, partner or quarter."""
    return lambda numbers: dataclasses.replace(
        numbers, **{field: tuple(dataclasses.replace(part, **changes) for part in getattr(numbers, field))}
    )


def in_traits(**changes: Any) -> Callable[[Coefficients], Coefficients]:
    def change(numbers: Coefficients) -> Coefficients:
        partners = [
            dataclasses.replace(p, traits=tuple(dataclasses.replace(t, **changes) for t in p.traits))
            for p in numbers.partners
        ]
        return dataclasses.replace(numbers, partners=tuple(partners))

    return change


IMPOSSIBLE_NUMBERS: dict[str, Callable[[Coefficients], Coefficients]] = {
    "a skill that is no number": in_traits(skill_start=math.nan),
    "a skill above 1": in_traits(skill_start=1.01),
    "an engagement below 0": in_traits(engagement_start=-0.01),
    "a ceiling above 1": in_traits(skill_ceiling=3.0, skill_alone=3.0),
    "teachability that is no number": in_traits(teachability=math.nan),
    "a gain that is no number": lambda numbers: dataclasses.replace(numbers, coach_gain=math.nan),
    "forgetting that is no number": lambda numbers: dataclasses.replace(numbers, engagement_forgotten=math.nan),
    "an average that is no number": lambda numbers: dataclasses.replace(numbers, prospecting_forgotten=math.nan),
    "calls by themselves above 1": in_parts("segments", inbound_share=1.5),
    "a yield that is no number": in_parts("segments", prospecting_yield=math.nan),
    "credit that is no number": in_parts("partners", credit_share=math.nan),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("what", IMPOSSIBLE_NUMBERS)
def test_impossible_numbers_stop_the_run(what: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = lively()
    usual = coefficients.of_the_scenario
    monkeypatch.setattr(coefficients, "of_the_scenario", lambda *given: IMPOSSIBLE_NUMBERS[what](usual(*given)))
    stops(scenario, busy_plan(scenario), draw_market(scenario, SEED, REPLICATION), engine)


def test_trouble_among_many_runs_names_its_plan_and_replication() -> None:
    """Here a deceiver's skill is above 1: trouble comes with the first replication in which a partner is one."""
    scenario = lively()
    plans = [busy_plan(scenario), TimePlan.constant(scenario, 0.3, name="other plan")]
    good = [numbers_of_run(scenario, plan) for plan in plans]
    fine, not_fine = [], []
    for r in range(20):
        deceived = (draw_market(scenario, SEED, r).true_segment == PARTNER_SEGMENTS.index("deceiver")).any()
        (not_fine if deceived else fine).append(r)
    partners = [
        dataclasses.replace(p, traits=(*p.traits[:2], dataclasses.replace(p.traits[2], skill_start=1.2)))
        for p in good[0].partners
    ]
    bad = [dataclasses.replace(coefficients_of_plan, partners=tuple(partners)) for coefficients_of_plan in good]
    with pytest.raises(fast.RunTrouble, match="not between 0 and 1 in week -25") as trouble:
        fast_sums(scenario, SEED, bad, [*fine, *not_fine])
    assert (trouble.value.plan, trouble.value.replication) == (0, not_fine[0])


def test_help_that_ends_with_the_week_in_which_the_plan_changes() -> None:
    """The boundary comes first and lays out the new week; the help that ends was the old week's."""
    pine = partner("Pine", capacity_deals=50, cycle_weeks=100.0, cycle_shape=50.0)
    scenario = land(partners=[pine, partner("Oak", base_share={})], assumptions={"engagement_exponent": 0.0})
    drawn = draw_market(scenario, 7)
    market = dataclasses.replace(
        drawn,
        effort_ticks=np.where(drawn.effort_ticks > 0, 2 * TICKS_PER_WEEK, 0),
        brought=np.zeros_like(drawn.brought),
    )
    hours = (("co_sell", "Pine", 40.0, 1, 1), ("sell_for", "Pine", 40.0, 2, 4))
    plan = plan_of(scenario, *hours, coverage_mode={"only": "partner_first"})
    ledger = simulate(scenario, plan, market)
    assert len(ledger.of(Kind.CO_SELL)) and len(ledger.of(Kind.SELL_FOR))
    assert_equal(ledger, simulate(scenario, plan, market, engine="compiled"), plan)
