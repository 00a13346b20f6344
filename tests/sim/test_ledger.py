"""`Ledger.check` refuses every ledger that cannot have happened, and names the run.

A real ledger passes; each corruption of it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim import Ledger, SimulationError, TimePlan, draw_market, load_scenario, simulate
from sim.ledger import ENDINGS, NOBODY, Kind

Records = NDArray[Any]


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    scenario = load_scenario("scenarios/baseline.yaml").variant(horizon_quarters=4)
    leaving = tuple(p.model_copy(update={"exit_hazard_per_year": 3.0}) for p in scenario.partners)
    scenario = scenario.variant(partners=leaving)
    made = simulate(scenario, TimePlan.constant(scenario, 0.2, name="some time"), draw_market(scenario, 7))
    assert len(made.of(Kind.LEFT)) and len(made.of(Kind.PARTNER_LEFT))
    return made


def first(records: Records, *kinds: Kind) -> int:
    return int(np.flatnonzero(np.isin(records["kind"], kinds))[0])


def change(field: str, value: object, *kinds: Kind) -> Callable[[Records], Records]:
    def corrupt(records: Records) -> Records:
        records[field][first(records, *kinds)] = value
        return records

    return corrupt


def drop(*kinds: Kind) -> Callable[[Records], Records]:
    return lambda records: records[~np.isin(records["kind"], kinds)]


def twice(*kinds: Kind) -> Callable[[Records], Records]:
    def corrupt(records: Records) -> Records:
        row = first(records, *kinds)
        return np.insert(records, row, records[row])

    return corrupt


CORRUPTIONS = {
    "a partner's win called direct": change("kind", Kind.WON_DIRECT, Kind.WON_PARTNER),
    "a direct win called a partner's": change("kind", Kind.WON_PARTNER, Kind.WON_DIRECT),
    "partner erased": change("partner", NOBODY, Kind.WON_PARTNER),
    "another partner": change("partner", 5, Kind.WON_PARTNER),
    "amount changed": change("amount_usd", 1, Kind.WON_DIRECT),
    "ends twice": twice(*ENDINGS),
    "begins twice": twice(Kind.ARRIVED),
    "never begins": drop(Kind.ARRIVED),
    "seen by nobody, not said": drop(Kind.LEAKED),
    "found twice": twice(Kind.FOUND),
    "a left partner's deals stay open": drop(Kind.PARTNER_LEFT),
    "more hours than there are": change("value", 40.0, Kind.SUPPORT),
    "visits beyond the selling time": change("value", 31.0, Kind.VISIT),
    "not a number": change("value", np.nan, Kind.SKILL),
    "out of order": lambda records: records[::-1],
}


def test_a_real_ledger_passes(ledger: Ledger) -> None:
    ledger.check()


@pytest.mark.parametrize("corruption", CORRUPTIONS.values(), ids=CORRUPTIONS.keys())
def test_a_corrupted_ledger_is_refused(ledger: Ledger, corruption: Callable[[Records], Records]) -> None:
    wrong = replace(ledger, records=corruption(ledger.records.copy()))
    with pytest.raises(SimulationError, match="'Baseline territory', plan 'some time', seed 7, replication 0: "):
        wrong.check()
