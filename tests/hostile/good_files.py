"""Good inputs of each kind, small, from which hostile ones are made."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from nexthour.packaged import packaged
from sim import TimePlan, load_scenario

FOLDER = Path(packaged("scenarios"))
DEAL_ROWS = 150
"""Enough rows for a fit, and few enough to read in a moment."""
ACTUALS = {
    "by_quarter": [
        {"quarter": 1, "credit_usd": 400_000, "gone_cold": 2, "partners": {"Birch IT": {"registered_deals": 3}}},
        {"quarter": 2, "bookings_usd": 350_000, "skill": 0.4},
    ],
    "open_pipeline_usd": 900_000,
}
CALENDAR_ROWS = """Subject,Start Date,Start Time,End Date,End Time,All day event,Required Attendees,Categories
Team meeting,2026-01-05,09:00,2026-01-05,10:00,False,,Internal
Product training for Birch IT,2026-01-07,10:00,2026-01-07,12:00,False,ben@birch-it.example,
Quarter with Alder Systems,2026-01-14,1:00 PM,2026-01-14,3:00 PM,False,Ann <ann@alder.example>,
Holiday,2026-01-19,,2026-01-20,,True,,
Forecast call,2026-01-30,15:00,2026-01-30,16:00,False,,Internal
"""


def text_of(name: str) -> str:
    """The text of a file that comes with the product."""
    return (FOLDER / name).read_text(encoding="utf-8-sig")


@cache
def scenario_texts() -> tuple[str, ...]:
    """All scenarios that come with the product."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.yaml")))


@cache
def plan_texts() -> tuple[str, ...]:
    """A plan as it is saved, and one as a person writes it."""
    scenario = load_scenario(FOLDER / "baseline.yaml")
    plan = TimePlan.constant(scenario, 0.3, focus="believers", park=["Fir Solutions"])
    return plan.text(), yaml.safe_dump(plan.model_dump(exclude_unset=True))


@cache
def mapping_texts() -> tuple[str, ...]:
    """The mapping of the made-up export."""
    return (text_of("mappings/made_up_salesforce.yaml"),)


@cache
def rules_texts() -> tuple[str, ...]:
    """The rules of the made-up calendar."""
    return (text_of("mappings/made_up_calendar.yaml"),)


@cache
def actuals_texts() -> tuple[str, ...]:
    """What was seen of two quarters."""
    return (yaml.safe_dump(ACTUALS),)


def first_lines(name: str, lines: int) -> str:
    """The beginning of a table that comes with the product."""
    return "".join(text_of(name).splitlines(keepends=True)[:lines])


@cache
def table_texts(kind: str) -> tuple[str, ...]:
    """The made-up table of a kind: deals, partners, judgement, recruiting or calendar."""
    return {
        "deals": (first_lines("made_up_salesforce.csv", DEAL_ROWS),),
        "partners": (text_of("made_up_partners.csv"),),
        "judgement": (text_of("made_up_judgement.csv"),),
        "recruiting": (first_lines("made_up_recruiting.csv", 120),),
        "calendar": (CALENDAR_ROWS,),
    }[kind]


@cache
def ics_texts() -> tuple[str, ...]:
    """The made-up calendar."""
    return (text_of("made_up_calendar.ics"),)


def workbook_of(rows: list[list[Any]]) -> bytes:
    """A workbook with these cells, numbers as numbers."""
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "nan_inf_to_errors": True}) as book:
        sheet = book.add_worksheet("Deals")
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                sheet.write(row, column, cell)
    return out.getvalue()


@cache
def workbooks(kind: str) -> tuple[bytes, ...]:
    """The made-up table of a kind as a workbook."""
    import csv

    (text,) = table_texts(kind)
    rows = [[_typed(cell) for cell in row] for row in csv.reader(io.StringIO(text))]
    return (workbook_of(rows),)


def _typed(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell
