"""Cells to a scenario: what the table says replaces the market map, everything else stays the template's
judgement.

* A row of the market map for each segment and route. The model has one deal size and one win rate for a row
  whoever sells; tables show partner deals of a different size, so they are different opportunities and get a
  row of their own.
* Win rate to stages: the template's advance probabilities to a common power, so that their product is the win
  rate.
* A partner wins fit * (the manager's win rate) * skill^alpha. The manager's win rate on partner opportunities
  is in no table: it is put at the larger of the two observed ones, and `fit` makes the partners of the row,
  as skilled and engaged as the template says they are today, win what they won in the table.
* Each partner sells to one segment (to several where there are fewer partners than segments), because a
  partner has one cycle; each segment gets partners by its number of deals.
* Size: opportunities are the table's times the share of it that is this territory. A table of closed deals
  does not show what nobody saw, so this is the least there can be.

Left out: growth (0 unless known), over-dispersion of demand (the default; one period does not show it), which
partner sold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, log, prod
from typing import Any

from calibrate.fit import Cell, spread
from sim.documents import validate
from sim.errors import ScenarioError, TableError
from sim.scenario import PARTNER_SEGMENTS, WEEKS_PER_QUARTER, Partner, Scenario, Segment, Split

MOST_FIT = 3.0
MOST_BASE = 0.95
"""Most of a row's accounts that partners may hold together."""

NO_ACCOUNTS = {
    "base_share": {},
    "fit_by_segment": {},
    "source": "judgement; closed deals show no accounts of a partner not yet signed: give it a base_share",
}
"""What replaces a candidate's accounts in the template's segments."""


@dataclass(frozen=True)
class Size:
    """How the table's numbers become one territory's."""

    file: str
    about: str
    quarters: float
    territory_fraction: float


@dataclass(frozen=True)
class RowKnobs:
    """What is found for a row of direct deals.

    In the simulation small deals go cold more often, and so do deals that need all stages, the winners. So
    the deals that close are larger than the market's and won less often; the factors undo that.
    """

    lag_scale: float = 1.0
    """times the template's buyer lags"""
    win_factor: float = 1.0
    median_factor: float = 1.0
    mean_factor: float = 1.0


@dataclass(frozen=True)
class Knobs:
    """What is found by simulating (check.py), because it does not follow from the table alone."""

    rows: Mapping[str, RowKnobs] = field(default_factory=dict)
    """by row of direct deals; as in RowKnobs() where not named"""
    found_share: float = 0.4
    """share of direct opportunities that the manager sees; partners bring the same share of theirs"""
    quota_usd: float = 1_000_000.0


def build(cells: Sequence[Cell], template: Scenario, size: Size, knobs: Knobs) -> Scenario:
    """The scenario. Raises TableError if the template cannot take these cells, ScenarioError if the result is
    not valid.
    """
    if not template.partners:
        raise TableError(
            f"template {template.name}: has no partners to sell the partner deals; add them or take another"
        )
    rows = {cell.row: _per_quarter(cell, size) for cell in cells if cell.route == "partner"}
    sells_to = deal_out([p.name for p in template.partners], rows)
    data = {
        **dict(template),
        "name": f"Fitted from {size.file}"[:80],
        "source": _scenario_source(size, template),
        "market_map": [_segment(cell, cells, template, size, knobs, sells_to) for cell in cells],
        "partners": [_partner(p, cells, template, size, knobs, sells_to) for p in template.partners],
        "candidates": [c.model_copy(update=NO_ACCOUNTS) for c in template.candidates],
        "quota": {"first_quarter_usd": knobs.quota_usd, "growth_per_year": template.quota.growth_per_year},
        "open_pipeline": None,
        "status_quo": _everywhere(template.status_quo),
        "plans": [_everywhere(plan) for plan in template.plans],
    }
    return validate(Scenario, data, f"scenario fitted from {size.file}", ScenarioError)


