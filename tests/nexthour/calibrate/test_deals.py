"""Every row of an export is a deal or a reason, and what a cell says is what was written.

Claims: rows read = rows used + rows rejected, whatever the file; amounts and dates come back exactly in every notation
that the mapping names, and a notation that can be read in two ways, or is another one, stops the reading; open deals
and closed ones keep their amounts to the cent; rejected rows say why in a bounded sentence. The committed export is
made up (tests/make_salesforce_export.py); what is said of the real sample is skipped where it is absent.
"""

from __future__ import annotations

import csv
import datetime
import io
import math
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexthour.calibrate.deals.deal_table import CLOSED_COLUMNS, OPEN_COLUMNS, Deals, read_deals, save_rejected
from nexthour.calibrate.deals.mapping import Mapping, load_mapping, make_mapping
from nexthour.calibrate.files.notation import EPOCH, Question, Reason, parse_day, parse_money, parse_number
from sim.errors import TableError
from tests import ROOT, make_closed_deals, make_salesforce_export
from tests.nexthour.calibrate.test_table_file import SHEET, as_csv, as_workbook, patched

pytestmark = pytest.mark.generated

MAPPINGS = ROOT / "scenarios" / "mappings"
REAL = ROOT.parent / "shared" / "data" / "opportunities_direct_and_reseller.csv.gz"

HEADER = ["Id", "Stage", "Amount", "Opened", "Closed", "Partner", "Size"]
WON = ["1", "Won", "1000", "2026-01-01", "2026-02-01", "", "small"]
LOST = ["2", "Lost", "2000", "2026-01-01", "2026-02-01", "Acme", "small"]
OPEN = ["3", "New", "3000", "2026-03-01", "2026-09-01", "Acme", "large"]
PLAIN: dict[str, Any] = {
    "id": "Id", "amount": "Amount", "currency": "USD", "result": "Stage", "won": ["Won"], "lost": ["Lost"],
    "partner_name": "Partner", "created": "Opened", "closed": "Closed", "segment": "Size", "stage": "Stage",
    "stages": {"New": 1, "Old": 4}, "as_of": datetime.date(2026, 6, 30),
}  # fmt: skip
CLOSED_ONLY = {**PLAIN, "stage": None, "stages": {}}


def changed(row: list[Any], **cells: Any) -> list[Any]:
    return [cells.get(name, cell) for name, cell in zip(HEADER, row, strict=True)]


def deals(tmp_path: Path, *rows: list[Any], header: list[str] = HEADER, **mapping: Any) -> Deals:
    """The deals of a table; every test of this file checks that no row of it disappears."""
    path = tmp_path / "deals.csv"
    path.write_text(as_csv([header, *rows]), encoding="utf-8", newline="")
    return whole(read_deals(path, make_mapping({**PLAIN, **mapping})))


def whole(found: Deals) -> Deals:
    assert found.rows_read == found.rows_used + len(found.rejected)
    assert tuple(found.closed.columns) == CLOSED_COLUMNS and tuple(found.open.columns) == OPEN_COLUMNS
    rows = [*found.closed.index, *found.open.index, *found.rejected["row"]]
    assert len(set(rows)) == len(rows) == found.rows_read
    assert found.rejected["row"].is_monotonic_increasing and all(found.rejected["reason"].str.len() <= 400)
    return found


def reasons(found: Deals) -> dict[int, str]:
    return {int(row): str(reason) for row, reason in found.rejected.itertuples(index=False)}


def refusal(tmp_path: Path, *rows: list[Any], **mapping: Any) -> str:
    with pytest.raises(TableError) as caught:
        deals(tmp_path, *rows, **mapping)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ------------------------------------------------------------------------ a deal, closed and open


def test_a_closed_and_an_open_deal(tmp_path: Path) -> None:
    found = deals(tmp_path, WON, LOST, OPEN)
    born = (datetime.date(2026, 1, 1) - EPOCH).days
    won, lost = found.closed.itertuples()
    assert won == (2, "small", "", "direct", "", True, 1000.0, 31 / 7, born, born + 31)
    assert lost == (3, "small", "", "partner", "Acme", False, 2000.0, 31 / 7, born, born + 31)
    (still,) = found.open.itertuples()
    assert still == (4, "large", "", "partner", "Acme", 1, 3000.0, 121 / 7, born + 59)
    assert (found.name, found.rows_read, found.rows_used, len(found.rejected)) == ("deals.csv", 3, 3, 0)


