"""Territories of eight partners with known skill and engagement, and what a channel manager sees of them in a year.

The engine simulates the deals. Skill and engagement stand still (left alone they stay, nobody teaches), so that there
is one truth; or they move as the model has it, and the truth is their mean over the year. Levels are beta about those
of the kind, as loose as 5 draws, or anywhere, .05 to .95, whatever the kind.

What no ledger has is drawn by the rules of `_soft`, which are not those by which the intake reads it:

    certified people  Poisson about 5 * skill * (size of the partner, lognormal .4)
    found alone       beta-binomial of the registered deals, mean .1 + .8 * engagement, as loose as 6 deals
    help asked for    gamma about what its kind takes, coefficient of variation .6
    ambition          3, 4.2 or 2.3 for achiever, believer, deceiver, give or take a normal 1, rounded
    account share     the true one times a lognormal error of .15

Run as `python -m tests.synthetic_partners` it prints how well the intake finds them, by the number of deals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nexthour.calibrate.people.partner_intake import infer_partners
from nexthour.calibrate.people.partner_posterior import PartnerRow
from sim import Scenario, TimePlan, draw_market, load_scenario, simulate
from sim.ledger import ENDINGS, Kind
from sim.ranges import Range
from sim.scenario import OwnTraits, Partner
from sim.terms import PARTNER_SEGMENTS, WEEKS_PER_QUARTER, WEEKS_PER_YEAR

PARTNERS = 8
WANTS_TO_GROW = {"achiever": 3.0, "believer": 4.2, "deceiver": 2.3}


@dataclass(frozen=True)
class Truth:
    """What a partner is."""

    kind: str
    skill: float
    engagement: float


@dataclass(frozen=True)
class Territory:
    """A year of eight partners."""

    scenario: Scenario
    starts: list[Truth]


def territory(
    template: Scenario, rng: np.random.Generator, deals_a_year: float, anywhere: bool = False, moving: bool = False
) -> Territory:
    """Eight partners that register about so many deals a year each, on average."""
    prior = [getattr(template.segment_prior, kind) for kind in PARTNER_SEGMENTS]
    truths = [_truth(template, str(rng.choice(PARTNER_SEGMENTS, p=prior)), rng, anywhere) for _ in range(PARTNERS)]
    shares = rng.dirichlet(np.full(PARTNERS + 1, 6.0), size=len(template.market_map))[:, :PARTNERS]
    usual = sum(s.opportunities_per_quarter for s in template.market_map) * 4 / (PARTNERS + 1) * 0.6
    scale = deals_a_year / usual
    market = tuple(
        s.model_copy(
            update={"opportunities_per_quarter": s.opportunities_per_quarter * scale, "growth_per_quarter": 0.0}
        )
        for s in template.market_map
    )
    partners = tuple(
        Partner(
            name=f"Partner {i + 1}",
            label=truth.kind,  # type: ignore[arg-type]
            base_share=dict(zip(template.segment_names, shares[:, i].tolist(), strict=True)),
            capacity_deals=1000,
            traits=_moving(truth, template) if moving else _standing_still(truth),
        )
        for i, truth in enumerate(truths)
    )
    certain = template.assumptions.model_copy(update={"label_accuracy": Range(low=1, likely=1, high=1)})
    scenario = template.variant(
        name="eight synthetic partners",
        horizon_quarters=WEEKS_PER_YEAR // WEEKS_PER_QUARTER,
        market_map=market,
        partners=partners,
        candidates=(),
        plans=(),
        assumptions=certain,
        status_quo=template.status_quo if moving else {"name": "no partner time", "partner_share": 0.0},
    )
    return Territory(scenario, truths)


def _truth(template: Scenario, kind: str, rng: np.random.Generator, anywhere: bool) -> Truth:
    if anywhere:
        return Truth(kind, float(rng.uniform(0.05, 0.95)), float(rng.uniform(0.05, 0.95)))
    traits = getattr(template.partner_segments, kind)
    levels = (traits.skill_start.likely, traits.engagement_start.likely)
    skill, engagement = (float(np.clip(rng.beta(5 * m, 5 * (1 - m)), 0.005, 0.995)) for m in levels)
    return Truth(kind, skill, engagement)


def _standing_still(truth: Truth) -> OwnTraits:
    return _own(skill=(truth.skill, 1.0, truth.skill), engagement=(truth.engagement, 1.0, truth.engagement), taught=0.0)


def _moving(truth: Truth, template: Scenario) -> OwnTraits:
    like = getattr(template.partner_segments, truth.kind)
    return _own(
        skill=(truth.skill, max(truth.skill, like.skill_ceiling.likely), like.skill_alone.likely),
        engagement=(
            truth.engagement,
            max(truth.engagement, like.engagement_ceiling.likely),
            like.engagement_alone.likely,
        ),
        taught=like.teachability.likely,
    )


def _own(skill: tuple[float, ...], engagement: tuple[float, ...], taught: float) -> OwnTraits:
    """Traits without width; both stocks as start, ceiling, alone."""
    values = {"teachability": taught}
    for stock, levels in (("skill", skill), ("engagement", engagement)):
        values |= {f"{stock}_{name}": level for name, level in zip(("start", "ceiling", "alone"), levels, strict=True)}
    return OwnTraits.model_validate(values)


def seen(
    made: Territory, rng: np.random.Generator, seed: int, soft: bool = True
) -> tuple[list[PartnerRow], list[Truth]]:
    """What the manager writes down after a simulated year, and the mean levels over it.

    `soft`: with what no table of deals has.
    """
    scenario = made.scenario
    ledger = simulate(scenario, TimePlan.status_quo(scenario), draw_market(scenario, seed), engine="compiled")
    year = ledger.records[ledger.records["tick"] >= 0]
    deals = year[year["kind"] == Kind.REGISTERED]
    ended = year[np.isin(year["kind"], ENDINGS)]["opportunity"]
    won = year[year["kind"] == Kind.WON_PARTNER]["opportunity"]
    everything = sum(s.opportunities_per_quarter for s in scenario.market_map)
    rows, truths = [], []
    for p, (partner, start) in enumerate(zip(scenario.partners, made.starts, strict=True)):
        registered = deals["opportunity"][deals["partner"] == p]
        levels = (
            year[(year["kind"] == kind) & (year["partner"] == p)]["value"] for kind in (Kind.SKILL, Kind.ENGAGEMENT)
        )
        truth = Truth(start.kind, *(float(level.mean()) for level in levels))
        arising = sum(partner.base_share[s.name] * s.opportunities_per_quarter for s in scenario.market_map)
        row: dict[str, object] = {
            "partner": partner.name,
            "registered_deals": len(registered),
            "wins": int(np.isin(registered, won).sum()),
            "still_open": int((~np.isin(registered, ended)).sum()),
            "account_share": float(min(1.0, arising / everything * np.exp(0.15 * rng.standard_normal()))),
        }
        signs = _soft(scenario, truth, len(registered), rng) if soft else {}
        rows.append(PartnerRow.model_validate({**row, **signs}))
        truths.append(truth)
    return rows, truths


def _soft(scenario: Scenario, truth: Truth, deals: int, rng: np.random.Generator) -> dict[str, object]:
    alone = 0.1 + 0.8 * truth.engagement
    support = getattr(scenario.partner_segments, truth.kind).reactive_support_hours.likely
    return {
        "certified_people": int(rng.poisson(5 * truth.skill * np.exp(0.4 * rng.standard_normal()))),
        "found_alone": int(rng.binomial(deals, rng.beta(6 * alone, 6 * (1 - alone)))),
        "help_hours_per_week": float(rng.gamma(0.6**-2, support * 0.6**2)),
        "ambition": int(np.clip(round(rng.normal(WANTS_TO_GROW[truth.kind], 1)), 1, 5)),
    }


@dataclass(frozen=True)
class Recovery:
    """What the intake made of all partners of many territories."""

    rank: NDArray[np.float64]
    """Spearman's correlation of true and likely, shape (territories, 2): skill, engagement"""
    covered: NDArray[np.bool_]
    """shape (partners, 2)"""
    width: NDArray[np.float64]
    """of the 90% intervals, shape (partners, 2)"""
    right: NDArray[np.bool_]
    """label, shape (partners,)"""
    said: NDArray[np.float64]
    """probability of the label, shape (partners,)"""


