"""A mapping says what each column means, or says in one sentence what is missing; nothing in it is guessed.

Claims: a mapping that contradicts itself or leaves something open does not load, and the sentence says what; the
headers of three CRMs are recognised, reports and API names alike; a proposal never answers what the file cannot say
(currency, order of dates, decimal mark, who is a partner, stages), and does not load before a person has.
"""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from typer.testing import CliRunner

from nexthour.calibrate.deals.crm import CRMS, recognise_crm
from nexthour.calibrate.deals.deal_table import read_deals
from nexthour.calibrate.deals.mapping import QUESTIONS, Mapping, load_mapping, make_mapping
from nexthour.calibrate.deals.mapping_proposal import Proposal, propose_mapping, save_proposal
from nexthour.calibrate.files.table_file import Layout, read_small
from nexthour.terminal.main import app
from sim.documents.yaml_file import read_yaml
from sim.errors import TableError
from tests import SCENARIOS, make_salesforce_export
from tests.nexthour.calibrate.test_table_file import as_csv, as_workbook

pytestmark = pytest.mark.generated

MAPPINGS = SCENARIOS / "mappings"
DEALS_MAPPINGS = ("made_up_closed_deals", "made_up_salesforce", "win_loss_sample")
PLAIN: dict[str, Any] = {
    "amount": "Amount", "currency": "USD", "result": "Stage", "won": ["Won"], "lost": ["Lost"],
    "partner_name": "Partner", "created": "Opened", "closed": "Closed",
}  # fmt: skip
OPEN = {"stage": "Stage", "stages": {"New": 1}, "as_of": datetime.date(2026, 6, 30)}


@pytest.mark.parametrize("name", DEALS_MAPPINGS)
def test_the_mappings_of_the_repository_load(name: str) -> None:
    mapping = load_mapping(MAPPINGS / f"{name}.yaml")
    assert mapping.source and mapping.currency == "USD"


