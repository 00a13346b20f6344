"""What a fit says of deals it has not seen is true: in made-up territories, and in the real sample where it is at hand.

Made-up territories share one law with effects of known sizes; predictions of others then cover the real number in about
90% of cells and are nearer to it than the plain forecast by route. On the public win/loss sample, fitted on two regions
and the early weeks, at least 85% of the cells are covered, and the mean error of won amounts, and that of all numbers
together, beats the plain forecast.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nexthour.calibrate import Deals, load_mapping, read_deals
from nexthour.calibrate.fit.effects import Blocks, ObservedBlocks, Sizes, draw_effects
from nexthour.calibrate.fit.predict import backtest, predict, whole_weeks
from sim.errors import TableError
from tests import ROOT

REAL = ROOT.parent / "shared" / "data" / "opportunities_direct_and_reseller.csv.gz"
CHANCES = (0.4, 0.3, 0.22, 0.16)
"""By quarter of the amounts: small deals are won more often."""


def company(rng: np.random.Generator, territories: int = 6, weeks: int = 12) -> pd.DataFrame:
    """Closed deals whose weeks, territories and territories in weeks have luck of their own."""
    parts = []
    for route in ("direct", "partner"):
        week_luck = 0.35 * rng.normal(size=weeks)
        for t in range(territories):
            place_luck = 0.2 * rng.normal()
            # Territories sell deals of different sizes, so that a forecast by route alone is off.
            tilt = rng.uniform(-1, 1)
            for week in range(weeks):
                n = int(rng.poisson(25 * rng.gamma(8, 1 / 8)))
                rank = stats.norm.cdf(rng.normal(tilt, 1, n))
                luck = 1 + week_luck[week] + place_luck + 0.2 * rng.normal()
                chance = np.clip(np.array(CHANCES)[(rank * 3.999).astype(int)] * luck, 0.02, 0.95)
                part = pd.DataFrame(
                    {
                        "segment": "all",
                        "territory": f"T{t}",
                        "route": route,
                        "won": rng.random(n) < chance,
                        "amount_usd": 20_000 * np.exp(stats.norm.ppf(np.clip(rank, 1e-6, 1 - 1e-6))),
                        "cycle_weeks": 4 * rng.weibull(1.5, n) * np.exp(0.15 * rng.normal()),
                        "closed_day": week * 7.0 + rng.integers(0, 7, n),
                    }
                )
                parts.append(part)
    return pd.concat(parts, ignore_index=True)


def test_predictions_of_made_up_territories_are_covered_and_beat_the_plain_forecast() -> None:
    found = []
    for seed in range(4):
        deals = company(np.random.default_rng(seed))
        seen = deals["territory"].isin(["T0", "T1", "T2"])
        found += predict(deals[seen], deals[~seen], seed)
    hits = sum(prediction.inside for prediction in found)
    # Cells of one company share their weeks, so there are fewer cases than cells: a third.
    assert stats.binom.cdf(hits // 3, len(found) // 3, 0.85) > 0.001, (hits, len(found))
    rates = [one for one in found if one.what == "win rate"]
    assert np.mean([(one.predicted.high - one.predicted.low) / 2 / one.observed for one in rates]) < 0.6
    for what in ("win rate", "won amount per opportunity"):
        of_kind = [one for one in found if one.what == what]
        ours = np.mean([abs(one.predicted.value / one.observed - 1) for one in of_kind])
        plain = np.mean([abs(one.by_route / one.observed - 1) for one in of_kind])
        assert ours < 0.9 * plain, (what, ours, plain)


def test_weeks_that_were_not_seen_are_told_with_more_doubt() -> None:
    deals = company(np.random.default_rng(9))
    early, rest = deals["closed_day"] < 56, ~deals["territory"].isin(["T0", "T1", "T2"])
    seen = deals[early & ~rest]
    width = [
        np.mean([one.predicted.high - one.predicted.low for one in predict(seen, others) if one.what == "win rate"])
        for others in (deals[early & rest], deals[~early & rest])
    ]
    assert width[1] > 1.2 * width[0]


def test_what_was_seen_moves_what_shares_its_week_or_place_and_nothing_else() -> None:
    seen = ObservedBlocks(
        Blocks(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), np.zeros(4, bool)),
        np.array([0.5, 0.5, -0.5, -0.5]),
        np.full(4, 0.02),
    )
    # A new territory in the two weeks, and in one not seen.
    wanted = Blocks(np.array([2, 2, 2]), np.array([0, 1, 7]), np.array([False, False, True]))
    only_weeks = Sizes(territory=0.01, week=0.5, territory_in_week=0.01, time=0.01, territory_in_time=0.01)
    drawn = draw_effects(seen, wanted, only_weeks, 2000, np.random.default_rng(1))
    assert np.allclose(drawn.mean(axis=0), [0.5, -0.5, 0.0], atol=0.06)
    assert drawn.std(axis=0)[2] > 5 * drawn.std(axis=0)[0]


def test_strays_open_no_week() -> None:
    days = pd.Series([0.0, *np.repeat(np.arange(100, 121), 20), 400.0])
    assert whole_weeks(days).tolist() == [140, 140, 140]


def as_deals(frame: pd.DataFrame) -> Deals:
    return Deals("made up", frame, frame.iloc[:0], pd.DataFrame({"row": [], "reason": []}), len(frame))


def test_a_backtest_holds_out_what_it_says() -> None:
    deals = company(np.random.default_rng(3), territories=3)
    result = backtest(as_deals(deals), ["T0", "T1"], until_share=0.6)
    week = deals["closed_day"] // 7
    early = week <= week.quantile(0.6)
    assert result.deals_seen == (early & (deals["territory"] != "T2")).sum()
    assert result.deals_seen + result.deals_held_out == len(deals)
    # T2 twice, early and late; T0 and T1 late only; two routes each.
    assert sum(prediction.what == "win rate" for prediction in result.predictions) == 8
    assert {row["what"] for row in result.summary()} == {prediction.what for prediction in result.predictions}
    assert backtest(as_deals(deals), ["T0", "T1"], until_share=0.6) == result


@pytest.mark.parametrize(
    ("territories", "share", "says"),
    [
        (["T9"], 0.6, "no territory 'T9'; allowed: T0, T1"),
        (None, 1.0, "no deal is left to predict"),
        (None, 0.0, "until_share is 0.0; allowed"),
    ],
)
def test_a_backtest_that_cannot_be(territories: list[str] | None, share: float, says: str) -> None:
    with pytest.raises(TableError, match=says):
        backtest(as_deals(company(np.random.default_rng(3), territories=2)), territories, share)


def test_deals_without_days_are_not_predicted() -> None:
    deals = company(np.random.default_rng(3), territories=2).assign(closed_day=np.nan)
    with pytest.raises(TableError, match="without a day of closing"):
        predict(deals, deals)


@pytest.mark.skipif(
    not REAL.exists(), reason=f"the win/loss sample is not part of the product: ../shared/data/{REAL.name}"
)
def test_other_regions_and_weeks_of_the_real_sample() -> None:
    mapping = load_mapping(ROOT / "scenarios" / "mappings" / "win_loss_sample.yaml")
    deals = read_deals(REAL, mapping)
    regions = sorted(set(deals.closed["territory"]))
    pairs = list(combinations(regions, 2))[::3]
    found = [prediction for pair in pairs for prediction in backtest(deals, pair, until_share=0.65).predictions]
    assert np.mean([prediction.inside for prediction in found]) >= 0.85
    for kinds in (("won amount",), ("win rate", "won amount", "cycle")):
        of_kind = [one for one in found if one.what.startswith(kinds) and one.observed > 0]
        ours = np.mean([abs(one.predicted.value / one.observed - 1) for one in of_kind])
        plain = np.mean([abs(one.by_route / one.observed - 1) for one in of_kind])
        assert ours < plain, (kinds, ours, plain)