def deal_out(partners: Sequence[str], rows: Mapping[str, float]) -> dict[str, list[str]]:
    """Partner to its rows: one for every row, then by the number of opportunities (as seats by votes,
    D'Hondt).
    """
    if len(partners) < len(rows):
        return {name: list(rows)[i :: len(partners)] for i, name in enumerate(partners)}
    seats = dict.fromkeys(rows, 1)
    for _ in range(len(partners) - len(rows)):
        seats[max(rows, key=lambda row: rows[row] / (seats[row] + 1))] += 1
    dealt = [row for row in rows for _ in range(seats[row])]
    # Neighbours in a file are often of one kind: every other one, so that a row does not get one kind only.
    return {name: [row] for name, row in zip([*partners[::2], *partners[1::2]], dealt, strict=True)}


def nearest(cell: Cell, template: Scenario) -> Segment:
    """The template's segment with the most similar deal size, for what the table does not say."""
    return min(template.market_map, key=lambda s: abs(log(s.deal_size_median_usd / cell.median_usd)))


def _through(like: Segment, template: Scenario) -> float:
    """The product of a template segment's advance probabilities. Raises TableError if no power of it is a win rate."""
    product = prod(s.advance_probability for s in like.stages)
    if 0 < product < 1:
        return product
    written = ", ".join(f"{s.advance_probability:g}" for s in like.stages)
    raise TableError(
        f"template {template.name}: the advance probabilities of segment {like.name} are {written}, and no power of "
        f"their product {product:g} is a win rate; allowed: all above 0 and at least one below 1"
    )


def starts(partner: Partner, template: Scenario) -> tuple[float, float]:
    """Expected share of its opportunities that a partner brings today, and its wins per opportunity at fit
    and win rate 1.

    Over the true segment, given the label.
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


def _per_quarter(cell: Cell, size: Size) -> float:
    return cell.deals / size.quarters * size.territory_fraction


def _win_rate_and_fit(
    cell: Cell, cells: Sequence[Cell], template: Scenario, sells_to: Mapping[str, list[str]]
) -> tuple[float, float]:
    """The manager's win rate in a row, and what the fit of its partners is multiplied by."""
    if cell.route == "direct":
        return cell.win_rate, 1.0
    theirs = [p for p in template.partners if cell.row in sells_to[p.name]]
    both = [starts(p, template) for p in theirs]
    brings = sum(b for b, _ in both)
    wins = sum(p.fit * w for p, (_, w) in zip(theirs, both, strict=True))
    if wins <= 0:
        raise TableError(
            f"template {template.name}: the partners dealt to {cell.row} cannot win or bring deals; check traits"
        )
    direct = [c.win_rate for c in cells if c.segment == cell.segment and c.route == "direct"]
    manager = max([cell.win_rate, *direct])
    factor = min(cell.win_rate * brings / (manager * wins), MOST_FIT / max(p.fit for p in theirs))
    return min(0.98, cell.win_rate * brings / (factor * wins)), factor


def _base(cell_row: str, template: Scenario, knobs: Knobs, sells_to: Mapping[str, list[str]]) -> float:
    """Share of a row's accounts that each of its partners has, so that together they bring `found_share`."""
    theirs = [p for p in template.partners if cell_row in sells_to[p.name]]
    brings = sum(starts(p, template)[0] for p in theirs)
    return min(MOST_BASE / len(theirs), knobs.found_share / brings if brings > 0 else 0.0)


def _segment(
    cell: Cell,
    cells: Sequence[Cell],
    template: Scenario,
    size: Size,
    knobs: Knobs,
    sells_to: Mapping[str, list[str]],
) -> dict[str, Any]:
    like = nearest(cell, template)
    knobs_here = knobs.rows.get(cell.row, RowKnobs())
    scale = knobs.rows.get(f"{cell.segment}, direct", knobs_here).lag_scale
    win_rate = min(0.98, _win_rate_and_fit(cell, cells, template, sells_to)[0] * knobs_here.win_factor)
    power = log(win_rate) / log(_through(like, template))
    median = cell.median_usd * knobs_here.median_factor
    mean = cell.mean_usd * knobs_here.mean_factor
    stages = [
        {
            **stage.model_dump(exclude_unset=True),
            "advance_probability": round(stage.advance_probability**power, 4),
            "buyer_lag_weeks": round(min(104.0, stage.buyer_lag_weeks * scale), 3),
        }
        for stage in like.stages
    ]
    return {
        "name": cell.row,
        "source": _cell_source(cell, like, template, size),
        "opportunities_per_quarter": _digits(_per_quarter(cell, size), 4),
        "growth_per_quarter": 0.0,
        "deal_size_median_usd": _digits(median, 3),
        "deal_size_sigma": round(spread(median, mean, cell.sigma), 3),
        "inbound_share": like.inbound_share,
        "prospecting_yield": like.prospecting_yield.model_dump(),
        "stages": stages,
    }