def test_without_a_segment_every_deal_is_one_and_a_territory_is_kept(tmp_path: Path) -> None:
    found = deals(tmp_path, WON, LOST, segment=None, territory="Size")
    assert set(found.closed["segment"]) == {"all deals"} and set(found.closed["territory"]) == {"small"}


def test_truth_in_place_of_a_result(tmp_path: Path) -> None:
    header = [*HEADER, "IsWon", "IsClosed"]
    pairs = {("true", "TRUE"): None, ("0", "1"): None, ("No", "no"): None, ("1", "0"): "IsClosed is 0, but IsWon is 1"}
    pairs[("maybe", "true")] = "IsClosed is true, and IsWon is neither true nor false"
    rows = [[*changed(OPEN, Id=str(i)), *pair] for i, pair in enumerate(pairs)]
    changes: dict[str, Any] = {"result": None, "won": [], "lost": [], "is_won": "IsWon", "is_closed": "IsClosed"}
    changes |= {"as_of": datetime.date(2026, 10, 1)}
    found = deals(tmp_path, *rows, header=header, **changes)
    assert found.closed["won"].tolist() == [True, False] and list(found.open.index) == [4]
    assert reasons(found) == {5: pairs[("1", "0")], 6: pairs[("maybe", "true")]}
    found = deals(tmp_path, *rows, header=header, **changes, stage=None, stages={})
    assert reasons(found)[4] == "IsClosed is open; to use open deals give stage, stages and as_of"


def test_a_route_with_and_without_partners_names(tmp_path: Path) -> None:
    rows = [changed(WON, Size="own"), changed(LOST, Size="reseller"), changed(OPEN, Size="shop")]
    changes: dict[str, Any] = {"route": "Size", "direct": ["own"], "partner": ["reseller"], "segment": None}
    found = deals(tmp_path, *rows, **changes)
    assert list(zip(found.closed["route"], found.closed["partner"], strict=True)) == [
        ("direct", ""),
        ("partner", "Acme"),
    ]
    assert reasons(found) == {4: "Size 'shop' is neither direct nor partner"}
    assert deals(tmp_path, *rows, **changes, partner_name=None).closed["partner"].tolist() == ["", ""]


def test_a_partner_that_may_be_none_is_asked_about(tmp_path: Path) -> None:
    none = changed(WON, Partner="None", Id="9")
    assert "row 4: Partner is 'None', which may mean that no partner sold; list it under direct" in refusal(
        tmp_path, WON, LOST, none
    )
    found = deals(tmp_path, WON, LOST, none, direct=["None"])
    assert found.closed["route"].tolist() == ["direct", "partner", "direct"] and found.closed["partner"][4] == ""


def test_days_in_place_of_dates(tmp_path: Path) -> None:
    header = ["Id", "Stage", "Amount", "Days", "Ago", "Partner", "Size"]
    rows = [["1", "Won", "5", "14", "3.5", "", "s"], ["2", "Lost", "5", "0", "10", "Acme", "s"]]
    changes: dict[str, Any] = {"created": None, "closed": None, "cycle_days": "Days", "stage": None, "stages": {}}
    found = deals(tmp_path, *rows, header=header, **changes, closed_days_ago="Ago")
    assert found.closed["cycle_weeks"].tolist() == [2.0, 0.0]
    assert found.closed["closed_day"].tolist() == [-3.5, -10.0] and found.closed["created_day"].tolist() == [
        -17.5,
        -10.0,
    ]
    found = deals(tmp_path, *rows, header=header, **changes, quarters=1.0)
    assert found.closed[["created_day", "closed_day"]].isna().all(axis=None)


# ------------------------------------------------------------------------ rows that cannot be used

