"""What was seen of a territory so far, as it was entered or uploaded: kept beside scenarios and plans, by scenario.

Nothing is overwritten. Each change is a version: a file of its own, with the digest of the scenario and a number in its
name. The highest number counts, and what was there before can always be had again.

Left out: what it means (optimize/replan/actuals.py, optimize/replan/matching.py), and Streamlit.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nexthour.app.state import library
from optimize.replan.actuals import Actuals
from sim import InputError, PlanError, Scenario

MOST_VERSIONS = 999


def versions(scenario: Scenario) -> dict[int, Path]:
    """A scenario's files by number, the one that counts last; empty ones, which are being written, are left out."""
    pattern = re.compile(rf"{re.escape(scenario.digest())}-(\d{{1,3}})\.yaml")
    found = ((pattern.fullmatch(path.name), path) for path in library.folder("actuals").glob("*.yaml"))
    return dict(sorted((int(match[1]), path) for match, path in found if match and library.changed_ns(path)))


def latest(scenario: Scenario) -> int | None:
    """The number of the version that counts, if there is one."""
    return max(versions(scenario), default=None)


def read_actuals(scenario: Scenario, version: int | None = None) -> Actuals | None:
    """What was seen, if anything was entered; the latest version if none is named. Raises PlanError if it cannot be
    used.
    """
    number = latest(scenario) if version is None else version
    if number is None:
        return None
    files = versions(scenario)
    if number not in files:
        raise PlanError(f"Version {number} of this scenario's figures is not there any more; enter them again")
    actuals = Actuals.load(files[number])
    if not _has_figures(actuals):
        return None
    actuals.figures(scenario)
    return actuals


def save_actuals(scenario: Scenario, actuals: Actuals) -> int:
    """Save it as the version that counts; returns its number. Raises InputError if it does not fit the scenario or
    cannot be saved.
    """
    if _has_figures(actuals):
        actuals.figures(scenario)
    for number in range((latest(scenario) or 0) + 1, MOST_VERSIONS + 1):
        if library.write_new(actuals, "actuals", f"{scenario.digest()}-{number}"):
            return number
    raise InputError(
        f"{library.folder('actuals')}: holds {MOST_VERSIONS} versions of this scenario's figures; delete the oldest"
    )


def with_quarter(actuals: Actuals | None, row: Mapping[str, Any], open_pipeline_usd: float | None) -> Actuals:
    """Actuals with one quarter as in `row`; figures that are None are not known. Raises PlanError.

    `open_pipeline_usd` is of the end of that quarter, and counts if no later one was entered. Quarters before it that
    nobody entered are there without figures; at the end there are none such.
    """
    quarter, before = row["quarter"], 0 if actuals is None else actuals.quarters
    given = {} if actuals is None else actuals.model_dump(mode="json", exclude_none=True)
    rows = {known_row["quarter"]: known_row for known_row in given.get("by_quarter", [])}
    partners = {name: seen for name, figures in row.get("partners", {}).items() if (seen := _known_figures(figures))}
    rows[quarter] = _known_figures(row) | ({"partners": partners} if partners else {})
    if quarter > before and open_pipeline_usd is None and not _has_figure(rows[quarter]):
        raise PlanError(f"Nothing is entered for Q{quarter}; enter one figure or more")
    if quarter < before:
        open_pipeline_usd = given.get("open_pipeline_usd")
    last = max((q for q, known_row in rows.items() if _has_figure(known_row)), default=1)
    if open_pipeline_usd is not None:
        given["open_pipeline_usd"], last = open_pipeline_usd, max(quarter, before)
    else:
        given.pop("open_pipeline_usd", None)
    return Actuals.of({**given, "by_quarter": [rows.get(q, {"quarter": q}) for q in range(1, last + 1)]})


def _known_figures(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if value is not None and name != "partners"}


def _has_figure(row: Mapping[str, Any]) -> bool:
    return any(value not in (None, {}) for name, value in row.items() if name != "quarter")


def _has_figures(actuals: Actuals) -> bool:
    return actuals.open_pipeline_usd is not None or any(_has_figure(row.model_dump()) for row in actuals.by_quarter)
