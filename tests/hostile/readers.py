# ruff: noqa: E501 - attacks stand in lists, as wide as they are
"""The readers of the product: what each is given, by Python and by the terminal's command."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sim import Scenario, TimePlan, load_scenario
from tests.hostile import good_files, on_bytes, on_text, on_workbooks
from tests.hostile.on_bytes import Attack

AS_OF = datetime.date(2026, 6, 30)


@dataclass(frozen=True)
class Reader:
    """One kind of input, and the ways to hand it in."""

    name: str
    ending: str
    """of the file's name"""
    good: Callable[[], tuple[str | bytes, ...]]
    attacks: tuple[Attack, ...]
    read: Callable[[Path], object]
    """reads a file by Python"""
    words: Callable[[str, str], list[str]]
    """the command that reads a file (first) and writes another (second)"""
    quick: bool = True
    """whether the command takes a moment only, also where nothing is wrong; others are given only what Python refuses"""


@cache
def baseline() -> Scenario:
    """The baseline scenario."""
    return load_scenario(good_files.FOLDER / "baseline.yaml")


def _read_plan(path: Path) -> object:
    return TimePlan.load(path).table(baseline())


def _read_actuals(path: Path) -> object:
    from optimize.replan.actuals import Actuals

    actuals = Actuals.load(path)
    actuals.check_coming(baseline())
    return actuals.figures(baseline())


def _read_mapping(path: Path) -> object:
    from nexthour.calibrate import load_mapping

    return load_mapping(path)


def _read_deals(path: Path) -> object:
    from nexthour.calibrate import load_mapping, read_deals
    from nexthour.calibrate.deals.deal_table import rejected_text
    from nexthour.calibrate.deals.mapping_proposal import proposal_text, propose_mapping
    from sim import TableError
    from sim.documents.yaml_values import yaml_values

    try:
        deals = read_deals(path, load_mapping(good_files.FOLDER / "mappings/made_up_salesforce.yaml"))
    finally:
        with suppress(TableError):  # whatever a table holds, what is proposed for it is YAML
            yaml_values(proposal_text(propose_mapping(path)))
    return rejected_text(deals.rejected)


def _read_calendar(path: Path) -> object:
    from nexthour.calibrate.calendar.audit import audit_calendar

    return audit_calendar(path, _rules())


@cache
def _rules() -> Any:
    from nexthour.calibrate.calendar.audit import load_calendar_rules

    return load_calendar_rules(good_files.FOLDER / "mappings/made_up_calendar.yaml")


def _read_rules(path: Path) -> object:
    from nexthour.calibrate.calendar.audit import audit_calendar, load_calendar_rules

    return audit_calendar(good_files.FOLDER / "made_up_calendar.ics", load_calendar_rules(path))


def _read_partners(path: Path) -> object:
    from nexthour.calibrate.people.partner_intake import infer_partners, with_intake
    from nexthour.calibrate.people.partner_posterior import read_partners

    return with_intake(baseline(), infer_partners(read_partners(path), baseline(), 52.0, "the table"))


def _read_judgement(path: Path) -> object:
    from nexthour.calibrate.people.judgement import fit_judgement, read_judgement, with_judgement

    return with_judgement(baseline(), fit_judgement(read_judgement(path), baseline()))


def _read_recruiting(path: Path) -> object:
    from nexthour.calibrate.people.recruiting import fit_recruiting, with_recruiting
    from nexthour.calibrate.people.recruiting_contacts import read_contacts

    contacts = read_contacts(path, "First contact", "Signed", AS_OF, "Kind")
    return with_recruiting(baseline(), fit_recruiting(contacts), "")


_YAML = (*on_bytes.ATTACKS, *on_text.ON_TEXT, *on_text.ON_YAML, *on_text.ON_YAML)
_TABLE = (*on_bytes.ATTACKS, *on_text.ON_TEXT, *on_text.ON_TABLES, *on_text.ON_TABLES)
_ICS = (*on_bytes.ATTACKS, *on_text.ON_TEXT, *on_text.ON_ICS, *on_text.ON_ICS)
MAPPING = "made_up_salesforce"


def _recruiting_words(path: str, out: str) -> list[str]:
    return [
        "recruiting",
        path,
        "--contacted",
        "First contact",
        "--signed",
        "Signed",
        "--as-of",
        "2026-06-30",
        "--kind",
        "Kind",
    ]


READERS: tuple[Reader, ...] = (
    Reader("scenario", ".yaml", good_files.scenario_texts, _YAML, load_scenario, lambda path, out: ["check", path]),
    Reader("plan", ".yaml", good_files.plan_texts, _YAML, _read_plan, lambda path, out: ["check", path]),
    Reader(
        "actuals", ".yaml", good_files.actuals_texts, _YAML, _read_actuals,
        lambda path, out: ["plan", "baseline", "--actuals", path], False,
    ),
    Reader(
        "mapping", ".yaml", good_files.mapping_texts, _YAML, _read_mapping,
        lambda path, out: ["calibrate", MAPPING, "--mapping", path, "--out", out], False,
    ),
    Reader(
        "rules", ".yaml", good_files.rules_texts, _YAML, _read_rules,
        lambda path, out: ["hours", "made_up_calendar", "--rules", path],
    ),
    Reader(
        "deals", ".csv", lambda: good_files.table_texts("deals"), _TABLE, _read_deals,
        lambda path, out: ["calibrate", path, "--mapping", MAPPING, "--out", out], False,
    ),
    Reader(
        "deals in a workbook", ".xlsx", lambda: good_files.workbooks("deals"), on_workbooks.ATTACKS, _read_deals,
        lambda path, out: ["mapping", path, "--out", out],
    ),
    Reader(
        "ICS", ".ics", good_files.ics_texts, _ICS, _read_calendar,
        lambda path, out: ["hours", path, "--rules", "made_up_calendar"],
    ),
    Reader(
        "calendar table", ".csv", lambda: good_files.table_texts("calendar"), _TABLE, _read_calendar,
        lambda path, out: ["hours", path, "--rules", "made_up_calendar", "--json"],
    ),
    Reader(
        "partners", ".csv", lambda: good_files.table_texts("partners"), _TABLE, _read_partners,
        lambda path, out: ["partners", path, "--out", out],
    ),
    Reader(
        "partners in a workbook", ".xlsx", lambda: good_files.workbooks("partners"), on_workbooks.ATTACKS, _read_partners,
        lambda path, out: ["partners", path, "--out", out],
    ),
    Reader(
        "judgement", ".csv", lambda: good_files.table_texts("judgement"), _TABLE, _read_judgement,
        lambda path, out: ["judgement", path, "--out", out],
    ),
    Reader(
        "recruiting", ".csv", lambda: good_files.table_texts("recruiting"), _TABLE, _read_recruiting, _recruiting_words
    ),
    Reader(
        "recruiting in a workbook", ".xlsx", lambda: good_files.workbooks("recruiting"), on_workbooks.ATTACKS,
        _read_recruiting, _recruiting_words,
    ),
)  # fmt: skip