REJECTED: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"Id": ""}, "Id is empty"),
    "an id that stands already": ({"Id": "1"}, "Id stands in row 2 already"),
    "an unknown result": ({"Stage": "Maybe"}, "Stage 'Maybe' is neither won, lost nor open"),
    "a long result": ({"Stage": "x" * 5000}, "is neither won, lost nor open"),
    "no amount of an open deal": ({"Amount": "", "Stage": "New"}, "Amount is empty"),
    "a word": ({"Amount": "much"}, "Amount is not a number"),
    "negative": ({"Amount": "-5"}, "Amount is negative"),
    "NaN": ({"Amount": "NaN"}, "Amount is not a number"),
    "infinite": ({"Amount": "inf"}, "Amount is not a number"),
    "too large to be": ({"Amount": "1e999"}, "Amount is out of bounds"),
    "too large": ({"Amount": "1e10"}, "Amount is out of bounds; allowed: 0 to 1,000,000,000 US dollars"),
    "underscore": ({"Amount": "1_0"}, "Amount is not a number"),
    "other digits": ({"Amount": "٣"}, "Amount is not a number"),
    "a share": ({"Amount": "5%"}, "Amount is not a number"),
    "a formula": ({"Amount": "=1+1"}, "Amount is a formula"),
    "an error": ({"Amount": "#REF!"}, "Amount is an error of the spreadsheet"),
    "no segment": ({"Size": ""}, "Size is empty"),
    "a long segment": ({"Size": "x" * 61}, "Size is long or not plain text"),
    "a segment with a control character": ({"Size": "sm\x07all"}, "Size is long or not plain text"),
    "a segment of two lines": ({"Size": "a\nb"}, "Size is long or not plain text"),
    "a long partner": ({"Partner": "x" * 61}, "Partner is long or not plain text"),
    "no date": ({"Opened": ""}, "Opened is empty"),
    "no date at all": ({"Opened": "soon"}, "Opened is not a date"),
    "31 February": ({"Closed": "2026-02-31"}, "Closed is a day that does not exist"),
    "long ago": ({"Opened": "1989-12-31"}, "Opened is a day before 1990 or after 2100"),
    "a serial number": ({"Opened": "45292"}, "Opened is not a date"),
    "closed before it was opened": ({"Closed": "2025-12-31"}, "Closed is before Opened"),
    "closed after the export": ({"Closed": "2026-07-01"}, "Closed is after the day of the export"),
    "opened after the export": ({"Opened": "2026-07-01", "Stage": "New"}, "Opened is after the day of the export"),
    "open for ever": ({"Opened": "2001-01-01", "Stage": "New"}, "Opened is over 3,640 days before the end"),
}  # fmt: skip


@pytest.mark.parametrize("name", REJECTED)
def test_a_row_is_rejected_with_its_reason(name: str, tmp_path: Path) -> None:
    cells, says = REJECTED[name]
    found = deals(tmp_path, WON, LOST, OPEN, changed(changed(WON, Id="9"), **cells))
    assert found.rows_used == 3
    (row,), (reason,) = found.rejected["row"], found.rejected["reason"]
    assert row == 5 and says in reason


def test_what_does_not_matter_to_a_deal_does_not_reject_it(tmp_path: Path) -> None:
    # An open deal has an expected closing, perhaps past, perhaps none; a closed one has no stage of the funnel.
    rows = [
        changed(OPEN, Id=str(i), Closed=when) for i, when in enumerate(["", "2020-01-01", "soon", "2027-01-01"], 10)
    ]
    assert len(deals(tmp_path, WON, LOST, *rows).open) == 4
    assert deals(tmp_path, changed(WON, Amount="0"), LOST).closed["amount_usd"].tolist() == [0.0, 2000.0]


