"""What a plan must keep to, in a manager's words.

Left out: how a limit becomes a row of the model (milp.py), and what is said when limits clash (solve.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from sim.documents import Declared, FrozenMap, Items, declare, guess, show, validate
from sim.errors import PlanError
from sim.plan import Hours
from sim.scenario import PARTNER_ACTIVITIES, CoverageMode, Name, Scenario, known_keys

Share = Annotated[float, Field(ge=0, le=1)]
Attainment = Annotated[float, Field(ge=0, le=10)]


class Limits(Declared):
    """All limits of a plan; the default is none."""

    floors: FrozenMap[Attainment] = declare(
        "least attainment by quarter, from the forecast", unit="share of quota by quarter", default={}
    )
    locks: Items[Hours] = declare("rows of hours that are fixed", unit="list", default=())
    min_partner_share: Share = declare(
        "least share of the manager's hours planned for partners", unit="share", default=0.0
    )
    max_partner_share: Share = declare("most of it", unit="share", default=1.0)
    largest_change_hours: Annotated[float, Field(ge=0, le=1000)] | None = declare(
        "most by which planned partner hours a week change from a quarter to the next",
        unit="hours a week",
        default=None,
    )
    recruit: bool = declare("whether candidates may be recruited", unit="yes or no", default=True)
    only_partners: Items[Name] | None = declare(
        "partners and candidates that may get hours; all of them if not given", unit="names", default=None
    )
    coverage_mode: FrozenMap[CoverageMode] = declare(
        "coverage modes that are fixed, by segment", unit="mode by segment", default={}
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_partner_share > self.max_partner_share:
            raise ValueError(
                f"min_partner_share {self.min_partner_share:g} is above max_partner_share {self.max_partner_share:g}; "
                "allowed: the same or less"
            )
        return self

    @classmethod
    def of(cls, scenario: Scenario, given: Mapping[str, Any]) -> Limits:
        """Limits that fit a scenario. Raises PlanError, a sentence for each thing that is wrong."""
        floors = given.get("floors")
        if isinstance(floors, Mapping):
            given = {**given, "floors": {str(quarter): value for quarter, value in floors.items()}}
        limits = validate(cls, {key: value for key, value in given.items() if value is not None}, "limits", PlanError)
        try:
            limits._fit(scenario)
        except ValueError as problem:
            raise PlanError(f"limits: {problem}") from None
        return limits

    def floor(self, quarter: int) -> float | None:
        """Least attainment of a quarter, from 1."""
        return self.floors.get(str(quarter))

    def may_get_hours(self, partner: str) -> bool:
        """Whether a partner or candidate is among those that may."""
        return self.only_partners is None or partner in self.only_partners

    def _fit(self, scenario: Scenario) -> None:
        horizon, candidates = scenario.horizon_quarters, [its.name for its in scenario.candidates]
        quarters = [str(quarter) for quarter in range(1, horizon + 1)]
        for quarter in self.floors:
            if quarter not in quarters:
                raise ValueError(f"floors: quarter {show(quarter)} is not in the horizon; allowed: 1 to {horizon}")
        known_keys("only_partners", self.only_partners or (), scenario.partner_names, "partner")
        known_keys("coverage_mode", self.coverage_mode, scenario.segment_names, "segment")
        for i, row in enumerate(self.locks):
            where = f"locks[{i}]"
            if row.from_quarter > horizon or (row.to_quarter or 1) > horizon:
                raise ValueError(f"{where}: a quarter is after the horizon; allowed: 1 to {horizon}")
            known = candidates if row.activity == "recruit" else scenario.partner_names
            if row.activity == "prospect":
                known = scenario.segment_names
            if row.target is not None and row.target not in known:
                raise ValueError(f"{where}: unknown target {show(row.target)}; {guess(row.target, known)}")
            if row.who != "territory_manager" and scenario.channel_account_manager is None:
                raise ValueError(f"{where}: the scenario has no channel account manager; leave the row out")
            if row.activity in PARTNER_ACTIVITIES and row.target is not None and row.hours_per_week > 0:
                self._check_lock(where, row)

    def _check_lock(self, where: str, row: Hours) -> None:
        if row.activity == "recruit":
            raise ValueError(f"{where}: recruiting is planned as a whole; lock it with recruit: false, or leave it out")
        if not self.may_get_hours(row.target or ""):
            raise ValueError(f"{where}: {show(row.target)} has hours but is not in only_partners; add it there")
