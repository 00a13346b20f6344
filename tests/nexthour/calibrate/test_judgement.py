"""What people say of a partner's sales with more or less help becomes the gain and tau that say the same.

Claims: answers made from a known gain and tau give them back exactly, and with errors the ranges hold them; one person
is not taken for certain, several keep their spread; who says that help changes nothing is heard; answers that no help
could give are refused in one sentence, those that only the model cannot give are told and left out.

Tolerances: a share of n cases may lie as far below its bound as chance brings it once in 1,000 tests.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from nexthour.calibrate.people.judgement import (
    AMOUNTS,
    JudgementRow,
    fit_judgement,
    read_judgement,
    with_judgement,
    yearly_sales,
)
from sim import TimePlan, draw_market, load_scenario, save_scenario, simulate
from sim.errors import TableError
from sim.ledger import Kind
from sim.ranges import Range
from sim.scenario import PartnerTraits, Scenario
from tests import ROOT

pytestmark = pytest.mark.generated

BASELINE = load_scenario(ROOT / "scenarios" / "baseline.yaml")
BELIEVER = BASELINE.partner_segments.believer
LONG = os.environ.get("FRESH_SEEDS") == "1"
CASES = 400 if LONG else 40
SEED = int(os.environ.get("CLAIMS_SEED", "2014"))
RARELY = 0.001
ERROR = 0.05
"""Standard deviation of an answer, as a share of today's sales."""
TODAY = {"person": "Ann", "partner": "believer", "activity": "coach", "hours_per_week": 1.0}


def said(*sales: float | None, **changes: object) -> JudgementRow:
    """Sales with none, today's, half as much again, double, and all it can use."""
    return JudgementRow.model_validate({**TODAY, **dict(zip(AMOUNTS, sales, strict=True)), **changes})


def answers(gain: float, tau: float, rng: np.random.Generator | None = None, **changes: object) -> JudgementRow:
    """What somebody would say who believes in this gain and tau; with a generator, up to errors of ERROR."""
    asked = said(1, 1, 1, 1, 1, **changes)
    sales = np.array(yearly_sales(asked, BELIEVER, BASELINE, gain, tau))
    if rng is not None:
        sales += ERROR * rng.standard_normal(len(sales)) * (sales != 1)
        sales = np.maximum.accumulate(sales)  # nobody says that more help sells less
    return said(*(300 * sales).tolist(), **changes)


def ranges(*rows: JudgementRow, scenario: Scenario = BASELINE) -> dict[str, Range]:
    return dict(fit_judgement(rows, scenario).ranges)


def test_the_year_is_that_of_the_model() -> None:
    """The stock that the engine records over a year of coaching gives the sales that the fit reckons with."""
    certain, nothing = (Range(low=value, likely=value, high=value) for value in (1.0, 0.0))
    plain = {"practice_gain_per_win": nothing, "label_accuracy": certain}
    scenario = BASELINE.variant(assumptions=BASELINE.assumptions.model_copy(update=plain))
    sold = []
    for hours in (0.5, 1.0):
        rows = [{"activity": "coach", "target": "Birch IT", "hours_per_week": hours}]
        plan = TimePlan.from_table(scenario, rows, "coach Birch")
        ledger = simulate(scenario, plan, draw_market(scenario, 7))
        skill = ledger.of(Kind.SKILL)
        skill = skill[(skill["partner"] == 1) & (skill["tick"] >= 0)]["value"][:52]
        sold.append(float((skill**0.5).sum()))
    gain, tau = scenario.assumptions.coach_gain_per_week.likely, scenario.assumptions.coach_tau_hours.likely
    double = yearly_sales(said(1, 1, None, 1, 1, hours_per_week=0.5), BELIEVER, scenario, gain, tau)[2]
    assert double == pytest.approx(sold[1] / sold[0], rel=1e-6)


@pytest.mark.parametrize(
    ("activity", "gain", "tau"),
    [("coach", 0.022, 1.5), ("coach", 0.01, 0.6), ("joint_plan", 0.05, 1.0), ("joint_plan", 0.03, 2.5)],
)
def test_exact_answers_give_gain_and_tau_back(activity: str, gain: float, tau: float) -> None:
    (opinion,) = fit_judgement([answers(gain, tau, activity=activity)], BASELINE).opinions
    assert opinion.tau is not None
    assert (opinion.gain.likely, opinion.tau.likely) == pytest.approx((gain, tau), rel=1e-3)
    assert [answer.fitted for answer in opinion.answers] == pytest.approx([a.stated for a in opinion.answers], abs=1e-4)
    assert opinion.gain.high - opinion.gain.low > 0.6 * gain  # nobody can say such things to the dollar


