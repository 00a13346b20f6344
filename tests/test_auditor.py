"""Claim: what the engines write is what docs/model.md says, to the record, though the auditor shares no rule with them.

The auditor (tests/auditor/) runs over the scenarios of the repository and over generated ones, which must reach every
kind of record and every corner of REACHED. That it can complain, tests/test_auditor_complains.py shows.

2,000 more runs, with fresh seeds: make test-long (SEED=... to repeat).
"""

from __future__ import annotations

import ast
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from sim import Ledger, TimePlan, draw_market, load_scenario, simulate
from sim.coefficients import with_tables
from sim.fast.engine import run_compiled
from sim.kpis import KPIS, Tally
from sim.ledger import Kind
from sim.terms import COVERAGE_MODES
from tests import ROOT
from tests.auditor import audit
from tests.auditor.marks import audit_market
from tests.auditor.sentences import OF_KIND, OF_TAPE, SENTENCES
from tests.auditor.state import Story
from tests.busy_territory import SEEDS, busy, busy_plan
from tests.strategies import Case, as_drawn, in_worlds, market_of, round_times, world_of

PACKAGE = ROOT / "tests" / "auditor"
MAY_TAKE = {
    "sim.ledger": {
        *("HISTORY_START", "Kind", "LARGEST_USD", "Ledger", "NEVER", "NOBODY", "TICKS_PER_QUARTER", "TICKS_PER_WEEK"),
    },
    "sim.market": {"Market"},
    "sim.plan": {"PlanTable", "TimePlan"},
    "sim.scenario": {"Candidate", "OpenDeal", "Partner", "Scenario", "Segment"},
    "sim.streams": {"Stream", "uniforms"},
    "sim.terms": {"HISTORY_WEEKS", "PARTNER_ACTIVITIES", "PARTNER_SEGMENTS", "WEEKS_PER_QUARTER"},
}
"""Types, data and the marks of the tape, by module of sim."""
RULES_OF_TYPES = {"credit_share", "of_quarter", "exact_usd", "quota_usd", "as_planned", "world", "problem", "check"}
"""What types of sim work out: the auditor works it out by itself."""
SEED = int(os.environ.get("SEED", "1"))
CASES, LONG_CASES, TURNS = 60, 500, 6
KINDS_OF_CASES = {
    "as drawn": as_drawn(),
    "round times": round_times(),
    "drawn worlds": in_worlds(),
    "long": as_drawn(st.integers(7, 12)),
}
ACTIVITIES = ("coach", "joint_plan", "socialise", "recruit", "co_sell", "sell_for")
REACHED = {
    *(kind.name for kind in Kind),
    *(f"discipline drops hours of {activity}" for activity in ACTIVITIES),
    *(f"seen by both, {mode}" for mode in COVERAGE_MODES),
    *("a smaller pool, partner_first", "a smaller pool, partner_led", "brought by a parked partner"),
    *("skill at a ceiling below 1", "engagement at a ceiling below 1", "engagement falls to 0"),
    *("skill drifts down to where it rests", "engagement drifts down to where it rests"),
    *("skill of a parked partner below its alone level", "engagement of a parked partner below its alone level"),
    *("socialising with teachability between 0 and 1", "own win of a partner that can be taught", "guided practice"),
    *("engagement of a conflict", "a partner that was signed leaves", "support that the label does not say"),
    *("account manager's hours count other than one for one", "a full week", "a week off", "idle hours"),
    *(
        "on pace in a late week",
        "spare selling time",
        "visit that goes on next week",
        "an open deal of a partner closes",
    ),
    *("queued with a partner", "sold for out of the queue", "help that no deal needs"),
    *("co_sell not finished by the closing date", "sell_for not finished by the closing date"),
}
"""What the generated runs have to meet: each kind of record, and the corners that the auditor counts."""


# ---------------------------------------------------------------- the auditor stands alone