def test_misfits_and_footers_are_rejected_too(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    text = (
        as_csv([HEADER, WON, LOST])
        + "\nGrand Totals (2 records)\n\nCopyright (c) salesforce.com, inc.\n1,2,3,4,5,6,7,8\n"
    )
    path.write_text(text, encoding="utf-8")
    found = whole(read_deals(path, make_mapping(PLAIN)))
    assert found.rows_read == 5
    assert reasons(found)[5] == "1 field under 7 columns" and reasons(found)[8] == "8 fields under 7 columns"
    assert reasons(found)[7].endswith(" fields under 7 columns")


def test_a_closed_deal_without_an_amount_counts_as_one_not_recorded(tmp_path: Path) -> None:
    found = deals(tmp_path, WON, changed(LOST, Amount=""))
    assert found.closed["amount_usd"].tolist()[1] == 0.0 and found.rejected.empty


def test_an_export_day_long_after_everything_is_refused(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, WON, LOST, as_of=datetime.date(2031, 1, 31))
    assert "as_of is 2031-01-31, but nothing was opened or closed in the half year before" in sentence


def test_no_usable_row_is_one_sentence(tmp_path: Path) -> None:
    assert "none of its 0 rows can be used; correct the mapping" in refusal(tmp_path)
    assert "its one row cannot be used; row 2: Size is empty" in refusal(tmp_path, changed(WON, Size=""))
    assert "no usable row has Stage Won (won)" in refusal(tmp_path, LOST)
    assert "no usable row has Stage Lost (lost)" in refusal(tmp_path, WON)
    routed: dict[str, Any] = {"route": "Size", "direct": ["small"], "partner": ["shop"], "segment": None}
    assert "no usable row has Size shop (partner)" in refusal(tmp_path, WON, LOST, **routed)
    assert len(deals(tmp_path, OPEN).open) == 1  # an export of the pipeline alone


def test_rejected_rows_are_written_without_formulas(tmp_path: Path) -> None:
    rejected = pd.DataFrame({"row": [2, 3, 4], "reason": ["=cmd() is empty", "a, b", "@x"]})
    save_rejected(rejected, tmp_path / "rejects.csv")
    text = (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["row", "reason"],
        ["2", "'=cmd() is empty"],
        ["3", "a, b"],
        ["4", "'@x"],
    ]
    with pytest.raises(TableError, match="cannot be written"):
        save_rejected(rejected, tmp_path / "no" / "rejects.csv")


def test_progress_goes_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = tmp_path / "deals.csv"
    path.write_text(as_csv([HEADER, *(changed(WON, Id=str(i)) for i in range(30_000)), LOST]), encoding="utf-8")
    read_deals(path, make_mapping({**PLAIN, "id": None}), lambda done, total: seen.append((done, total)))
    assert len(seen) == 2 and seen == sorted(seen) and seen[-1] == (path.stat().st_size,) * 2 and seen[0][0] > 0


# ------------------------------------------------------------------------ what stops the reading

QUESTIONS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a thousand or one": ({"Amount": "1.234"}, {}, "row 4: Amount is '1.234', which can be read in two ways"),
    "thousands": ({"Amount": "1,234"}, {}, "can be read in two ways"),
    "a comma": ({"Amount": "1234,5"}, {}, "can be read in two ways"),
    "thousands and decimals": ({"Amount": "1,234.50"}, {}, "set decimal"),
    "a currency": ({"Amount": "$1200"}, {}, "is no plain number; set decimal"),
    "apostrophes": ({"Amount": "1'200"}, {}, "is no plain number; set decimal"),
    "another mark": ({"Amount": "1.234,50"}, {"decimal": "."}, "has not '.' as its decimal mark"),
    "a point for a comma": ({"Amount": "1234.5"}, {"decimal": ","}, "has not ',' as its decimal mark"),
    "odd groups": ({"Amount": "1,23"}, {"decimal": "."}, "has not '.' as its decimal mark"),
    "a group of nothing": ({"Amount": "0,500"}, {"decimal": "."}, "has not '.' as its decimal mark"),
    "shortened": ({"Amount": "1.2M"}, {"decimal": "."}, "is shortened; export whole numbers"),
    "an order not said": ({"Opened": "1/2/2026"}, {}, "row 4: Opened is '1/2/2026', which can be read in several ways"),
    "another order": ({"Opened": "13/02/2026"}, {"date_order": "MDY"}, "is not in the order MDY; correct date_order"),
    "the year first": ({"Opened": "2026/02/13"}, {"date_order": "DMY"}, "is not in the order DMY"),
}  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_can_be_read_in_two_ways_stops_the_reading(name: str, tmp_path: Path) -> None:
    cells, mapping, says = QUESTIONS[name]
    said = refusal(tmp_path, WON, LOST, changed(changed(WON, Id="9"), **cells), **mapping)
    assert says in said and said.endswith(" in the mapping")


def test_a_two_digit_year_is_rejected(tmp_path: Path) -> None:
    found = deals(tmp_path, WON, LOST, changed(WON, Id="9", Opened="1/2/26"), date_order="DMY")
    assert reasons(found) == {4: "Opened has no year of four digits; export it so"}


# ------------------------------------------------------------------------ currencies


