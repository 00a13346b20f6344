"""The rows of the fluid model have names, and an exported program reads like docs/planner.md.

Claims: every row and variable has a name of its own that other solvers' readers take; the families of rows are those
of the document's table; the formulas of tangents hold in the examples of their docstrings.
"""

from __future__ import annotations

import doctest
import re
from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import pytest

from optimize import Limits
from optimize.milp import model as milp_model
from optimize.milp.model import Model, Rates, labels_of
from optimize.milp.program import fluid_program
from optimize.objective import RUN_OFF_QUARTERS, Objective
from optimize.problem import HISTORY, PlanningProblem
from sim import TimePlan
from tests import ROOT
from tests.helpers import candidate, partner
from tests.optimize.test_planner import small

WEST = "Pine & Sons -> [West]"
EVERY_LIMIT = {
    "floors": {"3": 0.2}, "early_floor": 0.2, "min_partner_share": 0.01, "max_partner_share": 0.9,
    "largest_change_hours": 9.0, "locks": [{"activity": "sell", "hours_per_week": 9.0, "from_quarter": 3}],
}  # fmt: skip


def everything(elastic: bool, name: str = "expected_shortfall") -> Model:
    """A model with every feature: an account manager, a candidate, a past with hours, limits, risk or a run-off."""
    scenario = small(
        partners=[
            partner(WEST, base_share={"large": 0.3, "small": 0.5}, capacity_deals=1),
            partner("Pine+Sons", base_share={"small": 0.2}),
        ],
        candidates=[candidate("Pine-Sons", base_share={"large": 0.2})],
        channel_account_manager={"hours_per_week": 8},
    )
    hours = [{"activity": "coach", "target": WEST, "hours_per_week": 1.0}]
    followed = TimePlan.from_table(scenario, hours, "so far").table(scenario)
    run_off = 0 if name == "expected_shortfall" else RUN_OFF_QUARTERS
    problem = PlanningProblem.of(scenario, run_off, followed, 2)
    objective = Objective.of(scenario, name, 0.0, 1.0 if run_off else 0.0, 2)
    rates = replace(Rates.at_first(problem), luck=np.ones((2, 3, 6)))
    limits = Limits.of(scenario, EVERY_LIMIT)
    return fluid_program(problem, objective, limits, ("partner_first",) * 2, rates, followed, elastic)


def families(model: Model) -> set[str]:
    """Names of rows up to the place."""
    return {re.sub(r"^lock_\d+$", "lock_0", row.name.partition("(")[0]) for row in model.lp.constraints()}


@pytest.mark.parametrize("elastic", [False, True])
def test_every_row_and_variable_has_a_name_that_readers_of_lp_files_take(elastic: bool, tmp_path: Path) -> None:
    for objective in ("expected_shortfall", "quota_credit"):
        model = everything(elastic, objective)
        names = [each.name for each in (*model.lp.constraints(), *model.lp.variables())]
        assert len(set(names)) == len(names)
        assert not [name for name in names if not re.fullmatch(r"[A-Za-z]\w*(\([\w.,]+\))?", name, re.ASCII)]
        assert not [name for name in names if re.match(r"_?C\d+$", name)]
        file = tmp_path / "hours.lp"
        model.lp.writeLP(str(file))
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        assert solver.readModel(str(file)) == highspy.HighsStatus.kOk
        assert solver.getNumRow() == len(model.lp.constraints())
        assert {solver.getColName(i)[1] for i in range(solver.getNumCol())} >= {"sell_0(q3)"}


def test_the_document_has_every_family_of_rows_and_no_other() -> None:
    text = (ROOT / "docs" / "planner.md").read_text(encoding="utf-8")
    table = text.partition("## The rows of the model")[2].partition("What the model leaves out")[0]
    told = {
        word for line in table.splitlines() if line.startswith("| `") for word in re.findall(r"`(\w+)`", line[:120])
    }
    told -= {"short_", "over_"}
    found = families(everything(False)) | families(everything(True, "quota_credit")) | {"exit_credit"}
    assert told == found


def test_names_say_the_quarter_and_the_partner() -> None:
    model = everything(False)
    names = {row.name for row in model.lp.constraints()}
    assert {
        "week(q3)",
        "hours_if_carried(q3,Pine___Sons_____West,coach)",
        "deal_hours(h1)",
        "recruited_once(Pine_Sons.2)",
    } <= names
    assert model.carried[HISTORY + 2, 1].name == "carried_4_1(q3,Pine_Sons.1)"


def test_the_examples_of_docstrings_hold() -> None:
    tried = doctest.testmod(milp_model)
    assert tried.attempted >= 10 and tried.failed == 0


def test_labels_are_short_and_their_own() -> None:
    labels = labels_of(["A" * 40, "A" * 41, "Ä"])
    assert len(set(labels)) == 3 and all(len(label) <= 22 for label in labels)