def _partner(
    partner: Partner,
    cells: Sequence[Cell],
    template: Scenario,
    size: Size,
    knobs: Knobs,
    sells_to: Mapping[str, list[str]],
) -> dict[str, Any]:
    theirs = [cell for cell in cells if cell.row in sells_to[partner.name]]
    kept = {name: value for name, value in dict(partner).items() if name in partner.model_fields_set}
    if not theirs:
        return {**kept, "base_share": {}, "fit_by_segment": {}}
    weights = [cell.deals / sum(c.deals for c in theirs) for cell in theirs]
    cycle = sum(w * c.cycle_weeks for w, c in zip(weights, theirs, strict=True))
    base = {cell.row: _digits(_base(cell.row, template, knobs, sells_to), 3) for cell in theirs}
    fits = {c.row: round(partner.fit * _win_rate_and_fit(c, cells, template, sells_to)[1], 3) for c in theirs}
    open_deals = sum(_per_quarter(c, size) * base[c.row] for c in theirs) / WEEKS_PER_QUARTER * cycle
    names = " and ".join(cell.segment for cell in theirs)
    return {
        **kept,
        "source": _partner_source(names, template, size),
        "base_share": base,
        "fit_by_segment": fits,
        "capacity_deals": max(partner.capacity_deals, ceil(3 * open_deals) + 2),
        "cycle_weeks": round(min(cycle, 104.0), 3),
        "cycle_shape": round(sum(w * c.cycle_shape for w, c in zip(weights, theirs, strict=True)), 3),
    }


def _everywhere(split: Split) -> Split:
    """A template's split without the names of its segments."""
    return (
        split if isinstance(split.coverage_mode, str) else split.model_copy(update={"coverage_mode": "partner_first"})
    )


def _partner_source(segments: str, template: Scenario, size: Size) -> str:
    return (
        f"cycle fitted from {size.file}, partner deals of {segments}; fit so that the row's partners win "
        f"what "
        "they won there; capacity at least three times the open deals expected; the rest judgement, from "
        f"{template.name}"
    )[:1000]


def _cell_source(cell: Cell, like: Segment, template: Scenario, size: Size) -> str:
    how = "by weeks" if cell.by_week else "binomial, too narrow if deals of a week share their luck"
    direct = cell.route == "direct"
    return (
        f"fitted from {size.file}: {cell.deals:,} closed {cell.route} deals, {cell.win_rate:.1%} won (95% "
        f"interval "
        f"{cell.win_low:.1%} to {cell.win_high:.1%}, {how}); won deals with an amount have median "
        f"${cell.median_usd:,.0f} and mean ${cell.mean_usd:,.0f} ({cell.without_amount:,} had none)"
        + (", here corrected for deals that go cold unclosed" if direct else "")
        + f"; mean cycle of all {cell.cycle_weeks:.1f} weeks; opportunities are "
        f"{size.territory_fraction:.3%} of "
        f"{cell.deals / size.quarters:,.0f} a quarter, only what somebody saw. Judgement: hours, patience, "
        f"inbound "
        f"share, prospecting yield and proportions of stages as {like.name} of {template.name}"
        + ("" if direct else ", and the manager's win rate here")
    )[:1000]


def _scenario_source(size: Size, template: Scenario) -> str:
    return (
        "Win rates, deal sizes, cycles and relative numbers of opportunities fitted from "
        + size.file
        + (f" ({size.about})" if size.about else "")
        + "; the table is taken to be a whole company and this territory "
        f"{size.territory_fraction:.3%} of it "
        "(judgement). Routes are associations: who got which deal was somebody's choice. Amounts are those "
        "of won "
        f"deals, cycles those of all closed ones. Judgement: everything else, from {template.name}; base "
        f"shares so "
        "that partners bring the same share of their opportunities as the manager finds of the direct "
        "ones; quota "
        "so that about 57% of the first four quarters make it under the status quo."
    )[:4000]


def _digits(value: float, digits: int) -> float:
    """`value` to so many significant digits."""
    return float(f"{value:.{digits}g}")