def test_amounts_become_dollars_and_an_unknown_currency_is_rejected(tmp_path: Path) -> None:
    header = [*HEADER, "Currency"]
    codes = {"USD": "100", "EUR": "€ 100", "": "100", "GBP": "100", "CAD": "$100", "JPY": "100 EUR"}
    rows = [[*changed(WON, Id=str(i), Amount=amount), code] for i, (code, amount) in enumerate(codes.items())]
    changes: dict[str, Any] = {"currency": None, "currency_column": "Currency", "decimal": ".", "lost": ["Lost"]}
    lost = [*changed(LOST, Amount="1", Id="99"), "USD"]
    rates = {"EUR": 1.5, "CAD": 0.75, "JPY": 0.01}
    found = deals(tmp_path, *rows, lost, header=header, **changes, usd_per=rates)
    assert found.closed["amount_usd"].tolist() == [100.0, 150.0, 75.0, 150.0, 1.0]  # an amount's own mark goes first
    assert reasons(found) == {4: "Amount has no currency", 5: "Amount is in 'GBP', for which usd_per has no rate"}
    filled = deals(tmp_path, *rows, lost, header=header, **{**changes, "currency": "EUR"}, usd_per=rates)
    assert filled.closed["amount_usd"][4] == 150.0


def test_a_symbol_that_is_another_currency(tmp_path: Path) -> None:
    found = deals(
        tmp_path, changed(WON, Amount="$1,000"), changed(LOST, Amount="1,000 EUR"),
        changed(WON, Id="7", Amount="USD 5"), changed(LOST, Id="8", Amount="£5"),
        currency="EUR", usd_per={"EUR": 2.0}, decimal=".",
    )  # fmt: skip
    assert reasons(found) == {2: "Amount is in $, not in EUR", 5: "Amount is in 'GBP', for which usd_per has no rate"}
    assert found.closed["amount_usd"].tolist() == [2000.0, 5.0]


# ------------------------------------------------------------------------ workbooks


def test_a_workbook_is_read_as_it_is_typed(tmp_path: Path) -> None:
    moment = datetime.datetime(2026, 1, 1, 9, 30)
    rows: list[list[Any]] = [
        [1, "Won", 1000.5, moment, datetime.datetime(2026, 2, 1), None, 1],
        ["2", "Lost", 1, moment, "2026-02-01", "Acme", "1"],
        ["3", "Won", True, moment, moment, None, 1],
        ["4", "Won", moment, moment, moment, None, 1],
        ["5", "Won", 5, 46023, moment, None, 1],
        ["6", "Won", "=1+1", moment, moment, None, 1],
        [1.0, "Won", 5, moment, moment, None, 1],
        ["8", "Won", "1.234", moment, moment, None, 1],
    ]
    path = tmp_path / "deals.xlsx"
    path.write_bytes(as_workbook([HEADER, *rows[:-1]]))
    found = whole(read_deals(path, make_mapping(PLAIN)))
    assert found.closed["amount_usd"].tolist() == [1000.5, 1.0]
    assert found.closed["cycle_weeks"].tolist() == [31 / 7] * 2 and set(found.closed["segment"]) == {"1"}
    assert reasons(found) == {
        4: "Amount is not a number",
        5: "Amount is not a number",
        6: "Opened is a number, not a date; format the cells as dates",
        7: "C7 is a formula without a stored value; open and save the workbook",
        8: "Id stands in row 2 already",
    }
    path.write_bytes(as_workbook([HEADER, *rows]))
    with pytest.raises(TableError, match=r"row 9: Amount is '1\.234'"):
        read_deals(path, make_mapping(PLAIN))


def test_true_is_not_1_in_a_workbook(tmp_path: Path) -> None:
    moment = datetime.datetime(2026, 1, 1)
    rows = [[i, ended, amount, moment, moment, None, 1, "USD"] for i, (ended, amount) in enumerate(
        [("Won", 1), ("Lost", True), ("Lost", 1.0), ("Won", True)]
    )]  # fmt: skip
    path = tmp_path / "deals.xlsx"
    path.write_bytes(as_workbook([[*HEADER, "Currency"], *rows]))
    found = whole(read_deals(path, make_mapping({**PLAIN, "currency_column": "Currency"})))
    assert found.closed["amount_usd"].to_dict() == {2: 1.0, 4: 1.0}
    assert reasons(found) == dict.fromkeys([3, 5], "Amount is not a number")