# ------------------------------------------------------------------------ what a mapping may say

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"amonut": "x"}, "did you mean amount"),
    "no currency": ({"currency": None}, "currency is missing: in which currency"),
    "no code": ({"currency": "dollars"}, "currency is 'dollars'"),
    "no rate": ({"currency": "EUR"}, "usd_per has no rate for EUR"),
    "a rate of 0": ({"usd_per": {"EUR": 0.0}}, "usd_per.EUR"),
    "no result": ({"result": None, "won": [], "lost": []}, "say how deals ended"),
    "two results": ({"is_won": "IsWon", "is_closed": "IsClosed"}, "say how deals ended"),
    "half a truth": ({"is_won": "IsWon"}, "is_won and is_closed go together"),
    "nothing won": ({"won": []}, "won is empty: which values mean that the deal was won? They"),
    "nothing lost": ({"lost": []}, "lost is empty"),
    "won and lost": ({"lost": ["Lost", "Won"]}, "'Won' stands under won and under lost"),
    "open and lost": ({"open": ["Lost"], **OPEN}, "'Lost' stands under lost and under open"),
    "no seller": ({"partner_name": None}, "say who sold"),
    "route without values": ({"route": "Type"}, "direct is empty: which values mean the company's own sellers?"),
    "values without a route": ({"partner": ["Reseller"]}, "partner has values, but no column"),
    "direct and partner": ({"route": "Type", "direct": ["a"], "partner": ["a"]}, "'a' stands under direct"),
    "one name for two": ({"segments": {"1": "x", "2": "x"}}, "two values of segments have the same name"),
    "a segment with a line": ({"segments": {"1": "x\ny"}}, "segments.1 is"),
    "no time": ({"created": None, "closed": None}, "say how long deals took"),
    "two times": ({"cycle_days": "Age"}, "say how long deals took"),
    "no closing": ({"closed": None}, "closed is missing"),
    "two closings": ({"closed_days_ago": "Ago"}, "closed and closed_days_ago say the same"),
    "no period": ({"created": None, "closed": None, "cycle_days": "Age"}, "quarters is missing"),
    "open without a date": ({**OPEN, "as_of": None}, "open deals need stage, stages, created and as_of"),
    "open without stages": ({"open": ["New"]}, "open deals need stage, stages, created and as_of"),
    "stage without stages": ({"stage": "Stage"}, "stage and stages go together"),
    "a fifth stage": ({**OPEN, "stages": {"New": 5}}, "stages.New is 5; allowed: a whole number from 1 to 4"),
    "an unknown order": ({"date_order": "DYM"}, "date_order is 'DYM'; allowed: YMD, DMY or MDY"),
    "an unknown mark": ({"decimal": "'"}, "decimal is"),
    "truth as text": ({"won": [True]}, "won[0] is true"),
    "a date as text": ({"as_of": "30 June"}, "as_of is '30 June'; allowed: a date such as"),
    "an unknown encoding": ({"encoding": "ansi-ish"}, "no text encoding"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mapping_says_what_is_wrong_with_it(name: str) -> None:
    change, says = WRONG[name]
    make_mapping(PLAIN)
    with pytest.raises(TableError) as caught:
        make_mapping({**PLAIN, **change})
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_mapping_is_a_mapping() -> None:
    with pytest.raises(TableError, match="not a mapping"):
        make_mapping(["amount"])


def test_open_values_are_those_of_stages_where_both_are_one_column() -> None:
    assert make_mapping({**PLAIN, **OPEN}).open_values == ("New",)
    assert make_mapping({**PLAIN, **OPEN, "stage": "Phase", "open": ["Open"]}).open_values == ("Open",)
    assert make_mapping({**PLAIN, **OPEN, "stage": "Phase"}).open_values == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"currency": "?"}, "mapping: currency is still open: in which currency are the amounts?"),
        ({"won": ["Won", "?"]}, "won is still open: which values mean that the deal was won?"),
        ({**OPEN, "stages": {"New": 1, "Old": "?"}}, "stages ('Old') is still open: how far is a deal"),
        ({"currency": "?", "date_order": "?"}, "currency is still open"),
    ],
)
def test_an_open_question_is_named(change: dict[str, Any], says: str) -> None:
    with pytest.raises(TableError) as caught:
        make_mapping({**PLAIN, **change})
    assert says in str(caught.value)
    assert ("(1 more problem)" in str(caught.value)) == (len(change) == 2)


# ------------------------------------------------------------------------ what is proposed

SALESFORCE_REPORT = (
    ["Opportunity ID", "Opportunity Name", "Stage", "Amount", "Close Date", "Created Date", "Type", "Lead Source",
     "Account Name", "Partner Account"],
    ["0061", "x", "Closed Won", "100", "3/14/2026", "1/2/2026", "New", "Web", "A", ""],
    ["0062", "y", "Closed Lost", "200", "3/4/2026", "1/12/2026", "New", "Partner", "B", "Acme"],
    ["0063", "z", "Prospecting", "1,500.00", "9/4/2026", "2/12/2026", "New", "Partner", "C", "None"],
)  # fmt: skip
SALESFORCE_API = (
    ["Id", "Name", "StageName", "Amount", "CloseDate", "CreatedDate", "IsWon", "IsClosed", "CurrencyIsoCode", "Type"],
    ["0061", "x", "Signed", "100", "2026-03-14", "2026-01-02T10:00:00.000Z", "true", "true", "EUR", "Reseller"],
    ["0062", "y", "Dead", "200", "2026-03-04", "2026-01-12T10:00:00.000Z", "false", "true", "USD", "Own"],
    ["0063", "z", "Talks", "1500", "2026-09-04", "2026-02-12T10:00:00.000Z", "false", "false", "USD", "Own"],
)
HUBSPOT = (
    ["Record ID", "Deal Name", "Deal Stage", "Amount", "Create Date", "Close Date", "Pipeline", "Is Closed Won"],
    ["1", "x", "Closed Won (Sales Pipeline)", "100", "2026-01-02 10:00", "2026-03-14 09:00", "Sales", "true"],
    ["2", "y", "Closed Lost", "200", "2026-01-02 10:00", "2026-03-14 09:00", "Sales", "false"],
)
DYNAMICS = (
    ["Topic", "Potential Customer", "Est. Revenue", "Actual Revenue", "Status", "Status Reason", "Created On",
     "Actual Close Date", "Sales Stage"],
    ["x", "A", "1.000,00", "900,00", "Won", "Won", "01.02.2026 10:00", "03.02.2026", "Close"],
    ["y", "B", "2.000,00", "0,00", "Lost", "Canceled", "01.02.2026 10:00", "13.02.2026", "Propose"],
    ["z", "C", "2.000,00", "", "Open", "In Progress", "01.02.2026 10:00", "", "Develop"],
)  # fmt: skip
UNKNOWN = (["Vorgang", "Betrag"], ["1", "5"])


