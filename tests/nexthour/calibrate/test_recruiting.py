"""A recruiting funnel gives back the probability and the times it was made with, and how sure that is.

Claims: over simulated funnels, whose weeks share their luck and whose contacts may still sign, the 90% intervals cover
the truth in 85-95% of cases; a funnel cut short does not mistake "not yet" for "never"; kinds borrow from each other;
rows read = rows used + rows rejected; candidates get the numbers once, with their source. What is said of the real
funnel is tested where ../shared/data has it, and skipped where not.
"""

from __future__ import annotations

import datetime
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

from nexthour.calibrate.people.recruiting import fit_recruiting, hold_out, with_recruiting
from nexthour.calibrate.people.recruiting_contacts import Contacts, read_contacts
from sim import load_scenario
from sim.errors import TableError
from sim.scenario import Scenario
from tests import ROOT, make_recruiting
from tests.make_recruiting import AS_OF, FILE, KINDS

pytestmark = pytest.mark.generated

REAL = ROOT.parent / "shared" / "data" / "partner_recruitment_funnel.csv.gz"
CASES = 200 if "FRESH_SEEDS" in os.environ else 25
SEED = int(os.environ.get("CLAIMS_SEED", "1"))
FALSE_ALARMS = 0.001
"""Of a covering test whose intervals cover in 85-95% of all cases."""
DAY = datetime.date


def funnel(
    rng: np.random.Generator,
    share: float,
    weeks: int,
    a_week: float,
    days: float,
    shape: float,
    luck: float,
    days_after: int,
    kind: str = "",
) -> Contacts:
    """Contacts of so many weeks, a Poisson number in each; a week's share to sign is beta with standard deviation
    luck * share * (1 - share); days to signing are Weibull, rounded down. Exported `days_after` the last week.
    """  # fmt: skip
    numbers = rng.poisson(a_week, weeks)
    shares = np.full(weeks, share)
    if luck:
        size = 1 / (luck**2 * share * (1 - share)) - 1
        shares = rng.beta(share * size, (1 - share) * size, weeks)
    began = np.repeat(7.0 * np.arange(weeks), numbers) + rng.integers(0, 7, numbers.sum())
    ended = began + np.floor(days * rng.weibull(shape, len(began)))
    as_of = 7.0 * weeks + days_after
    signed = (rng.random(len(began)) < np.repeat(shares, numbers)) & (ended <= as_of)
    frame = pd.DataFrame({"contacted_day": began, "signed_day": np.where(signed, ended, np.nan), "kind": kind})
    return Contacts("simulated", as_of, frame, ())


def signed_by(days: float, scale: float, shape: float) -> float:
    """Share of those who ever sign that has signed after so many whole days."""
    return float(stats.weibull_min.cdf(np.floor(days) + 1, shape, scale=scale))


def covers(hits: int, cases: int) -> bool:
    """Whether so many hits are what intervals give that cover in 85-95% of all cases."""
    enough, few = stats.binom.ppf(FALSE_ALARMS / 2, cases, 0.85), stats.binom.ppf(1 - FALSE_ALARMS / 2, cases, 0.95)
    return bool(enough <= hits <= few)


def some_funnel(
    rng: np.random.Generator, share: float, a_week: float, days_after: int
) -> tuple[Contacts, float, float]:
    """A funnel with a length, luck and times drawn; scale and shape of the days to signing."""
    days, shape = rng.uniform(10, 60), rng.uniform(0.6, 1.5)
    weeks, luck = int(rng.integers(10, 27)), rng.choice([0, 0.2, 0.4])
    return funnel(rng, share, weeks, a_week, days, shape, luck, days_after), days, shape


def test_intervals_cover_what_the_funnel_was_made_with() -> None:
    print("seed", SEED)
    rng = np.random.default_rng(SEED)
    shares = times = 0
    for _ in range(CASES):
        share = rng.uniform(0.05, 0.6)
        contacts, days, shape = some_funnel(rng, share, rng.uniform(20, 60), int(rng.integers(0, 200)))
        fitted = fit_recruiting(contacts)
        ever = signed_by(fitted.horizon_weeks * 7, days, shape)
        half = next(t for t in range(1000) if signed_by(t, days, shape) >= ever / 2)
        shares += fitted.sign_probability.low <= share * ever <= fitted.sign_probability.high
        times += fitted.weeks_to_sign[0.5].low <= max(0.5, half) / 7 <= fitted.weeks_to_sign[0.5].high
    print(f"covered: share {shares}, median weeks {times} of {CASES}")
    assert covers(shares, CASES) and covers(times, CASES)


