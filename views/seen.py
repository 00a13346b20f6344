"""What was seen of a territory so far, as it was entered or uploaded: kept beside scenarios and plans, by scenario.

Nothing is overwritten. Each change is a file of its own, with the digest of the scenario and a number in its name, and
the highest number counts: what was there before can always be had again.

Left out: what it means (optimize/actuals.py), and Streamlit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimize.actuals import Actuals
from sim import InputError, PlanError, Scenario
from views import library

MOST_CHANGES = 999


def latest(scenario: Scenario) -> Path | None:
    """The file that counts, if there is one."""
    files = _files(scenario)
    return files[max(files)] if files else None


def read(scenario: Scenario) -> Actuals | None:
    """What was seen, if anything was entered. Raises PlanError if its file cannot be used."""
    path = latest(scenario)
    if path is None:
        return None
    its = Actuals.load(path)
    if not _has_figures(its):
        return None
    its.figures(scenario)
    return its


def keep(scenario: Scenario, actuals: Actuals) -> Path:
    """Save it as the one that counts. Raises InputError if it does not fit the scenario or cannot be saved."""
    if _has_figures(actuals):
        actuals.figures(scenario)
    where = library.folder("actuals")
    library.make_ready(where)
    for number in range(max(_files(scenario), default=0) + 1, MOST_CHANGES + 1):
        path = where / f"{scenario.digest()}-{number}.yaml"
        try:
            path.touch(exist_ok=False)  # two that save at once get two numbers
        except FileExistsError:
            continue
        actuals.write(path)
        return path
    raise InputError(f"{where}: holds {MOST_CHANGES} changes of this scenario's figures; delete the oldest")


def with_quarter(actuals: Actuals | None, row: Mapping[str, Any], open_pipeline_usd: float | None) -> Actuals:
    """The same with one quarter as in `row`; figures that are None are not known. Raises PlanError.

    `open_pipeline_usd` is of the end of that quarter, and counts if no later one was entered. Quarters before it that
    nobody entered are there without figures; at the end there are none such.
    """
    quarter, before = row["quarter"], 0 if actuals is None else actuals.quarters
    given = {} if actuals is None else actuals.model_dump(mode="json", exclude_none=True)
    rows = {its["quarter"]: its for its in given.get("by_quarter", [])}
    partners = {name: known for name, its in row.get("partners", {}).items() if (known := _known(its))}
    rows[quarter] = _known(row) | ({"partners": partners} if partners else {})
    if quarter > before and open_pipeline_usd is None and not _says(rows[quarter]):
        raise PlanError(f"Nothing is entered for Q{quarter}; enter one figure or more")
    if quarter < before:
        open_pipeline_usd = given.get("open_pipeline_usd")
    last = max((q for q, its in rows.items() if _says(its)), default=1)
    if open_pipeline_usd is not None:
        given["open_pipeline_usd"], last = open_pipeline_usd, max(quarter, before)
    else:
        given.pop("open_pipeline_usd", None)
    return Actuals.of({**given, "by_quarter": [rows.get(q, {"quarter": q}) for q in range(1, last + 1)]})


def _files(scenario: Scenario) -> dict[int, Path]:
    """By number; a file that is being written is empty."""
    pattern = re.compile(rf"{re.escape(scenario.digest())}-(\d{{1,3}})\.yaml")
    found = ((pattern.fullmatch(path.name), path) for path in library.folder("actuals").glob("*.yaml"))
    return {int(its[1]): path for its, path in found if its and path.stat().st_size}


def _known(its: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in its.items() if value is not None and name != "partners"}


def _says(row: Mapping[str, Any]) -> bool:
    """Whether a quarter has any figure."""
    return any(value not in (None, {}) for name, value in row.items() if name != "quarter")


def _has_figures(its: Actuals) -> bool:
    return its.open_pipeline_usd is not None or any(_says(row.model_dump()) for row in its.by_quarter)