def proposed(rows: Any, tmp_path: Path, name: str = "export.csv", separator: str = ",") -> Proposal:
    path = tmp_path / name
    if name.endswith(".xlsx"):
        path.write_bytes(as_workbook([list(row) for row in rows]))
    else:
        path.write_text(as_csv([list(row) for row in rows], separator), encoding="utf-8")
    return propose_mapping(path)


def asked(proposal: Proposal) -> set[str]:
    return {question.partition(":")[0].partition(" ")[0] for question in proposal.questions}


def test_a_salesforce_report(tmp_path: Path) -> None:
    found = proposed(SALESFORCE_REPORT, tmp_path)
    assert found.crm == "Salesforce"
    mapping = found.mapping
    assert (
        mapping["amount"] == "Amount"
        and mapping["result"] == mapping["stage"] == "Stage"
        and mapping["id"] == "Opportunity ID"
    )
    assert (mapping["won"], mapping["lost"], mapping["partner_name"]) == (
        ["Closed Won"],
        ["Closed Lost"],
        "Partner Account",
    )
    assert (mapping["created"], mapping["closed"]) == ("Created Date", "Close Date")
    assert mapping["stages"] == {"Prospecting": "?"} and mapping["direct"] == ["?"]  # "None" may be a partner, or none
    assert asked(found) == {"currency", "decimal", "direct", "date_order", "as_of", "stages"}
    evidence = " ".join(found.found["date_order"])
    assert "read as MDY, 6 of 6" in evidence and "read as DMY, 5 of 6" in evidence


def test_an_export_of_the_salesforce_api(tmp_path: Path) -> None:
    found = proposed(SALESFORCE_API, tmp_path)
    assert found.crm == "Salesforce"
    mapping = found.mapping
    assert (
        (mapping["is_won"], mapping["is_closed"]) == ("IsWon", "IsClosed")
        and "result" not in mapping
        and "won" not in mapping
    )
    assert (
        mapping["currency_column"] == "CurrencyIsoCode"
        and mapping["usd_per"] == {"EUR": "?"}
        and "currency" not in mapping
    )
    assert mapping["decimal"] is None and mapping["date_order"] is None  # plain numbers, ISO dates: nothing to ask
    assert asked(found) == {"usd_per", "route", "direct", "partner", "stages", "as_of"}
    assert any("'Own' (2), 'Reseller' (1)" in line for line in found.found["route"])


def test_a_currency_that_is_not_always_there_is_asked_for(tmp_path: Path) -> None:
    header, *deals = SALESFORCE_API
    assert "currency" not in asked(proposed([header, *deals], tmp_path))
    found = proposed([header, *deals, ["0064", *deals[0][1:8], "", "Own"]], tmp_path)
    assert {"currency", "usd_per"} < asked(found)


