"""Claim: the auditor notices a fault in any rule, and names the sentence of docs/model.md that is broken.

Each fault is one small change in the text of the SimPy engine or of what it stands on, made in a copy that this test
alone sees, or a wrong column of the tape. Without a fault the same runs pass. If a text is no longer there, the rule
was written anew: give the fault its new text.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import sim
from sim import Ledger, Market, TimePlan
from sim.ledger import NEVER, NOBODY
from tests import ROOT
from tests.auditor import audit
from tests.auditor.marks import audit_market
from tests.busy_territory import SEEDS, busy, busy_market, busy_plan

RULES, TERRITORY, COEFFICIENTS, TAPE = "sim.rules", "sim.territory", "sim.coefficients", "sim.tape"
HALVED = "0.5 * alone if parked else alone"

FAULTS: dict[str, tuple[str, str, str, str]] = {
    # name: module, text, wrong text, part of the sentence that the auditor must quote
    "competition multiplies the odds": (
        RULES,
        "win_probability / (win_probability + (1.0 - win_probability) * competition)",
        "win_probability * competition / (win_probability * competition + 1.0 - win_probability)",
        "passes stages 1..k iff U",
    ),
    "stocks are capped at 1, not at their ceilings": (
        RULES,
        "gained, ceiling), 0.0)",
        "gained, 1.0), 0.0)",
        "x <- max",
    ),
    "a gain does not saturate": (RULES, "(1.0 - math.exp(-hours / tau_hours))", "(hours / tau_hours)", "x <- max"),
    "parking does not halve the level left alone": (RULES, HALVED, "alone", "x <- max"),
    "the unused is forgotten by the natural exponential": (RULES, "math.pow(2.0, ", "math.exp(", "reach = 1 -"),
    "a co-sold lump is all hours": (RULES, "(effort_ticks + 1) // 2", "effort_ticks", "largest amount * W"),
    "fit does not count": (RULES, "fit * win_probability * power", "win_probability * power", "U < min(1"),
    "inbound is not seen by itself": (RULES, "(1.0 - inbound_share) * math", "math", "reach = 1 -"),
    "pace is measured against the whole quota": (
        RULES,
        "quota_usd * week\n",
        "quota_usd * weeks_per_quarter\n",
        "by `discipline`",
    ),
    "visits without agenda are multiplied by teachability": (
        TERRITORY,
        "traits.teachability * planned + liked - ",
        "traits.teachability * (planned + liked) - ",
        "x <- max",
    ),
    "practice of any win": (
        TERRITORY,
        "        if not deal.in_capacity:\n",
        "        partner.own_wins += 1\n        if not deal.in_capacity:\n",
        "x <- max",
    ),
    "co-selling is no guided practice": (TERRITORY, "partner.guided += 1", "pass", "x <- max"),
    "the deal to help is chosen by amount alone": (
        TERRITORY,
        "deal.amount * self.numbers.segments[deal.segment].assist_worth_per_hour",
        "float(deal.amount)",
        "largest amount * W",
    ),
    "discipline spares work on deals": (
        TERRITORY,
        "        for activity, p, wanted in plan.assists:\n            if self.can_get(p, activity, week) and "
        "(ticks := give(round(wanted * keep))):",
        "        for activity, p, wanted in plan.assists:\n            if self.can_get(p, activity, week) and "
        "(ticks := give(wanted)):",
        "by `discipline`",
    ),
    "the account manager's factor is ignored": (
        TERRITORY,
        "self.numbers.cam_factor * hours",
        "hours",
        "x <- max",
    ),
    "the pool of partner_first is all": (
        TERRITORY,
        "if mode in (DIRECT, DIRECT_FIRST):\n            return",
        "if mode in (DIRECT, DIRECT_FIRST, PARTNER_FIRST):\n            return",
        "reach = 1 -",
    ),
    "no conflict is counted": (TERRITORY, "self.partners[owner].conflicts += 1", "pass", "x <- max"),
    "spare time is not prospecting": (TERRITORY, " + spare_hours * shares[s]", "", "reach = 1 -"),
    "a win of the manager's is no credit": (
        TERRITORY,
        "            credit_share = 1.0\n",
        "            credit_share = 0.0\n",
        "by `discipline`",
    ),
    "the queue is served last come first": (
        TERRITORY,
        "partner.queue.popleft()",
        "partner.queue.pop()",
        "work `capacity",
    ),
    "patience is that of the first stage": (
        TERRITORY,
        "self.limit_patience(deal, deal.stage, reply)",
        "self.limit_patience(deal, 0, reply)",
        "Patience runs",
    ),
    "a partner leaves a week late": (
        TERRITORY,
        "self.env.now - partner.active_since < stays",
        "self.env.now - partner.active_since <= stays + 65_536",
        "first week boundary",
    ),
    "every candidate signs": (
        TERRITORY,
        "self.market.signing[partner.index] < numbers.sign_probability",
        "True",
        "A candidate decides once",
    ),
    "onboarding takes no time": (TERRITORY, "week + numbers.onboarding_weeks", "week", "A candidate decides once"),
    "weeks off are of the first year": (
        COEFFICIENTS,
        "week % WEEKS_PER_YEAR in off",
        "week in off",
        "the support of every carried partner",
    ),
    "hours of later stages count in full": (
        COEFFICIENTS,
        "passes[k + j - 1] / so_far if so_far > 0 else 0.0",
        "1.0",
        "Next comes the waiting",
    ),
    "growth of the market starts a quarter late": (
        TAPE,
        "quarters = np.maximum(weeks // WEEKS_PER_QUARTER, 0)",
        "quarters = np.maximum(weeks // WEEKS_PER_QUARTER - 1, 0)",
        "reach = 1 -",
    ),
}


# ---------------------------------------------------------------- the engine


def with_fault(module: str, text: str, wrong: str) -> tuple[ModuleType, ModuleType]:
    """The engine and its coefficients, in copies; `module`, on which both may stand, has `wrong` in place of `text`."""
    copies: dict[str, ModuleType] = {}
    with pytest.MonkeyPatch.context() as while_loading:
        for name in (RULES, TAPE, COEFFICIENTS, TERRITORY):
            source = (ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
            if name == module:
                assert source.count(text) == 1, f"{name} has {source.count(text)} times: {text}"
                source = source.replace(text, wrong)
            copies[name] = ModuleType(name)
            while_loading.setitem(sys.modules, name, copies[name])
            while_loading.setattr(sim, name.partition(".")[2], copies[name])
            exec(compile(source, name, "exec"), copies[name].__dict__)
    return copies[TERRITORY], copies[COEFFICIENTS]


def complaints(engine: ModuleType, coefficients: ModuleType) -> list[str]:
    """What the auditor says of the busy territory as this engine runs it, in each market."""
    scenario, plan, history = busy(), busy_plan(), TimePlan.status_quo(busy())
    numbers = coefficients.with_tables(scenario, plan.table(scenario), history.table(scenario))
    said = []
    for number in SEEDS:
        ledger = Ledger(scenario, plan.name, number, 0, engine.run_simpy(numbers, busy_market(number)))
        try:
            audit(scenario, plan, busy_market(number), ledger)
        except AssertionError as complaint:
            said.append(str(complaint))
    return said


def test_without_a_fault_the_auditor_has_nothing_to_say() -> None:
    assert complaints(*with_fault(RULES, "import math", "import math")) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_the_auditor_notices(fault: str) -> None:
    module, text, wrong, sentence = FAULTS[fault]
    said = complaints(*with_fault(module, text, wrong))
    assert said and sentence in said[0], said[:1] or "nothing was said"
    assert "record" in said[0] and "in week" in said[0] and "expected" in said[0] and "found" in said[0]


# ---------------------------------------------------------------- the tape


def changed(column: str, change: Callable[[Any], Any]) -> Callable[[Market], Market]:
    """A market with one column changed."""
    return lambda drawn: dataclasses.replace(drawn, **{column: change(getattr(drawn, column).copy())})


def whole_cycle(drawn: Market) -> Market:
    """An open deal of a partner gets a whole new cycle."""
    cycle = drawn.cycle_ticks.copy()
    cycle[1] += drawn.age_ticks[1]
    return dataclasses.replace(drawn, cycle_ticks=cycle)


FAULTS_OF_TAPE: dict[str, tuple[Callable[[Market], Market], str]] = {
    "an open partner deal gets a whole new cycle": (whole_cycle, "((T/scale)^shape + e)"),
    "an open deal may be lost in a stage it has passed": (
        changed("settles", lambda u: np.where(np.arange(len(u)) == 0, u / 0.8, u)),
        "uniform below a_1",
    ),
    "arrivals come late": (changed("tick", lambda tick: tick + 3 * (tick > 0)), "inverse of the cumulative rate"),
    "amounts are cut": (changed("amount_usd", lambda amount: np.where(amount > 1500, amount - 1, amount)), "lognormal"),
    "house accounts are a partner's": (changed("owner", lambda owner: np.where(owner == NOBODY, 0, owner)), "Owner:"),
    "found is brought": (lambda drawn: dataclasses.replace(drawn, found=drawn.brought), "two further uniforms"),
    "luck of the market is the other way": (changed("settles", lambda u: 1 - u), "U = Phi"),
    "work takes longer": (changed("effort_ticks", lambda ticks: ticks + 1 * (ticks > 99)), "Hours of a stage"),
    "buyers answer at once": (changed("lag_ticks", np.zeros_like), "Hours of a stage"),
    "patience never ends": (changed("patience_ticks", lambda ticks: np.full_like(ticks, NEVER)), "Hours of a stage"),
    "labels are true": (
        lambda drawn: dataclasses.replace(drawn, true_segment=np.array([1, 2, 0, 1, 1])),
        "label_accuracy",
    ),
    "nobody leaves": (changed("exit_ticks", lambda ticks: np.full_like(ticks, NEVER)), "time to its exit"),
    "everybody signs": (changed("signing", np.zeros_like), "a uniform decides"),
}


@pytest.mark.parametrize("fault", FAULTS_OF_TAPE)
def test_the_auditor_notices_on_the_tape(fault: str) -> None:
    change, sentence = FAULTS_OF_TAPE[fault]
    audit_market(busy(), busy_market(1))
    with pytest.raises(AssertionError) as complaint:
        audit_market(busy(), change(busy_market(1)))
    assert sentence in str(complaint.value)