def test_predictions_of_later_contacts_cover_what_they_do() -> None:
    print("seed", SEED)
    rng = np.random.default_rng(SEED + 1)
    held = 0
    for _ in range(CASES):
        # As many as leave no third of a funnel with too few to say anything.
        contacts, *_ = some_funnel(rng, rng.uniform(0.2, 0.6), rng.uniform(50, 80), int(rng.integers(60, 200)))
        held += hold_out(contacts).holds
    print(f"held: {held} of {CASES}")
    assert covers(held, CASES)


def test_a_funnel_cut_short_does_not_take_not_yet_for_never() -> None:
    rng = np.random.default_rng(3)
    # Half a year of contacts, exported on the last day; half sign, on average after twelve weeks.
    contacts = funnel(rng, 0.5, 26, 600, 90, 1.5, 0, 0)
    fitted = fit_recruiting(contacts)
    truth = 0.5 * signed_by(fitted.horizon_weeks * 7, 90, 1.5)
    as_counted = fitted.signed / fitted.contacts
    assert abs(fitted.sign_probability.value - truth) < 4 * fitted.sign_error < truth - as_counted
    assert fitted.horizon_weeks == pytest.approx(13, abs=0.6)  # half of them were followed for that long
    assert not fitted.is_flat  # so it is a lower bound
    followed = funnel(rng, 0.5, 26, 150, 90, 1.5, 0, 400)
    assert fit_recruiting(followed).is_flat
    assert abs(fit_recruiting(followed).sign_probability.value - 0.5) < 4 * fit_recruiting(followed).sign_error


def test_weeks_that_share_their_luck_widen_the_interval() -> None:
    rng = np.random.default_rng(4)
    even, uneven = (fit_recruiting(funnel(rng, 0.3, 26, 200, 20, 1, luck, 200)) for luck in (0, 0.8))
    # A week of 200 with such luck differs 1 + 199 * .21 * .64 = 28 times as much as by chance; a variance of 26 weeks
    # is off by a factor of 3 in fewer than 1 of 1,000 cases.
    assert 28 / 3 < uneven.design_effect < 28 * 3
    assert even.design_effect < 3
    assert uneven.sign_error > 2 * even.sign_error


def test_the_curve_is_kaplan_and_meiers() -> None:
    # Ten contacts of day 0; signed after 2, 4 and 6 days; three followed for 5 days only, the others for 20.
    began = np.array([0] * 7 + [15] * 3 + [0] * 30, dtype=float)
    ended = np.array([2, 4, 6] + [np.nan] * 7 + [1] * 5 + [np.nan] * 25)
    contacts = Contacts("few", 20.0, pd.DataFrame({"contacted_day": began, "signed_day": ended, "kind": ""}), ())
    fitted = fit_recruiting(contacts)
    by_hand = 1 - (1 - 5 / 40) * (1 - 1 / 35) * (1 - 1 / 34) * (1 - 1 / 30)
    assert fitted.sign_probability.value == pytest.approx(by_hand)
    # Greenwood by hand; there are too few weeks, so contacts were drawn again.
    greenwood = (1 - by_hand) * (5 / 40 / 35 + 1 / 35 / 34 + 1 / 34 / 33 + 1 / 30 / 29) ** 0.5
    assert not fitted.by_week and fitted.sign_error == pytest.approx(greenwood, rel=0.3)
    assert fitted.sign_error >= greenwood * (1 - 1e-9)
    assert [fitted.weeks_to_sign[q].value * 7 for q in (0.1, 0.5, 0.9)] == [1, 1, 6]


def test_kinds_borrow_from_each_other() -> None:
    rng = np.random.default_rng(5)
    true = {"a": 0.2, "b": 0.25, "c": 0.3, "few": 0.5}
    frames = [
        funnel(rng, share, 20, 1 if kind == "few" else 60, 10, 1, 0, 200, kind).frame for kind, share in true.items()
    ]
    fitted = fit_recruiting(Contacts("kinds", 340.0, pd.concat(frames, ignore_index=True), ()))
    kinds = {kind.name: kind for kind in fitted.kinds}
    assert kinds.keys() == true.keys() and [k.contacts for k in fitted.kinds] == sorted(
        (k.contacts for k in fitted.kinds), reverse=True
    )
    for name in ("a", "b", "c"):
        own = kinds[name].alone
        assert abs(kinds[name].sign_probability.value - own) < 0.02
        assert kinds[name].sign_probability.low < own < kinds[name].sign_probability.high
    few, overall = kinds["few"], fitted.sign_probability.value
    assert overall < few.sign_probability.value < few.alone - 0.02
    width = few.sign_probability.high - few.sign_probability.low
    assert width < 2 * 1.645 * (few.alone * (1 - few.alone) / few.contacts) ** 0.5  # narrower than alone
    assert width > kinds["a"].sign_probability.high - kinds["a"].sign_probability.low