def test_an_export_of_hubspot(tmp_path: Path) -> None:
    found = proposed(HUBSPOT, tmp_path)
    assert found.crm == "HubSpot"
    mapping = found.mapping
    assert mapping["won"] == ["Closed Won (Sales Pipeline)"] and mapping["lost"] == ["Closed Lost"]
    assert (mapping["id"], mapping["created"], mapping["closed"]) == ("Record ID", "Create Date", "Close Date")
    assert asked(found) == {"currency", "route", "direct", "partner"}  # nothing is open, so nobody asks for stages


def test_an_export_of_dynamics_with_semicolons(tmp_path: Path) -> None:
    found = proposed(DYNAMICS, tmp_path, separator=";")
    assert found.crm == "Dynamics"
    mapping = found.mapping
    assert mapping["separator"] == ";" and mapping["amount"] == "Est. Revenue"
    assert (mapping["won"], mapping["lost"], mapping["open"]) == (["Won"], ["Lost"], ["Open"])
    assert mapping["stages"] == {"Close": "?", "Propose": "?", "Develop": "?"}
    assert {"decimal", "date_order", "as_of"} < asked(found)


def test_an_unknown_export_asks_for_all(tmp_path: Path) -> None:
    found = proposed(UNKNOWN, tmp_path)
    assert found.crm is None
    assert {"amount", "currency", "result", "won", "lost", "route", "created", "closed"} <= asked(found)
    assert "Vorgang, Betrag" in " ".join(found.found["amount"])


@pytest.mark.parametrize("rows", [SALESFORCE_REPORT, SALESFORCE_API, HUBSPOT, DYNAMICS])
def test_a_workbook_with_a_title_gives_the_same_proposal(rows: Any, tmp_path: Path) -> None:
    plain = proposed(rows, tmp_path)
    book = proposed([["A report of all deals"], [], *rows], tmp_path, "export.xlsx")
    assert book.crm == plain.crm and book.mapping.pop("header_row") == 3
    assert {**book.mapping, "source": ""} == {**plain.mapping, "source": ""} and book.questions == plain.questions


def test_every_column_that_is_known_belongs_to_one_crm() -> None:
    for crm in CRMS:
        assert recognise_crm(crm.signs) is crm
        assert recognise_crm([sign.upper() for sign in crm.signs]) is crm
    assert recognise_crm(["Amount", "Close Date"]) is None


@pytest.mark.parametrize("rows", [SALESFORCE_REPORT, SALESFORCE_API, HUBSPOT, DYNAMICS, UNKNOWN])
def test_a_proposal_does_not_load_before_it_is_answered(rows: Any, tmp_path: Path) -> None:
    found = proposed(rows, tmp_path)
    save_proposal(found, tmp_path / "mapping.yaml")
    with pytest.raises(TableError) as caught:
        load_mapping(tmp_path / "mapping.yaml")
    assert f"{found.questions[0].partition(':')[0]} is still open: " in str(caught.value)
    text = (tmp_path / "mapping.yaml").read_text(encoding="utf-8")
    assert YAML(typ="safe").load(text) == found.mapping
    for name in asked(found):
        assert f"QUESTION: {QUESTIONS[name][:40]}" in text


def test_the_answered_proposal_reads_the_made_up_export() -> None:
    found = propose_mapping(make_salesforce_export.FILE)
    stages = {"Prospecting": 1, "Qualification": 2, "Proposal": 3, "Negotiation": 4}
    answers: dict[str, Any] = {
        "currency": "USD",
        "decimal": ".",
        "date_order": "MDY",
        "as_of": make_salesforce_export.AS_OF,
    }
    assert asked(found) == {*answers, "stages"} and found.mapping["stages"].keys() == {*stages, "On Hold"}
    answered = make_mapping(
        {**found.mapping, **answers, "stages": stages, "segment": "Customer Size", "territory": "Region"}
    )
    committed = load_mapping(MAPPINGS / "made_up_salesforce.yaml")
    assert answered.model_copy(update={"source": committed.source}) == committed
    assert len(read_deals(make_salesforce_export.FILE, answered).open) > 0