def recovery(
    template: Scenario,
    territories: int,
    seed: int,
    deals_a_year: float,
    soft: bool = True,
    anywhere: bool = False,
    moving: bool = False,
) -> Recovery:
    """The intake of so many territories, against the truth."""
    rng = np.random.default_rng(seed)
    rank, covered, width, right, said = [], [], [], [], []
    for i in range(territories):
        made = territory(template, rng, deals_a_year, anywhere, moving)
        rows, truths = seen(made, rng, seed + i, soft)
        true = np.array([(truth.skill, truth.engagement) for truth in truths])
        estimates = infer_partners(rows, _unknown(made.scenario)).estimates
        ends = np.array(
            [[(r.low, r.likely, r.high) for r in (estimate.skill, estimate.engagement)] for estimate in estimates]
        )
        rank.append([stats.spearmanr(true[:, k], ends[:, k, 1]).statistic for k in range(2)])
        covered.append((ends[:, :, 0] <= true) & (true <= ends[:, :, 2]))
        width.append(ends[:, :, 2] - ends[:, :, 0])
        right.append([estimate.label == truth.kind for estimate, truth in zip(estimates, truths, strict=True)])
        said.append([estimate.kinds[estimate.label] for estimate in estimates])
    return Recovery(np.array(rank), *map(np.concatenate, (covered, width, right, said)))


def _unknown(scenario: Scenario) -> Scenario:
    """The scenario without what the intake has to find."""
    return scenario.variant(
        partners=tuple(p.model_copy(update={"label": "believer", "traits": OwnTraits()}) for p in scenario.partners)
    )


def main() -> None:
    """Print how well 150 territories are found, by the number of deals and by what else is known."""
    baseline = load_scenario("scenarios/baseline.yaml")
    print("deals  all known  like no kind  rank skill, engagement  territories >= .8  covered     labels right (said)")
    for deals, soft, anywhere in (
        *((deals, True, False) for deals in (12, 25, 50, 100, 200, 500)),
        *((deals, False, False) for deals in (25, 50, 100, 200)),
        *((deals, True, True) for deals in (25, 100)),
    ):
        found = recovery(baseline, 150, 1, deals, soft, anywhere)
        columns = (found.rank.mean(axis=0), (found.rank >= 0.8).mean(axis=0), found.covered.mean(axis=0))
        cells = "   ".join("{:12.2f} {:.2f}".format(*column) for column in columns)
        print(f"{deals:5}  {soft!s:9}  {anywhere!s:9}  {cells}   {found.right.mean():.2f} ({found.said.mean():.2f})")


if __name__ == "__main__":
    main()
