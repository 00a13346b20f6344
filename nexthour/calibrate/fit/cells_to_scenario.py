"""Cells to a scenario: what the table says replaces the market map, everything else stays the template's judgement.

* A row of the market map for each segment and route. The model has one deal size and one win rate for a row whoever
  sells; tables show partner deals of a different size, so they are different opportunities and get a row of their own.
* Win rate to stages: the template's advance probabilities to a common power, so that their product is the win rate.
* A partner wins fit * (the manager's win rate) * skill^alpha. The manager's win rate on partner opportunities is in no
  table: it is put at the larger of the two observed ones, and `fit` makes the partners of the row, as skilled and
  engaged as the template says they are today, win what they won in the table.
* Partners that the table names take the place of the template's, with their share of each row's deals. Where it names
  none, the template's partners share the rows out: one row each where there are enough, by the rows' deals.
* Size: a table shows only deals that somebody saw. Opportunities are as many as give the table's closed deals back in
  the simulation (simulated_funnel.py), times the share of the table that is this territory.

Left out: growth (0 unless known).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, log, prod
from typing import Any

import pandas as pd

from nexthour.calibrate.deals.deal_table import Deals
from nexthour.calibrate.fit.cells import Cell, row_name, spread
from nexthour.calibrate.fit.open_pipeline import OTHERS
from nexthour.calibrate.fit.posterior import Interval
from sim.documents.declared import validate
from sim.errors import ScenarioError, TableError
from sim.scenario import OpenDeal, Partner, Scenario, Segment
from sim.split import Split
from sim.terms import PARTNER_SEGMENTS, WEEKS_PER_QUARTER

MOST_FIT = 3.0
MOST_BASE = 0.95
"""Most of a row's accounts that partners may hold together."""
MOST_PARTNERS = 40
"""Most partners of the table that get a name; the others have their deals together."""
MOST_OPPORTUNITIES = 20_000.0

NO_ACCOUNTS = {
    "base_share": {},
    "fit_by_segment": {},
    "source": "judgement; closed deals show no accounts of a partner not yet signed: give it a base_share",
}
"""Fields that replace a candidate's accounts in the template's segments."""

Sellers = Mapping[str, Mapping[str, float]]
"""Partner to its share of the deals of each row that it sells to; the shares of a row sum to 1."""


@dataclass(frozen=True)
class Grounds:
    """All that a scenario is built from, but for what is found by simulating."""

    cells: Sequence[Cell]
    template: Scenario
    file: str
    about: str
    """what the file is, in the words of the mapping"""
    territory_fraction: float
    """share of the table that is this territory"""
    partners: Sequence[Partner]
    """partners of the table with the template's traits, or the template's own partners"""
    sellers: Sellers

    @classmethod
    def of(
        cls, cells: Sequence[Cell], template: Scenario, deals: Deals, about: str, territory_fraction: float
    ) -> Grounds:
        """Grounds from cells and the deals, closed and open, to which they were fitted. Raises TableError."""
        if not template.partners:
            raise TableError(
                f"template {template.name}: has no partners to sell the partner deals; add them or take another"
            )
        rows = {cell.row: float(cell.deals) for cell in cells if cell.route == "partner"}
        sold = _deals_by_partner(deals.opened, rows)
        partners = [_like_template(name, template) for name in sold] or template.partners
        if not sold:
            dealt = deal_out_rows([p.name for p in template.partners], rows)
            sold = {name: dict.fromkeys(dealt_rows, 1.0) for name, dealt_rows in dealt.items()}
        totals = {row: sum(by_row.get(row, 0.0) for by_row in sold.values()) for row in rows}
        sellers = {name: {row: n / totals[row] for row, n in by_row.items()} for name, by_row in sold.items()}
        return cls(cells, template, deals.name, about, territory_fraction, partners, sellers)