def test_the_layout_that_was_given_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes("Deal Name;Deal Stage;Größe\nx;Closed Won;5\n".encode("cp1252"))
    with pytest.raises(TableError, match="set encoding"):
        propose_mapping(path)
    found = propose_mapping(path, Layout(encoding="cp1252"))
    assert (found.mapping["encoding"], found.mapping["separator"]) == ("cp1252", ";")


# ------------------------------------------------------------------------ in the terminal


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="nexthour")


def test_the_terminal_writes_the_proposal_and_asks(tmp_path: Path) -> None:
    out = tmp_path / "mapping.yaml"
    result = run("mapping", make_salesforce_export.FILE, "--out", out)
    assert result.exit_code == 0 and "an export of Salesforce" in result.stdout
    found = propose_mapping(make_salesforce_export.FILE)
    assert all(" ".join(question.split()) in " ".join(result.stdout.split()) for question in found.questions)
    assert YAML(typ="safe").load(out.read_text(encoding="utf-8")) == found.mapping
    told = json.loads(run("mapping", make_salesforce_export.FILE, "--out", out, "--json").stdout)
    assert told["crm"] == "Salesforce" and told["questions"] == list(found.questions)
    refused = run("calibrate", make_salesforce_export.FILE, "--mapping", out, "--out", tmp_path / "mine.yaml")
    assert refused.exit_code == 1 and "currency is still open" in refused.stderr and refused.stderr.count("\n") == 1
    wrong = run("mapping", make_salesforce_export.FILE, "--out", out, "--encoding", "nope")
    assert wrong.exit_code == 1 and "no text encoding" in wrong.stderr


def test_the_terminal_writes_what_was_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nexthour import calibrate

    fewer, again = calibrate.calibrate, calibrate.check_fit
    monkeypatch.setattr(calibrate, "calibrate", lambda *given, **rest: fewer(*given, **rest, replications=2))
    monkeypatch.setattr(calibrate, "check_fit", lambda scenario, fit, _, **rest: again(scenario, fit, 2, **rest))
    rejects = tmp_path / "rejects.csv"
    words = ("calibrate", make_salesforce_export.FILE, "--mapping", MAPPINGS / "made_up_salesforce.yaml", "--out")
    assert run(*words, tmp_path / "mine.yaml", "--rejects", rejects).exit_code == 0
    frame = read_small(rejects, ["row", "reason"])
    assert frame["row"].tolist()[0] == "115" and len(frame) == 4
    assert frame["reason"].tolist()[0] == "Close Date is before Created Date"
    same = run(*words, tmp_path / "mine.yaml", "--rejects", tmp_path / "mine.yaml")
    assert same.exit_code == 1 and "--rejects" in same.stderr


CELL = st.text(max_size=12) | st.sampled_from(["Amount", "Stage", "Opportunity Name", "Lead Source", "?", "Closed Won"])


@settings(max_examples=int(os.environ.get("EXAMPLES", "75")), deadline=None)
@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=5))
def test_any_file_is_proposed_or_refused_in_a_sentence(rows: list[list[str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_text(as_csv(rows), encoding="utf-8", errors="replace", newline="")
        try:
            found = propose_mapping(path)
        except TableError as sentence:
            assert "\n" not in str(sentence)
            return
        save_proposal(found, Path(folder) / "mapping.yaml")
        assert YAML(typ="safe").load((Path(folder) / "mapping.yaml").read_text(encoding="utf-8")) == found.mapping
        assert found.questions and list(found.mapping) == [
            name for name in Mapping.model_fields if name in found.mapping
        ]


def test_a_proposal_for_a_file_whose_name_is_no_text_is_yaml(tmp_path: Path) -> None:
    path = tmp_path / "deals\udcff.csv"
    path.write_text("Amount\n1\n", encoding="utf-8")
    save_proposal(propose_mapping(path), tmp_path / "m.yaml")
    assert read_yaml(tmp_path / "m.yaml", TableError)[0]["source"] == "export deals .csv"
