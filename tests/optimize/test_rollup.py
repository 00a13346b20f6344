"""Several territories together: every total is the sum of the territories' own pages.

Claims: segments add up to the dollar with each territory's gap analysis, partners with its grid of partners; a partner
of several territories is one partner, and disagreement about it is said; one territory is its own map; what cannot be
added up is refused in one sentence.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from nexthour.terminal.main import app
from optimize import Effort
from optimize.coverage.gaps import GapAnalysis, gap_analysis
from optimize.coverage.rollup import Rollup, roll_up
from optimize.coverage.treatment import treatments
from sim import Scenario, ScenarioError, SimulationError, TimePlan, load_scenario, replicate
from tests import SCENARIOS
from tests.helpers import candidate, partner, segment, territory

FILES = [str(SCENARIOS / f"two-territories-{kind}-rich.yaml") for kind in ("partner", "direct")]
SEED = 11
MARKETS = Effort.quick.results_markets
STATUS_QUO = {"name": "status quo", "partner_share": 0.2, "focus": "even"}


def north(**changes: Any) -> Scenario:
    """Two segments, two partners and a candidate."""
    known = {
        "name": "north",
        "market_map": [
            segment("large", opportunities_per_quarter=12, inbound_share=0.2, deal_size_median_usd=50_000),
            segment("small", opportunities_per_quarter=40, inbound_share=0.1, deal_size_median_usd=9_000),
        ],
        "partners": [
            partner("Pine", base_share={"large": 0.3, "small": 0.3}),
            partner("Thorn", label="deceiver", base_share={"small": 0.2}),
        ],
        "candidates": [candidate("Cypress", base_share={"large": 0.2})],
        "status_quo": STATUS_QUO,
    }
    return territory(**{**known, **changes})


def south(**changes: Any) -> Scenario:
    """One segment in common and one of its own; Pine again, and Cypress, which works here already."""
    known = {
        "name": "south",
        "market_map": [
            segment("small", opportunities_per_quarter=30, inbound_share=0.3, deal_size_median_usd=7_000),
            segment("public", opportunities_per_quarter=8, inbound_share=0.3, deal_size_median_usd=30_000),
        ],
        "partners": [
            partner("Cypress", label="achiever", base_share={"public": 0.4}),
            partner("Pine", base_share={"small": 0.1, "public": 0.1}),
        ],
        "status_quo": STATUS_QUO,
    }
    return territory(**{**known, **changes})


@pytest.fixture(scope="module")
def both() -> Rollup:
    return roll_up([north(), south()], SEED, effort=Effort.quick)


@pytest.fixture(scope="module")
def pages() -> list[GapAnalysis]:
    return [gap_analysis(scenario, seed=SEED, effort=Effort.quick) for scenario in (north(), south())]


def test_segments_are_the_sums_of_the_territories_own_pages(both: Rollup, pages: list[GapAnalysis]) -> None:
    assert list(both.by_segment) == ["large", "small", "public"]
    for name, row in both.by_segment.items():
        own = [gap_row for page in pages for gap_row in page.segments if gap_row.segment == name]
        assert row.opportunities.value == pytest.approx(sum(gap_row.opportunities.value for gap_row in own), rel=1e-12)
        assert row.gap_usd.value == pytest.approx(sum(gap_row.gap_usd.value for gap_row in own), rel=1e-12)
        assert row.value_usd.value == pytest.approx(
            sum(gap_row.opportunities.value * gap_row.value_usd for gap_row in own), rel=1e-12
        )
        seen = row.found.value + row.brought.value + row.leaked.value
        assert seen == pytest.approx(row.opportunities.value, rel=1e-12)
    gap = sum(gap_row.gap_usd.value for page in pages for gap_row in page.segments)
    assert both.total.gap_usd.value == pytest.approx(gap, rel=1e-12)
    assert sum(row.gap_usd.value for row in both.by_segment.values()) == pytest.approx(gap, rel=1e-12)
    assert sum(territory.total.gap_usd.value for territory in both.territories) == pytest.approx(gap, rel=1e-12)


def test_an_interval_is_that_of_the_sum_market_by_market(both: Rollup) -> None:
    """Neither of intervals added up, which would be too wide, nor of one territory."""
    row, parts = both.by_segment["small"], [territory.by_segment["small"] for territory in both.territories]
    half, halves = half_width(row.leaked), [half_width(part.leaked) for part in parts]
    assert max(halves) / 2 < half < sum(halves)
    assert row.leaked.observations == 30


def half_width(estimate: Any) -> float:
    return float(estimate.high - estimate.low) / 2


def test_partners_are_the_sums_of_the_territories_own_grids(both: Rollup) -> None:
    credit: dict[str, float] = {}
    for scenario in (north(), south()):
        total = replicate(scenario, TimePlan.status_quo(scenario), MARKETS, SEED)["credit_usd"].sum(axis=-1).mean()
        for one in treatments(scenario, TimePlan.status_quo(scenario), SEED, Effort.quick):
            credit[one.partner] = credit.get(one.partner, 0.0) + one.results.value * total
    assert {partner.name: partner.credit_usd.value for partner in both.partners} == pytest.approx(credit)
    assert both.partner_credit_usd.value == pytest.approx(sum(credit.values()))
    whole = both.direct_credit_usd.value + both.partner_credit_usd.value
    assert both.credit_usd.value == pytest.approx(whole)
    assert both.credit_usd.value == pytest.approx(sum(territory.credit_usd.value for territory in both.territories))
    assert both.quota_usd == sum(north().quota_usd()) + sum(south().quota_usd())


def test_a_partner_of_two_territories_is_one_partner(both: Rollup) -> None:
    by_name = {partner.name: partner for partner in both.partners}
    assert len(both.partners) == len(by_name) == 3
    pine, cypress, thorn = by_name["Pine"], by_name["Cypress"], by_name["Thorn"]
    assert [place.territory for place in pine.territories] == ["north", "south"]
    assert pine.label == pine.labels == "believer"
    assert (cypress.label, cypress.labels) == (None, "managers disagree: believer in north, achiever in south")
    assert [place.is_candidate for place in cypress.territories] == [True, False]
    assert pine.credit_usd.value == pytest.approx(sum(place.credit_usd.value for place in pine.territories))
    # A fifth of 40 hours, by halves of two partners, in both territories.
    assert pine.manager_hours == pytest.approx(8.0) and thorn.manager_hours == pytest.approx(4.0)
    assert pine.account_manager_hours == 0
    accounts = [territory.by_segment for territory in both.territories]
    expected = 0.3 * (accounts[0]["large"].opportunities.value + accounts[0]["small"].opportunities.value)
    expected += 0.1 * both.territories[1].total.opportunities.value
    assert pine.opportunities.value == pytest.approx(expected)


def test_one_territory_is_its_own_map(both: Rollup, pages: list[GapAnalysis]) -> None:
    alone, page = roll_up([north()], SEED, effort=Effort.quick), pages[0]
    for segment_gap in page.segments:
        row = alone.by_segment[segment_gap.segment]
        assert (row.opportunities, row.coverage) == (segment_gap.opportunities, segment_gap.today)
        assert row.gap_usd == segment_gap.gap_usd
    assert alone.total == alone.territories[0].total == both.territories[0].total
    assert alone.by_segment == both.territories[0].by_segment


def test_the_order_of_territories_changes_no_figure(both: Rollup) -> None:
    other = roll_up(iter([south(), north()]), SEED, effort=Effort.quick)
    for name, row in both.by_segment.items():
        assert np.allclose([*vars(row.gap_usd).values()], [*vars(other.by_segment[name].gap_usd).values()])
    assert [partner.name for partner in other.partners] == [partner.name for partner in both.partners]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "there is no territory"),
        ([north(), north()], "2 territories are named 'north'; give each a name of its own"),
        ([north(), south(horizon_quarters=5)], "horizon_quarters is 4 in 'north' and 5 in 'south'"),
        ([north(), "south.yaml"], "a territory is 'south.yaml'; allowed: a Scenario"),
    ],
)
def test_what_cannot_be_added_up_is_refused(given: list[Any], says: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        roll_up(given)
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_a_wrong_seed_is_refused() -> None:
    with pytest.raises(SimulationError, match="seed"):
        roll_up([north()], seed=-1)


def test_the_terminal_prints_it_and_its_json() -> None:
    printed = CliRunner().invoke(app, ["rollup", *FILES, "--effort", "quick"], env={"COLUMNS": "200"})
    assert printed.exit_code == 0, printed.output
    assert printed.output.startswith("2 territories, over 12 quarters")
    assert "Alder Systems (achiever)" in printed.output and "Two territories, direct-rich" in printed.output
    assert "--effort quick --seed 7" in printed.output
    data = json.loads(CliRunner().invoke(app, ["rollup", *FILES, "--seed", "7", "--effort", "quick", "--json"]).output)
    rollup = roll_up([load_scenario(file) for file in FILES], effort="quick")
    assert data["total"]["gap_usd"]["value"] == rollup.total.gap_usd.value
    assert [one["scenario"] for one in data["territories"]] == [
        "Two territories, partner-rich",
        "Two territories, direct-rich",
    ]
    assert len({one["name"] for one in data["partners"]}) == len(data["partners"]) == 10


def test_the_terminal_refuses_the_same_territory_twice() -> None:
    twice = CliRunner().invoke(app, ["rollup", FILES[0], FILES[0]])
    assert twice.exit_code == 1 and "2 territories are named" in twice.output