def taken_from_sim(path: Path) -> Iterator[tuple[str, str]]:
    """Every module of sim that a file imports, with the name it takes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names if name.name.partition(".")[0] == "sim")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "sim":
            yield from ((node.module or "", name.name) for name in node.names)


def test_the_auditor_takes_types_and_data_from_sim_and_no_rule() -> None:
    files = sorted(PACKAGE.glob("*.py"))
    taken = {(path.name, module, name) for path in files for module, name in taken_from_sim(path)}
    wrong = [
        f"{file}: {name} of {module}" for file, module, name in sorted(taken) if name not in MAY_TAKE.get(module, ())
    ]
    assert len(taken) > 20 and not wrong, "\n".join(wrong)
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests"):
                assert node.module in ("tests.auditor", *(f"tests.auditor.{file.stem}" for file in files)), path.name
            if isinstance(node, ast.Attribute):
                assert node.attr not in RULES_OF_TYPES, f"{path.name}:{node.lineno}: {node.attr} is a rule of sim"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr != "traits", f"{path.name}:{node.lineno}: traits() is a rule of sim"


def test_every_sentence_that_the_auditor_quotes_stands_in_the_document() -> None:
    document = " ".join((ROOT / "docs" / "model.md").read_text(encoding="utf-8").split())
    for name, sentence in (*SENTENCES.items(), *OF_TAPE.items()):
        assert sentence in document, f"{name}: {sentence}"
    assert set(OF_KIND) == set(Kind) and set(OF_KIND.values()) <= set(SENTENCES)


# ---------------------------------------------------------------- the scenarios of the repository


@pytest.mark.parametrize("path", sorted((ROOT / "scenarios").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_plan_of_a_scenario_is_run_as_the_document_says(path: Path) -> None:
    scenario = load_scenario(path)
    plans = [TimePlan.from_split(scenario, split) for split in (scenario.status_quo, *scenario.plans)]
    for number, engine in ((1, "compiled"), (2, "simpy")):
        market = draw_market(scenario, number)
        audit_market(scenario, market)
        for plan in plans:
            ledger = simulate(scenario, plan, market, engine=engine)
            credit_agrees(audit(scenario, plan, market, ledger), ledger)


def credit_agrees(story: Story, ledger: Ledger) -> None:
    """Compare the auditor's credit by quarter with the indicator."""
    (credit,) = [kpi for kpi in KPIS if kpi.name == "credit_usd"]
    counted = [story.credit_by_quarter[q] for q in range(1, ledger.scenario.horizon_quarters + 1)]
    assert np.allclose(credit.of(Tally.of(ledger)), counted, rtol=1e-9, atol=1e-9)


# ---------------------------------------------------------------- generated runs


def audited(case: Case) -> Story:
    """The auditor's story of a generated run, whose ledger agrees with it."""
    scenario, known = world_of(case), case.scenario
    tables = (plan.table(known) for plan in (case.plan, TimePlan.status_quo(known)))
    market = market_of(case)
    if not case.step:
        audit_market(scenario, market)
    records = run_compiled(with_tables(scenario, *tables), market)
    ledger = Ledger(scenario, case.plan.name, case.seed, case.replication, records)
    story = audit(scenario, case.plan, market, ledger, planned_in=known)
    credit_agrees(story, ledger)
    return story


def count(story: Story, seen: Counter[str]) -> None:
    """Count the corners that a run met."""
    seen.update(story.reader.kinds.keys())
    seen.update(name for name, times in story.met.items() if times)


def meet(kind: str, cases: int, number: int, seen: Counter[str]) -> None:
    """Audit generated runs of a kind, and count in how many each corner was met."""

    def look(case: Case) -> None:
        count(audited(case), seen)

    drawn = settings(
        database=None,
        deadline=None,
        max_examples=cases,
        phases=[Phase.generate],  # a complaint says where it is; making the case smaller takes minutes
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(drawn(given(KINDS_OF_CASES[kind])(look)))()


def test_generated_runs_are_as_the_document_says_and_reach_every_corner() -> None:
    """The busy territory, then 60 runs of each kind, and again, with other seeds, until all corners were met."""
    seen: Counter[str] = Counter()
    for number in SEEDS:
        count(audited(Case(busy(), busy_plan(), number)), seen)
    for turn in range(TURNS):
        for kind in KINDS_OF_CASES:
            meet(kind, CASES, turn, seen)
        if not REACHED - set(seen):
            return
    raise AssertionError(f"no generated run has {', '.join(sorted(REACHED - set(seen)))}")


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS_OF_CASES)
def test_many_generated_runs_are_as_the_document_says(kind: str) -> None:
    print(f"SEED={SEED}")
    meet(kind, LONG_CASES, SEED, Counter())