def _deals_by_partner(names: pd.DataFrame, rows: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Deals of each partner by row, the largest partner first; nothing where the table does not name who sold."""
    named = names[(names["route"] == "partner") & (names["partner"] != "")]
    row = row_name(named["segment"], named["route"])
    named, row = named[row.isin(list(rows))], row[row.isin(list(rows))]
    large = named["partner"].value_counts().index[:MOST_PARTNERS]
    partner = named["partner"].where(named["partner"].isin(large), OTHERS)
    found: dict[str, dict[str, float]] = {}
    counts = partner.groupby([partner, row]).size().sort_values(ascending=False)
    for name, row_sold, deals in zip(*counts.index.to_frame().to_numpy().T, counts, strict=True):
        found.setdefault(str(name), {})[str(row_sold)] = float(deals)
    return found


def _like_template(name: str, template: Scenario) -> Partner:
    """The template's partner of that name, else one of the kind that is most common there."""
    label = max(PARTNER_SEGMENTS, key=lambda kind: getattr(template.segment_prior, kind))
    new = Partner(name=name, label=label, base_share={})
    return next((partner for partner in template.partners if partner.name == name), new)


@dataclass(frozen=True)
class RowKnobs:
    """Factors found by simulating, for a row of the market map.

    In the simulation small deals go cold more often, and so do deals that need all stages, the winners. So the deals
    that close are larger than the market's and won less often; the factors undo that.
    """

    lag_scale: float = 1.0
    """times the template's buyer lags"""
    win_factor: float = 1.0
    median_factor: float = 1.0
    mean_factor: float = 1.0
    opportunities_per_deal: float = 2.0
    """opportunities that arise for one that somebody closes"""


@dataclass(frozen=True)
class Knobs:
    """Factors found by simulating (simulated_funnel.py), because they do not follow from the table alone."""

    rows: Mapping[str, RowKnobs] = field(default_factory=dict)
    """knobs by row; those of RowKnobs() for a row that is not named"""
    hours_scale: float = 1.0
    """times the template's hours of a stage, so that the manager's time suffices for the deals of the table"""
    quota_usd: float = 1_000_000.0

    def of(self, row: str) -> RowKnobs:
        """The knobs of a row; those of RowKnobs() where it has none yet."""
        return self.rows.get(row, RowKnobs())


def build_scenario(grounds: Grounds, knobs: Knobs, pipeline: tuple[OpenDeal, ...] | None = None) -> Scenario:
    """Build the scenario that the grounds and knobs make.

    Raises TableError if the template cannot take these cells, ScenarioError if the result is not valid.
    """
    template = grounds.template
    data = {
        **dict(template),
        "name": f"Fitted from {grounds.file}"[:80],
        "source": _scenario_source(grounds),
        "market_map": [_segment(cell, grounds, knobs) for cell in grounds.cells],
        "partners": [_partner(p, grounds, knobs) for p in grounds.partners],
        "candidates": [c.model_copy(update=NO_ACCOUNTS) for c in template.candidates if c.name not in grounds.sellers],
        "quota": {"first_quarter_usd": knobs.quota_usd, "growth_per_year": template.quota.growth_per_year},
        "open_pipeline": pipeline,
        "status_quo": _without_template_names(template.status_quo, template, grounds),
        "plans": [_without_template_names(plan, template, grounds) for plan in template.plans],
    }
    return validate(Scenario, data, f"scenario fitted from {grounds.file}", ScenarioError)


def deal_out_rows(partners: Sequence[str], rows: Mapping[str, float]) -> dict[str, list[str]]:
    """Deal the rows out to partners: one for every row, then by opportunities (as seats by votes, D'Hondt)."""
    if len(partners) < len(rows):
        return {name: list(rows)[i :: len(partners)] for i, name in enumerate(partners)}
    seats = dict.fromkeys(rows, 1)
    for _ in range(len(partners) - len(rows)):
        seats[max(rows, key=lambda row: rows[row] / (seats[row] + 1))] += 1
    dealt = [row for row in rows for _ in range(seats[row])]
    # Neighbours in a file are often of one kind: every other one, so that a row does not get one kind only.
    return {name: [row] for name, row in zip([*partners[::2], *partners[1::2]], dealt, strict=True)}


def most_similar_segment(cell: Cell, template: Scenario) -> Segment:
    """The template's segment with the most similar deal size, for what the table does not say."""
    return min(template.market_map, key=lambda s: abs(log(s.deal_size_median_usd / cell.median_usd.value)))


def _advance_product(segment: Segment, template: Scenario) -> float:
    """The product of a template segment's advance probabilities. Raises TableError if no power of it is a win rate."""
    product = prod(s.advance_probability for s in segment.stages)
    if 0 < product < 1:
        return product
    written = ", ".join(f"{s.advance_probability:g}" for s in segment.stages)
    raise TableError(
        f"template {template.name}: the advance probabilities of segment {segment.name} are {written}, and no power of "
        f"their product {product:g} is a win rate; allowed: all above 0 and at least one below 1"
    )


def expected_starts(partner: Partner, template: Scenario) -> tuple[float, float]:
    """Share of its opportunities that a partner is expected to bring today, and its wins per opportunity at fit and
    win rate 1. Expectations are over the true segment, given the label.
    """
    trust, alpha, beta = (
        getattr(template.assumptions, name).likely
        for name in ("label_accuracy", "skill_exponent", "engagement_exponent")
    )
    brings = wins = 0.0
    for segment in PARTNER_SEGMENTS:
        chance = trust * (segment == partner.label) + (1 - trust) * getattr(template.segment_prior, segment)
        traits = template.traits(partner, segment)
        brought = chance * traits.engagement_start.likely**beta
        brings += brought
        wins += brought * traits.skill_start.likely**alpha
    return brings, wins


def per_quarter(cell: Cell, grounds: Grounds) -> float:
    """Closed deals of the cell a quarter that are this territory's."""
    return cell.opportunities_per_quarter.value * grounds.territory_fraction


def _win_rate_and_fit(cell: Cell, grounds: Grounds) -> tuple[float, float]:
    """The manager's win rate in a row, and what the fit of its partners is multiplied by."""
    rate = cell.win_rate.value
    if cell.route == "direct":
        return rate, 1.0
    sellers = [(p, grounds.sellers[p.name][cell.row]) for p in grounds.partners if cell.row in grounds.sellers[p.name]]
    starts = [(share, p.fit, *expected_starts(p, grounds.template)) for p, share in sellers]
    brings = sum(share * b for share, _, b, _ in starts)
    wins = sum(share * fit * w for share, fit, _, w in starts)
    if wins <= 0:
        raise TableError(
            f"template {grounds.template.name}: the partners dealt to {cell.row} cannot win or bring deals; "
            "check their traits"
        )
    direct = [c.win_rate.value for c in grounds.cells if c.segment == cell.segment and c.route == "direct"]
    manager = max([rate, *direct])
    factor = min(rate * brings / (manager * wins), MOST_FIT / max(p.fit for p, _ in sellers))
    return min(0.98, rate * brings / (factor * wins)), factor


def _base_shares(cell: Cell, grounds: Grounds, knobs: Knobs) -> dict[str, float]:
    """Share of a row's accounts that each of its partners has, so that together they bring one deal for every
    `opportunities_per_deal`, each its share.
    """
    shares = {
        p.name: grounds.sellers[p.name][cell.row] / expected_starts(p, grounds.template)[0]
        for p in grounds.partners
        if cell.row in grounds.sellers[p.name]
    }
    brought = 1 / knobs.of(cell.row).opportunities_per_deal
    scale = min(brought, MOST_BASE / sum(shares.values()))
    return {name: scale * share for name, share in shares.items()}


def _segment(cell: Cell, grounds: Grounds, knobs: Knobs) -> dict[str, Any]:
    template = grounds.template
    similar, row_knobs = most_similar_segment(cell, template), knobs.of(cell.row)
    scale = knobs.of(row_name(cell.segment, "direct")).lag_scale
    win_rate = min(0.98, _win_rate_and_fit(cell, grounds)[0] * row_knobs.win_factor)
    power = log(win_rate) / log(_advance_product(similar, template))
    median, mean = cell.median_usd.value * row_knobs.median_factor, cell.mean_usd.value * row_knobs.mean_factor
    stages = [
        {
            **stage.model_dump(exclude_unset=True),
            "advance_probability": round(stage.advance_probability**power, 4),
            "mean_hours": round(max(stage.mean_hours * knobs.hours_scale, 0.01), 3),
            "buyer_lag_weeks": round(min(104.0, stage.buyer_lag_weeks * scale), 3),
        }
        for stage in similar.stages
    ]
    opportunities = per_quarter(cell, grounds) * row_knobs.opportunities_per_deal
    fitted = {
        "name": cell.row,
        "source": _cell_source(cell, similar, grounds, knobs),
        "opportunities_per_quarter": _round_to_digits(min(opportunities, MOST_OPPORTUNITIES), 4),
        "growth_per_quarter": 0.0,
        "deal_size_median_usd": _round_to_digits(median, 3),
        "deal_size_sigma": round(spread(median, mean), 3),
        "win_rate_shock": round(cell.win_rate_shock.value, 3),
        "inbound_share": similar.inbound_share,
        "prospecting_yield": similar.prospecting_yield.model_dump(),
        "stages": stages,
    }
    return fitted if cell.demand_cv is None else fitted | {"demand_cv": round(min(cell.demand_cv.value, 3.0), 3)}


def _partner(partner: Partner, grounds: Grounds, knobs: Knobs) -> dict[str, Any]:
    cells = [cell for cell in grounds.cells if cell.row in grounds.sellers[partner.name]]
    kept = {name: value for name, value in dict(partner).items() if name in partner.model_fields_set}
    if not cells:
        return {**kept, "base_share": {}, "fit_by_segment": {}}
    weights = [cell.deals * grounds.sellers[partner.name][cell.row] for cell in cells]
    weights = [weight / sum(weights) for weight in weights]
    cycle = sum(w * c.cycle_weeks.value for w, c in zip(weights, cells, strict=True))
    base = {cell.row: _round_to_digits(_base_shares(cell, grounds, knobs)[partner.name], 3) for cell in cells}
    fits = {c.row: round(partner.fit * _win_rate_and_fit(c, grounds)[1], 3) for c in cells}
    brought = sum(per_quarter(c, grounds) * grounds.sellers[partner.name][c.row] for c in cells)
    return {
        **kept,
        "source": _partner_source(partner, cells, grounds),
        "base_share": base,
        "fit_by_segment": fits,
        "capacity_deals": max(partner.capacity_deals, ceil(3 * brought / WEEKS_PER_QUARTER * cycle) + 2),
        "cycle_weeks": round(min(cycle, 104.0), 3),
        "cycle_shape": round(sum(w * c.cycle_shape for w, c in zip(weights, cells, strict=True)), 3),
    }


def _without_template_names(split: Split, template: Scenario, grounds: Grounds) -> Split:
    """A template's split without the names of its segments, and of its partners where these are others now."""
    changes: dict[str, Any] = {}
    if not isinstance(split.coverage_mode, str):
        changes["coverage_mode"] = "partner_first"
    known = {p.name for p in grounds.partners} | {c.name for c in template.candidates}
    changes["park"] = tuple(name for name in split.park if name in known)
    if not isinstance(split.focus, str):
        kept = {name: weight for name, weight in split.focus.items() if name in known}
        changes["focus"] = kept if sum(kept.values()) > 0 else "even"
    return split.model_copy(update=changes)


def _partner_source(partner: Partner, cells: Sequence[Cell], grounds: Grounds) -> str:
    names = " and ".join(cell.segment for cell in cells)
    named = partner not in grounds.template.partners
    kind = (
        "; nothing of the label is in the table: it is that of most partners, so say what you know of it with "
        "nexthour partners"
    )
    return (
        f"cycle fitted from {grounds.file}, partner deals of {names}; fit so that the row's partners win what "
        "they won there; capacity at least three times the open deals expected; the rest judgement, from "
        f"{grounds.template.name}" + (kind if named else "")
    )[:1000]


def _cell_source(cell: Cell, similar: Segment, grounds: Grounds, knobs: Knobs) -> str:
    rate, median = cell.win_rate, cell.median_usd
    direct, scale = cell.route == "direct", knobs.hours_scale
    weeks = (
        f"{cell.weeks} weeks, {cell.quarters} quarters" if cell.weeks else "no weeks known, so this is the least spread"
    )
    demand = "" if cell.demand_cv is None else f", demand_cv {_with_interval(cell.demand_cv)}"
    times = "" if scale == 1 else f" (times {scale:.2g}, so that the manager has time for the deals of the table)"
    return (
        f"fitted from {grounds.file}: {cell.deals:,} closed {cell.route} deals, {cell.observed_win_rate:.1%} won; "
        f"with what other segments lend {rate.value:.1%} (90% interval {rate.low:.1%} to {rate.high:.1%}; {weeks}), "
        f"win_rate_shock {_with_interval(cell.win_rate_shock)}{demand}; median of won amounts ${median.value:,.0f} "
        f"(${median.low:,.0f} to ${median.high:,.0f}; {cell.without_amount:,} had none), mean "
        f"${cell.mean_usd.value:,.0f}"
        + (", here corrected for deals that go cold unclosed" if direct else "")
        + f"; mean cycle {_with_interval(cell.cycle_weeks)} weeks; opportunities so that the simulation closes "
        f"{grounds.territory_fraction:.3%} of {cell.opportunities_per_quarter.value:,.0f} a quarter. Judgement: "
        f"hours{times}, patience, inbound share, prospecting yield and proportions of stages as {similar.name} of "
        f"{grounds.template.name}" + ("" if direct else ", and the manager's win rate here")
    )[:1000]


def _with_interval(fitted: Interval) -> str:
    return f"{fitted.value:.2g} ({fitted.low:.2g} to {fitted.high:.2g})"


def _scenario_source(grounds: Grounds) -> str:
    return (
        f"Win rates, deal sizes, cycles, opportunities and how weeks and quarters differ fitted from {grounds.file}"
        + (f" ({grounds.about})" if grounds.about else "")
        + f"; the table is taken to be a whole company and this territory {grounds.territory_fraction:.3%} of it "
        "(judgement). Routes are associations: who got which deal was somebody's choice. Amounts are those of won "
        f"deals, cycles those of all closed ones. Judgement: everything else, from {grounds.template.name}; quota so "
        "that about 57% of the first four quarters make it under the status quo."
    )[:4000]


def _round_to_digits(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