def test_later_contacts_that_sign_more_are_outside_the_prediction() -> None:
    rng = np.random.default_rng(6)
    before, after = (funnel(rng, share, 12, 80, 10, 1, 0, 300).frame for share in (0.1, 0.3))
    after[["contacted_day", "signed_day"]] += 84
    contacts = Contacts("changed", 468.0, pd.concat([before, after], ignore_index=True), ())
    checked = hold_out(contacts, DAY(1970, 1, 1) + datetime.timedelta(days=84))
    assert checked.contacts == len(after) and checked.observed == pytest.approx(after["signed_day"].notna().mean())
    assert not checked.holds and checked.predicted.high < 0.2


def test_a_prediction_of_few_contacts_is_as_wide_as_their_luck() -> None:
    contacts = funnel(np.random.default_rng(7), 0.3, 24, 80, 10, 1, 0, 300)
    checked = hold_out(contacts, DAY(1970, 1, 1) + datetime.timedelta(days=22 * 7))
    by_chance = (checked.predicted.value * (1 - checked.predicted.value) / checked.contacts) ** 0.5
    assert checked.contacts < 250
    assert 1.645 * by_chance < (checked.predicted.high - checked.predicted.low) / 2 < 3 * by_chance


# ------------------------------------------------------------------------ the table


def test_the_committed_funnel_is_what_its_script_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == make_recruiting.text()


def test_no_row_disappears() -> None:
    contacts = read_contacts(FILE, "First contact", "Signed", AS_OF, "Kind")
    assert contacts.rows_read == sum(n for n, _ in KINDS.values()) == len(contacts.frame) + 1
    assert contacts.rejected == ((make_recruiting.SPOILED + 2, "First contact is empty"),)
    fitted = fit_recruiting(contacts)
    assert [kind.name for kind in fitted.kinds] == ["cold", "trade fair", "introduced"]


HEADER = "Began,Ended\n"
GOOD = "".join(f"2026-01-{i % 28 + 1:02d},{'2026-02-01' if i % 3 == 0 else ''}\n" for i in range(60))


def table(tmp_path: Path, text: str, name: str = "funnel.csv", **words: Any) -> Contacts:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_contacts(path, "Began", "Ended", DAY(2026, 6, 30), **words)


def test_rows_that_cannot_be_used_are_listed(tmp_path: Path) -> None:
    bad = "2026-03-01,2026-02-01\n2026-07-01,\nsoon,\n2026-02-31,\n2026-01-01,2026-01-05,more\n,\n"
    contacts = table(tmp_path, HEADER + GOOD + bad)
    assert contacts.rejected == (
        (62, "Ended is before Began"),
        (63, "Began is after 2026-06-30"),
        (64, "Began is not a date"),
        (65, "Began is a day that does not exist"),
        (66, "3 fields under 2 columns"),
    )
    assert len(contacts.frame) == 60 and contacts.rows_read == 65


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        (
            HEADER + GOOD + "2026-01-02,2026-07-01\n",
            {},
            "row 62: Ended is '2026-07-01', after 2026-06-30, the day of the",
        ),
        (HEADER + GOOD + "03/04/2026,\n", {}, "Began '03/04/2026' can be read in several ways; set date_order"),
        (HEADER + GOOD + "03/14/2026,\n", {"date_order": "DMY"}, "is not in the order DMY; correct date_order"),
        (
            HEADER + "".join(GOOD.splitlines(keepends=True)[:29]),
            {},
            "29 usable contacts, 10 of them signed; allowed: at least 30 and 5; take a longer period",
        ),
        (HEADER.replace("Ended", "Signed") + GOOD, {}, "no column 'Ended' in row 1"),
        (HEADER + GOOD, {"kind": "Origin"}, "no column 'Origin' in row 1"),
        ("", {}, "the file is empty"),
    ],
)
def test_a_funnel_that_has_to_be_asked_about(tmp_path: Path, text: str, words: dict[str, Any], says: str) -> None:
    with pytest.raises(TableError) as caught:
        table(tmp_path, text, **words)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_funnel_that_says_too_little(tmp_path: Path) -> None:
    text = HEADER + "".join(f"2026-06-30,{'2026-06-30' if i < 9 else ''}\n" for i in range(40))
    with pytest.raises(TableError, match="were followed for 0 days only, too short for a horizon of 0"):
        fit_recruiting(table(tmp_path, text))
    late = HEADER + "".join(f"2026-0{1 if i < 6 else 5}-01,{'2026-06-01' if i < 6 else ''}\n" for i in range(40))
    with pytest.raises(TableError, match="nobody signed within 60 days, the horizon"):
        fit_recruiting(table(tmp_path, late))
    with pytest.raises(TableError, match="usable contacts"):
        hold_out(table(tmp_path, HEADER + GOOD))