def test_a_cell_of_a_workbook_that_is_no_date_or_no_number(tmp_path: Path) -> None:
    path = tmp_path / "deals.xlsx"
    data = as_workbook(
        [HEADER, WON, LOST, [9, "Won", 5, datetime.datetime(2026, 1, 1), datetime.datetime(2026, 2, 1), None, 1]]
    )

    def spoil(xml: str) -> str:
        return xml.replace('<c r="C4" t="n"><v>5</v></c>', '<c r="C4" t="e"><v>#REF!</v></c>')

    path.write_bytes(patched(data, SHEET, spoil))
    mapping = make_mapping(PLAIN)
    found = whole(read_deals(path, mapping))
    assert reasons(found) == {4: "Amount is an error of the spreadsheet, not a number"}
    path.write_bytes(patched(data, SHEET, lambda xml: xml.replace("<v>46023</v>", "<v>99999999</v>")))
    assert reasons(whole(read_deals(path, mapping))) == {4: "Opened is not a date"}


# ------------------------------------------------------------------------ round trips

AMOUNT = st.integers(0, 10**11).map(lambda cents: cents / 100)
SPACE = st.sampled_from([" ", "\u00a0", "\u202f", "'", "\u2019"])


def grouped(amount: float, mark: str, decimal: str) -> str:
    return f"{amount:,.2f}".replace(",", "~").replace(".", decimal).replace("~", mark)


@settings(max_examples=300)
@given(AMOUNT, st.sampled_from([".", ","]), SPACE, st.sampled_from(["", "$", "USD ", "€"]), st.booleans())
def test_amounts_come_back_in_every_notation(
    amount: float, decimal: Any, space: str, currency: str, after: bool
) -> None:
    other = "," if decimal == "." else "."
    for mark in (other, space, ""):
        text = grouped(amount, mark, decimal)
        text = f"{text} {currency.strip()}".strip() if after else f"{currency}{text}"
        assert parse_money(text, decimal, math.inf) == (amount, currency.strip())
    assert parse_money(f"{amount:.2f}", None, math.inf) == (amount, "")
    assert parse_money(amount, None, math.inf) == (amount, "")


@pytest.mark.parametrize("cell", [math.nan, math.inf, -math.inf, 10**400, "1e999", True, None, ""])
def test_what_is_no_finite_number_is_none(cell: Any) -> None:
    assert isinstance(parse_money(cell, None, math.inf)[0], Reason)


@given(AMOUNT.filter(lambda amount: amount >= 1000), st.sampled_from([".", ","]))
def test_a_grouped_amount_is_never_read_with_the_other_mark(amount: float, decimal: Any) -> None:
    other = "," if decimal == "." else "."
    text = grouped(amount, other, decimal)
    for asked in (other, None):
        with pytest.raises(Question):
            parse_money(text, asked, math.inf)
    for text in (f"{round(amount) % 999_999:,}".replace(",", other),):
        if other in text:
            with pytest.raises(Question):
                parse_money(text, None, math.inf)


@given(st.dates(datetime.date(1990, 1, 1), datetime.date(2100, 12, 31)), st.sampled_from(["/", "-", ".", " "]))
def test_dates_come_back_in_every_notation(date: datetime.date, mark: str) -> None:
    days = float((date - EPOCH).days)
    part = {"Y": f"{date.year}", "M": f"{date.month}", "D": f"{date.day}"}
    for order in ("YMD", "DMY", "MDY"):
        for time in ("", " 23:59", ", 11:59:59 PM"):
            assert parse_day(mark.join(part[letter] for letter in order) + time, order) == days
    for time in ("", "T23:59:59.000Z", " 00:00", "T00:00:00+0200", " 1:05 a.m."):
        assert parse_day(date.isoformat() + time, None) == days
    assert parse_day(date, None) == parse_day(datetime.datetime.combine(date, datetime.time(23)), "DMY") == days
    if mark != "-" or date.month < 10 or date.day < 10:
        with pytest.raises(Question):
            parse_day(mark.join(part[letter] for letter in "DMY"), None)


@settings(max_examples=500)
@given(st.text(max_size=14) | st.text("0123456789.,-+()eE $€'% /:", max_size=14), st.sampled_from([None, ".", ","]))
def test_any_text_is_a_number_a_reason_or_a_question(text: str, decimal: Any) -> None:
    try:
        value = parse_number(text, decimal, 1e6)
    except Question as question:
        assert question.text and question.answer
    else:
        assert isinstance(value, Reason) or 0 <= value <= 1e6


@settings(max_examples=500)
@given(st.text(max_size=14) | st.text("0123456789.-/ T:", max_size=14), st.sampled_from([None, "YMD", "DMY", "MDY"]))
def test_any_text_is_a_date_a_reason_or_a_question(text: str, order: Any) -> None:
    try:
        value = parse_day(text, order)
    except Question as question:
        assert question.text and question.answer
    else:
        assert isinstance(value, Reason) or value.is_integer()