def test_answers_without_half_as_much_again_are_enough() -> None:
    row = answers(0.022, 1.5).model_copy(update={"with_half_more": None})
    found = ranges(row)
    assert found["coach_gain_per_week"].likely == pytest.approx(0.022, rel=1e-3)


def test_with_errors_each_persons_range_holds_the_truth() -> None:
    rng = np.random.default_rng(SEED)
    rows = [answers(0.022, 1.5, rng, person=f"Person {i}") for i in range(CASES)]
    opinions = fit_judgement(rows, BASELINE).opinions
    held = [(o.gain.low <= 0.022 <= o.gain.high, o.tau is None or o.tau.low <= 1.5 <= o.tau.high) for o in opinions]
    assert (np.sum(held, axis=0) >= stats.binom.ppf(RARELY / 2, CASES, 0.85)).all(), np.mean(held, axis=0)


def test_several_people_keep_their_spread() -> None:
    views = {"Ann": (0.022, 1.5), "Ben": (0.010, 0.8), "Cleo": (0.030, 2.5)}
    judgement = fit_judgement([answers(*view, person=person) for person, view in views.items()], BASELINE)
    gain, tau = judgement.ranges["coach_gain_per_week"], judgement.ranges["coach_tau_hours"]
    assert (gain.likely, tau.likely) == pytest.approx((0.022, 1.5), rel=1e-3)  # medians
    assert gain.low == min(o.gain.low for o in judgement.opinions) < 0.010
    assert gain.high == max(o.gain.high for o in judgement.opinions) > 0.030
    for person in views:
        assert f"{person} 0.0" in gain.source and f"{person} " in tau.source
    assert "Little 1970" in gain.source


def test_one_person_is_not_taken_for_certain() -> None:
    alike = ("believer", "Birch IT", "Elm Verticals")
    certain = [answers(0.022, 1.5, hours_per_week=h, partner=p) for h in (0.5, 1, 2) for p in alike]
    (opinion,) = fit_judgement(certain, BASELINE).opinions
    before, found = BASELINE.assumptions.coach_tau_hours, ranges(*certain)["coach_tau_hours"]
    assert opinion.tau is not None and opinion.tau.high / opinion.tau.likely < before.high / before.likely
    assert found.low / found.likely <= before.low / before.likely * 1.001
    assert found.high / found.likely >= before.high / before.likely * 0.999
    others = [row.model_copy(update={"person": name}) for name in ("Ben", "Cleo") for row in certain]
    assert ranges(*certain, *others)["coach_tau_hours"].high < found.high  # three who agree may be narrower


def test_who_says_that_help_changes_nothing_is_heard() -> None:
    judgement = fit_judgement([said(100, 100, 100, 100, 100)], BASELINE)
    (opinion,) = judgement.opinions
    assert opinion.gain.likely == 0 and opinion.tau is None and not opinion.missed
    assert set(judgement.ranges) == {"coach_gain_per_week"}  # nothing is said of tau, so it stays
    assert with_judgement(BASELINE, judgement).assumptions.coach_tau_hours == BASELINE.assumptions.coach_tau_hours


def test_a_tenfold_answer_is_told_and_left_out() -> None:
    wild = said(90, 100, None, 400, 1000, person="Max")
    judgement = fit_judgement([wild, answers(0.02, 1.2)], BASELINE)
    by_person = {opinion.person: opinion for opinion in judgement.opinions}
    assert [answer.question for answer in by_person["Max"].missed] == ["with_double", "with_all_it_can_use"]
    assert not by_person["Ann"].missed
    assert judgement.ranges["coach_gain_per_week"].likely == pytest.approx(0.02, rel=1e-3)
    assert "Max" not in judgement.ranges["coach_gain_per_week"].source
    assert fit_judgement([wild], BASELINE).ranges == {}


def test_later_hours_that_bring_more_are_named() -> None:
    assert said(90, 100, None, 130, 150).rises_faster_later()
    assert said(80, 100, 112, 120, 125).rises_faster_later()
    assert not said(70, 100, 110, 118, 125).rises_faster_later()
    assert not answers(0.022, 1.5).rises_faster_later()


def test_the_scenario_takes_the_ranges(tmp_path: Path) -> None:
    rows = read_judgement(ROOT / "scenarios" / "made_up_judgement.csv")
    judgement = fit_judgement(rows, BASELINE, "made_up_judgement.csv")
    made = with_judgement(BASELINE, judgement)
    save_scenario(made, tmp_path / "mine.yaml")
    again = load_scenario(tmp_path / "mine.yaml")
    assert again == made
    changed = {name for name, value in made.assumptions if value != getattr(BASELINE.assumptions, name)}
    assert changed == {f"{a}_{what}" for a in ("coach", "joint_plan") for what in ("gain_per_week", "tau_hours")}
    assert "3 in made_up_judgement.csv" in made.assumptions.coach_gain_per_week.source


