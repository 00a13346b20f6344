"""What a channel manager can see of its partners gives back who they are, and says how sure that is.

Claims, over territories of eight synthetic partners whose year the engine simulates (synthetic_partners.py): from about
a hundred registered deals a partner, skill and engagement are ranked right (Spearman .8 and more on average, and in
most territories); with fewer the intervals are wider, and at any number they hold the truth in 85-95% of cases; labels
are right as often as is said. A blank widens and never misleads. What comes out stands in a scenario, whatever was put
in. A table that contradicts itself is answered in one sentence.

Tolerances: a share of n cases may lie as far off its bounds as chance brings it once in 1,000 tests.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from scipy import stats
from typer.testing import CliRunner

from nexthour.calibrate.people.partner_intake import PartnerEstimate, infer_partners, plans_to_mend, with_intake
from nexthour.calibrate.people.partner_posterior import PartnerRow, prior, read_partners
from sim import TimePlan, draw_market, load_scenario, save_scenario, simulate
from sim.errors import InputError, TableError
from sim.scenario import Scenario
from sim.terms import PARTNER_SEGMENTS
from tests import ROOT
from tests.nexthour.calibrate import synthetic_partners
from tests.nexthour.calibrate.synthetic_partners import Recovery

pytestmark = pytest.mark.generated

BASELINE = load_scenario(ROOT / "scenarios" / "baseline.yaml")
LONG = os.environ.get("FRESH_SEEDS") == "1"
TERRITORIES = 150 if LONG else 25
SEED = int(os.environ.get("CLAIMS_SEED", "2014"))
RARELY = 0.001


@cache
def recovery(deals_a_year: float, soft: bool = True, anywhere: bool = False, moving: bool = False) -> Recovery:
    return synthetic_partners.recovery(BASELINE, TERRITORIES, SEED, deals_a_year, soft, anywhere, moving)


def test_a_hundred_deals_rank_skill_and_engagement() -> None:
    found = recovery(100)
    error = found.rank.std(axis=0, ddof=1) / TERRITORIES**0.5
    assert (found.rank.mean(axis=0) + stats.norm.isf(RARELY) * error >= 0.8).all()
    assert ((found.rank >= 0.8).mean(axis=0) > 0.5).all()


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(dict(deals_a_year=12), id="a dozen deals"),
        pytest.param(dict(deals_a_year=25), id="a usual year"),
        pytest.param(dict(deals_a_year=100), id="a hundred deals"),
        pytest.param(dict(deals_a_year=25, soft=False), id="deals alone"),
        pytest.param(dict(deals_a_year=25, anywhere=True), id="levels that are like no kind"),
        pytest.param(dict(deals_a_year=25, moving=True), id="levels that move: their mean over the year"),
    ],
)
def test_intervals_hold_the_truth(found: dict[str, object]) -> None:
    covered = recovery(**found).covered  # type: ignore[arg-type]
    least = stats.binom.ppf(RARELY / 2, len(covered), 0.85)
    most = stats.binom.isf(RARELY / 2, len(covered), 0.95)
    assert ((covered.sum(axis=0) >= least) & (covered.sum(axis=0) <= most)).all(), covered.mean(axis=0)


def test_labels_are_right_as_often_as_said() -> None:
    for found in (recovery(25), recovery(25, soft=False)):
        error = (found.said * (1 - found.said)).sum() ** 0.5
        assert found.right.sum() > found.said.sum() - stats.norm.isf(RARELY) * error
    assert recovery(25).said.mean() > recovery(25, soft=False).said.mean() + 0.1  # what it adds to deals


def test_less_to_see_is_less_sure() -> None:
    widths = [recovery(deals).width.mean(axis=0) for deals in (12, 25, 100)]
    assert (np.diff(widths, axis=0) < 0).all()
    assert (recovery(25, soft=False).width.mean(axis=0) > recovery(25).width.mean(axis=0)).all()


# One partner

FULL = {
    "partner": "Birch IT", "registered_deals": 30, "wins": 5, "still_open": 4, "found_alone": 15,
    "help_hours_per_week": 0.6, "ambition": 4, "certified_people": 2, "account_share": 0.08,
}  # fmt: skip


def estimate(**changes: object) -> PartnerEstimate:
    (only,) = infer_partners([PartnerRow.model_validate({**FULL, **changes})], BASELINE).estimates
    return only


def blank(**known: object) -> PartnerEstimate:
    return estimate(**{**dict.fromkeys(FULL), "partner": "Birch IT", **known})


def test_nothing_known_is_the_prior() -> None:
    unknown = blank()
    assert list(unknown.kinds.values()) == pytest.approx(prior(BASELINE).kinds())
    assert unknown.kinds == pytest.approx(dict(BASELINE.segment_prior))
    assert unknown.opportunities_per_quarter.likely == pytest.approx(10.98, rel=0.01)  # what the scenario says


@pytest.mark.parametrize(
    ("column", "values", "of"),
    [
        ("wins", (2, 5, 9), "skill"),
        ("certified_people", (0, 1, 3, 10), "skill"),
        ("registered_deals", (20, 30, 45), "engagement"),
        ("found_alone", (2, 10, 28), "engagement"),
    ],
)
def test_more_speaks_for_more(column: str, values: tuple[int, ...], of: str) -> None:
    likely = [getattr(estimate(**{column: value}), of).likely for value in values]
    assert likely == sorted(likely) and len(set(likely)) == len(likely)


def test_help_and_ambition_speak_of_the_kind() -> None:
    assert blank(help_hours_per_week=3.0).kinds["deceiver"] > blank().kinds["deceiver"] + 0.2
    assert blank(help_hours_per_week=0.1).kinds["achiever"] > blank().kinds["achiever"] + 0.2
    assert (
        blank(ambition=5).kinds["believer"] > blank(ambition=3).kinds["believer"] > blank(ambition=1).kinds["believer"]
    )


def test_zero_is_not_blank() -> None:
    assert blank(certified_people=0).skill.likely < blank().skill.likely
    assert blank(registered_deals=0).engagement.likely < blank().engagement.likely
    assert blank(help_hours_per_week=0).kinds["achiever"] > blank().kinds["achiever"]


def test_a_blank_is_asked_for_and_nothing_blank_is_watched() -> None:
    assert blank().to_settle == "how many deals it registers and wins"
    assert estimate(help_hours_per_week=None, ambition=2).to_settle == "how many hours of you it asks for"
    assert estimate(ambition=2).to_settle == "plan with it for a quarter: do its deals rise by a third?"
    assert "fit" in estimate(wins=24).to_settle  # nobody wins 24 of 26 where the manager wins one in four


def test_of_several_blanks_the_one_that_tells_most_is_asked_for() -> None:
    # Ambition tells kinds apart; certified people tell of skill, which tells little of the kind once deals are known.
    assert estimate(ambition=None, certified_people=None, wins=3).to_settle == "how ambitious it is"


def test_how_sure_in_words() -> None:
    assert estimate(help_hours_per_week=0.5, ambition=5, wins=6).how_sure == "sure"
    assert blank().how_sure == "open"


def test_accounts_are_known_best_if_said_worst_if_nobody_says() -> None:
    def width(found: PartnerEstimate) -> float:
        return found.engagement.high - found.engagement.low

    assert width(estimate()) < width(estimate(account_share=None))
    nowhere = blank(partner="New One").opportunities_per_quarter
    in_scenario = blank().opportunities_per_quarter
    assert nowhere.high / nowhere.low > 1.5 * in_scenario.high / in_scenario.low


def test_unless_said_the_last_deals_are_taken_to_be_open() -> None:
    assert estimate(still_open=None).skill.likely > estimate(still_open=0).skill.likely


def test_markets_with_more_luck_say_less() -> None:
    def width(of: str, **luck: float) -> float:
        market = tuple(s.model_copy(update=luck) for s in BASELINE.market_map)
        row = PartnerRow.model_validate({**FULL, "registered_deals": 40, "wins": 10, "found_alone": None})
        (only,) = infer_partners([row], BASELINE.variant(market_map=market)).estimates
        return float(getattr(only, of).high - getattr(only, of).low)

    assert width("skill", win_rate_shock=0.9) > width("skill", win_rate_shock=0.0) + 0.02
    assert width("engagement", demand_cv=3.0) > width("engagement", demand_cv=0.0) + 0.02


def test_deals_of_two_years_count_for_twice_the_time() -> None:
    row = PartnerRow.model_validate({**FULL, "registered_deals": 60, "wins": 10, "still_open": 4, "found_alone": 30})
    (two_years,) = infer_partners([row], BASELINE, weeks=104).estimates
    assert two_years.engagement.likely == pytest.approx(estimate().engagement.likely, abs=0.06)
    assert two_years.engagement.high - two_years.engagement.low < estimate().engagement.high - estimate().engagement.low


# Into a scenario


def rows() -> st.SearchStrategy[list[PartnerRow]]:
    def row(name: str) -> st.SearchStrategy[PartnerRow]:
        count = st.none() | st.integers(0, 12)
        return st.builds(
            lambda registered, wins, still_open, alone, hours, ambition, certified: PartnerRow(
                partner=name,
                registered_deals=registered,
                wins=None if registered is None or wins is None else min(wins, registered),
                still_open=None if registered is None or still_open is None or wins is None
                else min(still_open, registered - min(wins, registered)),
                found_alone=None if registered is None or alone is None else min(alone, registered),
                help_hours_per_week=hours, ambition=ambition, certified_people=certified,
            ),
            st.none() | st.integers(0, 60), count, count, count,
            st.none() | st.floats(0, 40), st.none() | st.integers(1, 5), st.none() | st.integers(0, 50),
        )  # fmt: skip

    return st.tuples(*(row(name) for name in ("Birch IT", "Fir Solutions", "New One"))).map(list)


@settings(max_examples=40 if LONG else 12, deadline=None, derandomize=not LONG, database=None)
@given(rows())
def test_whatever_is_seen_makes_a_scenario(seen: list[PartnerRow]) -> None:
    intake = infer_partners(seen, BASELINE, name="table.csv")
    made = with_intake(BASELINE, intake)
    assert Scenario.model_validate_json(made.model_dump_json(), strict=False) == made  # validated whole, from its text
    for estimate, partner in zip(intake.estimates, made.partners, strict=True):
        assert partner.label == estimate.label and partner.traits.skill_start == estimate.skill
        assert sum(estimate.kinds.values()) == pytest.approx(1)
        assert "table.csv" in partner.source and "table.csv" in estimate.engagement.source


def test_the_example_becomes_a_scenario_that_runs(tmp_path: Path) -> None:
    intake = infer_partners(
        read_partners(ROOT / "scenarios" / "made_up_partners.csv"), BASELINE, name="made_up_partners.csv"
    )
    made = with_intake(BASELINE, intake)
    save_scenario(made, tmp_path / "mine.yaml")
    again = load_scenario(tmp_path / "mine.yaml")
    assert again == made and not plans_to_mend(made)
    assert made.candidates == BASELINE.candidates and made.partners[0].margin == BASELINE.partners[0].margin
    assert made.partners[0].fit == 1.1 and made.partners[0].capacity_deals == 14  # what the table does not say stays
    accuracy = made.assumptions.label_accuracy
    assert 0 <= accuracy.low < accuracy.likely < accuracy.high <= 1 and "8 partners" in accuracy.source
    simulate(again, TimePlan.status_quo(again), draw_market(again, 7)).check()


def test_sure_labels_are_accurate_ones() -> None:
    def accuracy(row: dict[str, object]) -> float:
        rows = [PartnerRow.model_validate({**row, "partner": f"P{i}", "account_share": 0.08}) for i in range(4)]
        return with_intake(BASELINE, infer_partners(rows, BASELINE)).assumptions.label_accuracy.likely

    sure = {**FULL, "help_hours_per_week": 2.0, "ambition": 1, "wins": 2, "certified_people": 0, "found_alone": 3}
    assert accuracy(sure) > 0.85 > 0.4 > accuracy({})


def test_an_ambitious_partner_may_outgrow_its_kind() -> None:
    def ceiling(ambition: int) -> float:
        made = with_intake(
            BASELINE, infer_partners([PartnerRow.model_validate({**FULL, "ambition": ambition})], BASELINE)
        )
        return made.traits(made.partners[0], "believer").skill_ceiling.high

    assert ceiling(5) == 1 > ceiling(4)


def test_only_the_partners_of_the_table_are_left_and_plans_that_named_others_are_told() -> None:
    made = with_intake(BASELINE, infer_partners([PartnerRow.model_validate({**FULL, "ambition": 1, "wins": 1,
        "help_hours_per_week": 3.0})], BASELINE))  # fmt: skip
    assert [p.name for p in made.partners] == ["Birch IT"] and made.partners[0].label == "deceiver"
    (sentence,) = plans_to_mend(made)
    assert "20% with Believers" in sentence


def test_accounts_follow_the_share_and_registered_deals() -> None:
    share = sum(
        BASELINE.partners[1].base_share.get(s.name, 0) * s.opportunities_per_quarter for s in BASELINE.market_map
    )
    share /= sum(s.opportunities_per_quarter for s in BASELINE.market_map)
    usual = infer_partners([PartnerRow(partner="Birch IT")], BASELINE).estimates[0]
    twice = infer_partners([PartnerRow(partner="Birch IT", account_share=2 * share)], BASELINE).estimates[0]
    assert twice.opportunities_per_quarter.likely == pytest.approx(2 * usual.opportunities_per_quarter.likely, rel=0.02)
    intake = infer_partners([PartnerRow(partner="Birch IT", registered_deals=60)], BASELINE)
    likely = intake.estimates[0].opportunities_per_quarter.likely
    assert likely > 1.2 * usual.opportunities_per_quarter.likely
    (partner,) = with_intake(BASELINE, intake).partners
    arising = sum(partner.base_share.get(s.name, 0) * s.opportunities_per_quarter for s in BASELINE.market_map)
    assert arising == pytest.approx(likely, rel=0.01)


# The table

HEADER = (
    "partner,registered_deals,wins,still_open,found_alone,help_hours_per_week,ambition,certified_people,account_share"
)


def test_the_blank_and_the_example_have_the_columns() -> None:
    blank_file = (ROOT / "scenarios" / "blank_partners.csv").read_text(encoding="utf-8")
    assert blank_file == ",".join(PartnerRow.model_fields) + "\n"
    read = read_partners(ROOT / "scenarios" / "made_up_partners.csv")
    assert [row.partner for row in read] == [p.name for p in BASELINE.partners]
    assert "made up" in read[0].note and read[-1].registered_deals is None


def test_a_workbook_and_a_table_with_semicolons_say_the_same(tmp_path: Path) -> None:
    book = Workbook()
    columns = ["partner", "wins", "registered_deals", "help_hours_per_week"]
    for cells in (columns, ["Birch IT", 5, 30, 0.6], ["X", "", "", ""]):
        book.active.append(cells)
    book.save(tmp_path / "t.xlsx")
    (tmp_path / "t.csv").write_text(";".join(columns) + "\nBirch IT;5;30;0,6\nX;;;\n")
    expected = (
        PartnerRow(partner="Birch IT", wins=5, registered_deals=30, help_hours_per_week=0.6),
        PartnerRow(partner="X"),
    )
    assert read_partners(tmp_path / "t.xlsx") == read_partners(tmp_path / "t.csv", ",") == expected


def test_a_table_of_excel_on_windows_is_read_once_its_encoding_is_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("partner;wins\nMüller;\n".encode("cp1252"))
    with pytest.raises(TableError, match=r"not UTF-8 text.*set encoding"):
        read_partners(tmp_path / "t.csv")
    assert read_partners(tmp_path / "t.csv", encoding="cp1252")[0].partner == "Müller"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,10,12,,,,,,", "wins: 12 of 10 registered deals; allowed: at most all of them"),
        ("A,10,6,6,,,,,", "wins and still_open: 12 of 10 registered deals"),
        ("A,10,,,11,,,,", "found_alone: 11 of 10"),
        ("A,,3,,,,,,", "wins is given without registered_deals"),
        ("A,,,,,,6,,", "ambition is 6; allowed: a whole number from 1 to 5"),
        ("A,2.5,,,,,,,", "registered_deals is 2.5; allowed: a whole number"),
        ("A,-1,,,,,,,", "registered_deals '-1' is negative"),
        ("A,about 10,,,,,,,", "registered_deals 'about 10' is not a number"),
        ("A,=B2,,,,,,,", "is a formula"),
        ('A,,,,,"0,5",,,', "can be read in two ways; give --decimal"),
        ("A,,,,,,,,1.2", "account_share is 1.2; allowed: a number from 0 to 1"),
        ("A,,,,,,,,0.6\nB,,,,,,,,0.6", "account_share sums to 1.2; allowed: at most 1"),
        ("A,1,,,,,,,\nA,2,,,,,,,", "the partner 'A' stands twice"),
        (",10,,,,,,,", "partner is missing"),
        ("", "has no rows"),
        ("A,5000,10,,,,,,", "A registered 5,000 deals in 52 weeks, but at most about"),
        ("Dogwood Public,,,,,,,,0.9", "of a segment's accounts; allowed: above 0"),
    ],
)
def test_a_table_that_cannot_be_is_refused_in_one_sentence(tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(InputError) as caught:
        infer_partners(read_partners(tmp_path / "t.csv"), BASELINE, name="t.csv")
    assert said in str(caught.value) and "t.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_a_misspelt_column_does_not_count_as_blank(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("partner,registered_deals,certified\nA,10,3\n")
    with pytest.raises(TableError, match="unknown column 'certified'; did you mean certified_people"):
        read_partners(tmp_path / "t.csv")


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x;y\n1;2\n")
    with pytest.raises(TableError, match="its header has none of the columns partner, registered_deals"):
        read_partners(tmp_path / "t.csv")


def test_a_period_is_one() -> None:
    with pytest.raises(TableError, match="the period is 0 weeks; allowed: 1 to 520"):
        infer_partners([PartnerRow(partner="A")], BASELINE, weeks=0)


# The command


def test_the_command_answers_first_and_writes_a_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nexthour.terminal.main import app

    monkeypatch.chdir(tmp_path)  # a long path would be broken over two lines
    out = Path("mine.yaml")
    words = ["partners", str(ROOT / "scenarios" / "made_up_partners.csv"), "--out", str(out)]
    told = CliRunner().invoke(app, words, env={"COLUMNS": "80", "NO_COLOR": "1"})
    assert told.exit_code == 0
    assert " ".join(told.output.split()).startswith(f"Wrote {out}: 8 partners; of their labels about ")
    for word in ("Maintain", "Develop", "Limit", "sure", "open", "Hazel Trading: how many deals it registers and wins"):
        assert word in told.output
    assert not {"achiever", "believer", "deceiver"} & set(told.output.split())
    as_json = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    assert load_scenario(out).digest() == as_json["scenario_digest"]
    assert [set(partner["kinds"]) for partner in as_json["partners"]] == [set(PARTNER_SEGMENTS)] * 8
    refused = CliRunner().invoke(app, ["partners", str(ROOT / "scenarios" / "blank_partners.csv"), "--out", str(out)])
    assert refused.exit_code == 1 and "has no rows under its header" in refused.output
