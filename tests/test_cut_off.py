"""A file that was cut off, wherever, is refused in a sentence, or it says all that the whole one says."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexthour.app.state.actuals_store import with_quarter
from nexthour.calibrate import load_mapping
from nexthour.calibrate.calendar.ics_file import read_ics_calendar
from nexthour.calibrate.files.table_file import PLAIN, open_table
from nexthour.packaged import packaged
from optimize.monday.ics import calendar_text
from optimize.monday.sheet import monday_sheet
from optimize.replan.actuals import Actuals
from sim import InputError, Scenario, TableError, TimePlan, load_scenario
from sim.documents.yaml_file import marked_whole

SCENARIOS = packaged("scenarios")
ROWS = [["Deal", "Amount"], *([f"deal {number}", number * 1000] for number in range(40))]


@dataclass(frozen=True)
class Kind:
    """A kind of file: how one is written to a path, and what reading it gives."""

    ending: str
    write: Callable[[Path], object]
    read: Callable[[Path], Any]


def baseline() -> Scenario:
    return load_scenario(SCENARIOS / "baseline.yaml")


def write_actuals(path: Path) -> None:
    quarters = None
    for quarter in range(1, 5):
        quarters = with_quarter(quarters, {"quarter": quarter, "bookings_usd": 100_000.0 * quarter}, None)
    assert quarters is not None
    quarters.save(path)


def write_plan(path: Path) -> None:
    TimePlan.constant(baseline(), 0.3).save(path)


def write_mapping(path: Path) -> None:
    text = (SCENARIOS / "mappings" / "made_up_closed_deals.yaml").read_text(encoding="utf-8")
    path.write_text(marked_whole(text), encoding="utf-8")


def write_calendar(path: Path) -> None:
    sheet = monday_sheet(baseline(), TimePlan.constant(baseline(), 0.3), 1)
    path.write_bytes(calendar_text(sheet))


def write_workbook(path: Path) -> None:
    book, out = openpyxl.Workbook(), BytesIO()
    for row in ROWS:
        book.active.append(row)
    book.save(out)
    path.write_bytes(out.getvalue())


def write_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress("\n".join(",".join(map(str, row)) for row in ROWS).encode()))


def table(path: Path) -> list[Any]:
    opened = open_table(path, PLAIN)
    found = [block.to_csv() for block in opened.blocks(opened.header)]
    if not found:
        raise TableError("no rows, which each use of a table refuses in words of its own")
    return [found, opened.misfits]


def calendar(path: Path) -> list[bytes]:
    return [event.to_ical() for event in read_ics_calendar(path.read_bytes(), path).events]


KINDS = {
    "scenario": Kind("yaml", lambda path: baseline().save(path), Scenario.load),
    "plan": Kind("yaml", write_plan, TimePlan.load),
    "actuals": Kind("yaml", write_actuals, Actuals.load),
    "mapping": Kind("yaml", write_mapping, load_mapping),
    "calendar": Kind("ics", write_calendar, calendar),
    "workbook": Kind("xlsx", write_workbook, table),
    "packed table": Kind("csv.gz", write_gzip, table),
}


def meaning(name: str, path: Path) -> Any:
    """What a file says, or the first sentence of what is wrong with it."""
    try:
        return KINDS[name].read(path)
    except InputError as problem:
        return problem.problems[0].replace(path.name, "")


@pytest.mark.generated
@pytest.mark.parametrize("name", KINDS)
def test_a_file_that_was_cut_off_is_refused_or_says_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"cut.{KINDS[name].ending}"
    KINDS[name].write(path)
    data, all_of_it = path.read_bytes(), meaning(name, path)
    assert not isinstance(all_of_it, str)
    last = len(data) - 1

    @given(st.one_of(st.integers(0, last), st.integers(max(0, last - 40), last)))
    def cut(length: int) -> None:
        path.write_bytes(data[:length])
        found = meaning(name, path)
        assert found == all_of_it or (isinstance(found, str) and "\n" not in found), (length, found)

    cut()