def test_many_people_do_not_burst_the_source() -> None:
    row = answers(0.022, 1.5)
    rows = (row.model_copy(update={"person": f"A person with a long name, {i}"}) for i in range(30))
    source = ranges(*rows)["coach_gain_per_week"].source
    assert 800 < len(source) <= 1000 and source.endswith("and others") and "judgement of 30" in source


# What is refused


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Ann,believer,coach,1,120,100,,110,130", "with_today 100 is below with_none 120; allowed: "),
        ("Ann,believer,coach,1,120,120,,110,130", "with_double 110 is below with_today 120"),
        ("Ann,believer,coach,1,100,100,,100,130", "with_double 100 is no more than with_none"),
        ("Ann,believer,coach,1,80,100,,110,105", "with_all_it_can_use 105 is below with_double 110"),
        ("Ann,believer,coach,0,80,100,,110,120", "hours_per_week is 0; allowed: a number above 0 and at most 40"),
        ("Ann,believer,coach,1,80,0,,110,120", "with_today is 0; allowed: a number above 0"),
        ("Ann,believer,coach,1,80,100,,,120", "with_double is missing"),
        ("Ann,believer,lunch,1,80,100,,110,120", "activity is 'lunch'; allowed: coach or joint_plan"),
        ("Ann,Birch,coach,1,80,100,,110,120", "Ann on unknown partner 'Birch'; did you mean Birch IT?"),
        ("Ann,believer,coach,1,80,lots,,110,120", "with_today 'lots' is not a number"),
        ("Ann,believer,coach,1,8,9,,10,11\nAnn,believer,coach,1,8,9,,10,11", "Ann on coach with believer stands at"),
    ],
)
def test_what_no_help_could_give_is_refused_in_one_sentence(tmp_path: Path, row: str, message: str) -> None:
    header = [name for name in JudgementRow.model_fields if name != "note"]
    (tmp_path / "j.csv").write_text(",".join(header) + f"\n{row}\n")
    with pytest.raises(TableError) as caught:
        fit_judgement(read_judgement(tmp_path / "j.csv"), BASELINE, "j.csv")
    assert message in str(caught.value) and "j.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_a_partner_that_no_help_changes_cannot_be_asked_about() -> None:
    def untaught(traits: PartnerTraits) -> PartnerTraits:
        return traits.model_copy(update={"teachability": Range(low=0, likely=0, high=0)})

    kinds = BASELINE.partner_segments.model_copy(update={"believer": untaught(BELIEVER)})
    with pytest.raises(TableError, match="no help changes what believer sells in scenario 'Baseline territory'"):
        fit_judgement([answers(0.022, 1.5)], BASELINE.variant(partner_segments=kinds))


HEADER = ",".join(JudgementRow.model_fields) + "\n"


def test_the_blank_has_the_columns() -> None:
    assert (ROOT / "scenarios" / "blank_judgement.csv").read_text(encoding="utf-8") == HEADER


# The command


def test_the_command_shows_what_was_said_beside_what_the_model_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nexthour.terminal.main import app

    monkeypatch.chdir(tmp_path)  # a long path would be broken over two lines
    table, out = Path("j.csv"), Path("mine.yaml")
    table.write_text(
        HEADER
        + "Ann,Birch IT,coach,1,220,300,320,335,360,\nMax,Birch IT,coach,1,90,100,,400,1000,\n"
        + "Cleo,believer,joint_plan,1,100,100,100,100,100,\n"
    )
    words = ["judgement", str(table), "--out", str(out)]
    told = CliRunner().invoke(app, words, env={"COLUMNS": "80", "NO_COLOR": "1"})
    assert told.exit_code == 0
    text = " ".join(told.output.split())
    assert text.startswith(f"Wrote {out}, with what 3 people said.")
    assert "73 / 73 107 / 106 112 / 111 120 / 120" in text
    assert "Max on Birch IT: later hours are said to bring more than the first ones" in text
    assert "the model cannot say that all it can use gives 10 times today's sales" in text
    assert "changes nothing" in text and "left out, see below" in text and "Develop" in text
    as_json = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    assert load_scenario(out).digest() == as_json["scenario_digest"]
    left_out = {opinion["person"]: opinion["left_out"] for opinion in as_json["opinions"]}
    assert left_out == {"Ann": False, "Max": True, "Cleo": False}