# ------------------------------------------------------------------------ candidates and the command


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(ROOT / "scenarios" / "baseline.yaml")


def test_candidates_get_the_numbers_once_and_with_their_source(scenario: Scenario) -> None:
    fitted = fit_recruiting(read_contacts(FILE, "First contact", "Signed", AS_OF))
    made = with_recruiting(scenario, fitted, "made up")
    weeks = round(fitted.weeks_to_sign[0.5].value)
    assert weeks > 0
    for before, after in zip(scenario.candidates, made.candidates, strict=True):
        assert after.sign_probability == pytest.approx(fitted.sign_probability.value, abs=0.0005)
        assert after.onboarding_weeks == before.onboarding_weeks + weeks
        for words in (FILE.name, "made up", "299 first contacts", "2025-09-01 to 2026-02-28", "not of this candidate"):
            assert words in after.source
        same = {"sign_probability": 0, "onboarding_weeks": 0, "source": ""}
        assert after.model_copy(update=same) == before.model_copy(update=same)
    assert made.variant(candidates=scenario.candidates) == scenario
    with pytest.raises(TableError, match="Ivy Consulting has numbers of a funnel already"):
        with_recruiting(made, fitted)
    with pytest.raises(TableError, match="has no candidates"):
        with_recruiting(scenario.variant(candidates=[]), fitted)


def run(*words: object) -> Any:
    from nexthour.terminal import main

    return CliRunner().invoke(main.app, [str(word) for word in words], prog_name="nexthour", env={"COLUMNS": "80"})


def test_the_command_writes_what_the_library_says(scenario: Scenario, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    columns = ("--contacted", "First contact", "--signed", "Signed", "--as-of", AS_OF)
    files = ("--scenario", ROOT / "scenarios" / "baseline.yaml", "--out", out)
    result = run("recruiting", FILE, *columns, "--kind", "Kind", *files)
    assert result.exit_code == 0, result.output
    fitted = fit_recruiting(read_contacts(FILE, "First contact", "Signed", AS_OF, "Kind"))
    assert load_scenario(out) == with_recruiting(scenario, fitted)
    for words in (
        f"{fitted.sign_probability.value:.1%} of first contacts sign",
        "Not used, First contact is empty: 1 row",
    ):
        assert words in result.output
    assert re.search(r"after\s+sign within 17 weeks; [\d.]+% did\.\n\nWrote ", result.output)
    again = run("recruiting", FILE, *columns, "--json")
    assert again.exit_code == 0 and '"rows_read": 300' in again.output and '"written": null' in again.output
    (tmp_path / "semicolons.csv").write_text(FILE.read_text().replace(",", ";"))
    other = run("recruiting", tmp_path / "semicolons.csv", *columns, "--separator", ";", "--json")
    assert other.output.replace("semicolons", FILE.stem) == again.output
    for words in (("--scenario", out), ("--out", FILE), ("--as-of", "2025-12-01"), ("--encoding", "klingon")):
        result = run("recruiting", FILE, *columns, *words)
        assert result.exit_code == 1 and result.output.startswith("error: ") and result.output.count("\n") == 1


# ------------------------------------------------------------------------ the real funnel

needs_the_funnel = pytest.mark.skipif(
    not REAL.exists(), reason=f"the funnel is not part of the product; put it at ../shared/data/{REAL.name}"
)


@needs_the_funnel
def test_the_real_funnel_predicts_its_march() -> None:
    contacts = read_contacts(REAL, "first_contact_date", "won_date", DAY(2018, 11, 14), "origin")
    assert contacts.rows_read == 3343
    assert [reason for _, reason in contacts.rejected] == ["won_date is before first_contact_date"]
    fitted = fit_recruiting(contacts)
    assert fitted.by_week and fitted.is_flat and fitted.signed == 467
    # Hardly anybody signs late, so that the curve ends where counting does.
    assert fitted.sign_probability.value == pytest.approx(467 / 3342, abs=0.002)
    checked = hold_out(contacts, DAY(2018, 3, 1))
    assert checked.contacts == 1173 and checked.holds