# ------------------------------------------------------------------------ any table

CELL = st.one_of(
    st.sampled_from(["", "1", "2", "Won", "Lost", "New", "Acme", "small", "1000", "1e3", "nan"]),
    st.sampled_from(["2026-01-01", "2026-02-30"]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8),
    st.floats().map(str),
    st.dates().map(str),
)  # fmt: skip
ROW = st.one_of(
    st.lists(CELL, min_size=6, max_size=8),
    st.tuples(
        st.sampled_from("12345678"), st.sampled_from(["Won", "Lost", "New"]), CELL, CELL, CELL, CELL, CELL
    ).map(list),
)  # fmt: skip


@settings(max_examples=int(os.environ.get("EXAMPLES", "150")), deadline=None)
@given(st.lists(ROW, max_size=8), st.sampled_from([None, ".", ","]), st.sampled_from([None, "DMY"]))
def test_any_table_is_deals_and_reasons_or_a_sentence(rows: list[list[str]], decimal: Any, order: Any) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deals.csv"
        path.write_text(as_csv([HEADER, WON, LOST, *rows]), encoding="utf-8", newline="")
        try:
            found = whole(read_deals(path, make_mapping({**PLAIN, "decimal": decimal, "date_order": order})))
        except TableError as sentence:
            assert "\n" not in str(sentence) and str(sentence)
            return
    assert found.rows_read == 2 + sum(any(cell.strip() for cell in row) for row in rows)
    assert found.closed["amount_usd"].between(0, 1e9).all() and (found.closed["cycle_weeks"] >= 0).all()
    assert found.open["stage"].isin([1, 4]).all() and (found.open["age_weeks"] >= 0).all()


# ------------------------------------------------------------------------ the files that come with Next Hour


def test_the_committed_export_is_what_its_script_writes() -> None:
    assert make_salesforce_export.FILE.read_text(encoding="utf-8") == make_salesforce_export.text()


def test_the_committed_export_is_read_to_the_dollar() -> None:
    mapping = load_mapping(MAPPINGS / "made_up_salesforce.yaml")
    found = whole(read_deals(make_salesforce_export.FILE, mapping))
    assert list(reasons(found).values()) == [
        "Close Date is before Created Date",
        "Stage 'On Hold' is neither won, lost nor open",
        "Opportunity ID stands in row 337 already",
        "1 field under 11 columns",
    ]
    lines = list(csv.reader(io.StringIO(make_salesforce_export.text())))[3:-2]
    written = {row: dict(zip(make_salesforce_export.HEADER, line, strict=True)) for row, line in enumerate(lines, 4)}
    assert found.rows_read == len(lines) + 1
    used = {**found.closed["amount_usd"], **found.open["amount_usd"]}
    assert used == {row: float(written[row]["Amount"].replace(",", "") or 0) for row in used}
    for row, deal in found.open[["stage", "partner"]].iterrows():
        assert mapping.stages[written[int(str(row))]["Stage"]] == deal["stage"]
        assert written[int(str(row))]["Partner Account"] == deal["partner"]


def test_the_committed_table_of_closed_deals() -> None:
    found = whole(read_deals(make_closed_deals.FILE, load_mapping(MAPPINGS / "made_up_closed_deals.yaml")))
    assert reasons(found) == {
        7: "Outcome 'Open' is neither won nor lost",
        152: "Sold by 'web shop' is neither direct nor partner",
    }


@pytest.mark.skipif(
    not REAL.exists(), reason=f"the win/loss sample is not part of the product; put it at ../shared/data/{REAL.name}"
)
def test_the_sample_is_read_as_its_readme_says() -> None:
    found = whole(read_deals(REAL, load_mapping(MAPPINGS / "win_loss_sample.yaml")))
    assert (found.rows_read, len(found.closed)) == (21_576, 10_917 + 10_116)
    assert {reason.split(" is ")[1] for reason in found.rejected["reason"]} == {"neither direct nor partner"}


def test_a_mapping_of_another_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text(as_csv([HEADER, WON]), encoding="utf-8")
    mapping: Mapping = make_mapping({**CLOSED_ONLY, "amount": "Amounts"})
    with pytest.raises(TableError, match="no column 'Amounts' in row 1; did you mean Amount"):
        read_deals(path, mapping)
