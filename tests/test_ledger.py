"""Claim: a ledger that tells an impossible story is refused, with the run named; a real one is not.

Each corruption is applied to a real run. Left out: what only the tape could tell (`Ledger.check` says what).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim import Ledger, Scenario, SimulationError, TimePlan, load_scenario
from sim.ledger import NOBODY, TICKS_PER_QUARTER, Kind
from tests.helpers import run_once

Records = NDArray[Any]
SEED, REPLICATION = 7, 3


@cache
def scenario() -> Scenario:
    """The baseline, one year, with partners that have few people and one that leaves soon."""
    short = load_scenario("scenarios/baseline.yaml").variant(horizon_quarters=4)
    partners = [p.model_copy(update={"capacity_deals": 2}) for p in short.partners]
    partners[0] = partners[0].model_copy(update={"exit_hazard_per_year": 4.0})
    return short.variant(partners=tuple(partners))


@cache
def ledger() -> Ledger:
    mix = {"coach": 0.5, "co_sell": 0.5}
    its = run_once(scenario(), TimePlan.constant(scenario(), 0.3, mix, "even"), SEED, REPLICATION)
    for kind in (Kind.LEFT, Kind.PARTNER_LEFT, Kind.WON_PARTNER, Kind.WON_CO_SOLD, Kind.NO_DECISION):
        assert len(its.of(kind)), f"nothing to corrupt: no {kind.name}"
    return its


def rows(records: Records, *kinds: Kind) -> NDArray[np.intp]:
    return np.flatnonzero(np.isin(records["kind"], kinds))


def moved(records: Records, row: int, to: int) -> Records:
    """The record `row` in place `to` (an index after it is taken out)."""
    return np.insert(np.delete(records, row), to, records[row])


def relabel(old: Kind, new: Kind) -> Callable[[Records], Records]:
    def corrupt(records: Records) -> Records:
        records["kind"][rows(records, old)] = new
        return records

    return corrupt


def put(kind: Kind, field: str, value: Any) -> Callable[[Records], Records]:
    """Another value in one field of the last record of a kind."""

    def corrupt(records: Records) -> Records:
        records[field][rows(records, kind)[-1]] = value
        return records

    return corrupt


def drop(*kinds: Kind) -> Callable[[Records], Records]:
    return lambda records: np.delete(records, rows(records, *kinds))


def erase_partner(records: Records) -> Records:
    won = rows(records, Kind.WON_PARTNER)
    records["partner"][won] = NOBODY
    return records


def another_partner(records: Records) -> Records:
    won = rows(records, Kind.WON_PARTNER)[0]
    records["partner"][won] = (records["partner"][won] + 1) % len(scenario().partners)
    return records


def repeat(kind: Kind) -> Callable[[Records], Records]:
    def corrupt(records: Records) -> Records:
        row = rows(records, kind)[0]
        return np.insert(records, row, records[row])

    return corrupt


def end_before_it_begins(records: Records) -> Records:
    end = rows(records, Kind.LEAKED)[-1]
    begin = int(np.flatnonzero(records["opportunity"] == records["opportunity"][end])[0])
    return moved(records, end, begin)


def end_later(records: Records) -> Records:
    row = rows(records, Kind.WON_DIRECT)[0]
    later = moved(records, row, len(records) - 1)
    later["tick"][-1] = records["tick"][-1]
    return later


def close_after_leaving(records: Records) -> Records:
    row = rows(records, Kind.PARTNER_LEFT)[0]
    later = moved(records, row, len(records) - 1)
    later["tick"][-1] = records["tick"][-1]
    later["kind"][-1] = Kind.LOST
    return later


def out_of_order(records: Records) -> Records:
    records["tick"][[100, -1]] = records["tick"][[-1, 100]]
    return records


def add_hours(kind: Kind, hours: float) -> Callable[[Records], Records]:
    def corrupt(records: Records) -> Records:
        records["value"][rows(records, kind)[-1]] += hours
        return records

    return corrupt


CORRUPTIONS: dict[str, tuple[Callable[[Records], Records], str]] = {
    "partner wins relabelled direct": (relabel(Kind.WON_PARTNER, Kind.WON_DIRECT), "it is a partner's"),
    "direct wins relabelled": (relabel(Kind.WON_DIRECT, Kind.WON_PARTNER), "it is the manager's"),
    "wins relabelled as helped": (relabel(Kind.WON_PARTNER, Kind.WON_CO_SOLD), "did not help so"),
    "no decision relabelled lost": (relabel(Kind.NO_DECISION, Kind.LOST), "not visited|has not started"),
    "partner erased": (erase_partner, "somebody else has it"),
    "another partner": (another_partner, "somebody else has it"),
    "all lost vanished": (drop(Kind.LOST), "people are all busy"),
    "all no decision vanished": (drop(Kind.NO_DECISION), "came first and still waits"),
    "left deals vanished": (drop(Kind.PARTNER_LEFT), "its partner has left"),
    "beginnings vanished": (drop(Kind.ARRIVED), "never began"),
    "leaks vanished": (drop(Kind.LEAKED), "not found, registered or leaked"),
    "visits vanished": (drop(Kind.VISIT), "not visited"),
    "starts vanished": (drop(Kind.STARTED), "has not started"),
    "ended twice": (repeat(Kind.LOST), "over already"),
    "began twice": (repeat(Kind.ARRIVED), "begun before"),
    "amount changed": (put(Kind.WON_DIRECT, "amount_usd", 1), "it began with"),
    "segment changed": (put(Kind.LEAKED, "segment", 0), "another segment"),
    "ended before it began": (end_before_it_begins, "order of time|never began"),
    "ended later": (end_later, "weeks old"),
    "hours beyond the week": (add_hours(Kind.COACH, 40.0), "hours of 32"),
    "visit beyond selling time": (add_hours(Kind.VISIT, 40.0), "visits exceed the selling time"),
    "out of order": (out_of_order, "order of time"),
    "beyond the horizon": (put(Kind.REACH, "tick", 5 * TICKS_PER_QUARTER), "order of time|horizon"),
    "not a number": (put(Kind.SKILL, "value", np.nan), "not a number"),
    "negative": (put(Kind.VISIT, "value", -1.0), "negative"),
    "closed after leaving": (close_after_leaving, "has left"),
    "nobody's partner": (put(Kind.SKILL, "partner", 99), "does not exist"),
}


def test_a_real_ledger_passes() -> None:
    ledger().check()
    plain = load_scenario("scenarios/baseline.yaml").variant(horizon_quarters=4)
    run_once(plain, TimePlan.status_quo(plain), SEED).check()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corrupted_ledger_is_refused_with_its_run_named(name: str) -> None:
    corrupt, words = CORRUPTIONS[name]
    records = corrupt(ledger().records.copy())
    with pytest.raises(SimulationError, match=words) as refused:
        dataclasses.replace(ledger(), records=records).check()
    text = str(refused.value)
    assert scenario().name in text and ledger().plan_name in text
    assert re.search(rf"seed {SEED}, replication {REPLICATION}\b", text)
