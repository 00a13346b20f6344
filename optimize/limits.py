"""What a plan must keep to, in a manager's words.

Left out: how a limit becomes a row of the model (milp/limits.py), and what is said when limits clash (reconcile.py).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from optimize.options import EARLY_QUARTERS, OPTIONS
from sim import PlanError, Scenario
from sim.arrays import FloatArray
from sim.documents.declared import FrozenMap, Items, Request, items_of, validate
from sim.documents.messages import guess, known_keys, show
from sim.plan import ACTIVITY_WORDS, Hours, PlanTable
from sim.study.request import in_sentences
from sim.terms import COVERAGE_WORDS, PARTNER_ACTIVITIES, CoverageMode, Name

Attainment = Annotated[float, Field(ge=OPTIONS["floors"].least, le=OPTIONS["floors"].most)]
TOLERANCE_HOURS = 1e-3


def parse_lock(text: str) -> dict[str, Any]:
    """A row of hours from 'coach:Birch IT=2@1-4': what, with whom, hours a week, quarters. Raises ValueError."""
    use, mark, value = text.rpartition("=")
    if not mark or not use:
        raise ValueError("write it as NAME=VALUE")
    activity, _, target = use.partition(":")
    hours, _, when = value.partition("@")
    first, _, last = when.partition("-")
    if when and not (first.isdecimal() and (last or first).isdecimal()):
        raise ValueError(f"{when!r} is no quarters; write them as 2 or 1-4")
    try:
        hours_per_week = float(hours)
    except ValueError:
        raise ValueError(f"{hours!r} is no number; write it as {use}=0.9") from None
    quarters = {"from_quarter": int(first), "to_quarter": int(last or first)} if when else {}
    return {"activity": activity, **({"target": target} if target else {}), "hours_per_week": hours_per_week} | quarters


def lock_text(activity: str, target: str | None, hours_per_week: float, first: int, last: int) -> str:
    """The text that `parse_lock` reads."""
    return f"{activity}{f':{target}' if target else ''}={hours_per_week:g}@{first}-{last}"


def hours_of(scenario: Scenario, arrays: Any, row: Hours) -> Any:
    """A view of the hours that a row is about, by quarter, in the arrays of a PlanTable or of the planner's model."""
    if row.activity == "sell":
        return arrays.sell
    if row.activity == "prospect":
        return arrays.prospect[:, scenario.segment_names.index(row.target or "")]
    hours = arrays.partner if row.who == "territory_manager" else arrays.channel_account_manager
    return hours[:, PARTNER_ACTIVITIES.index(row.activity), scenario.partner_names.index(row.target or "")]


class Limits(Request):
    """All limits of a plan; the default is none."""

    floors: FrozenMap[Attainment] = OPTIONS["floors"].declare()
    early_floor: float | None = OPTIONS["early_floor"].declare()
    locks: Items[Hours] = OPTIONS["locks"].declare()
    min_partner_share: float = OPTIONS["min_partner_share"].declare()
    max_partner_share: float = OPTIONS["max_partner_share"].declare()
    largest_change_hours: float | None = OPTIONS["largest_change_hours"].declare()
    recruit: bool = OPTIONS["recruit"].declare()
    only_partners: Items[Name] | None = OPTIONS["only_partners"].declare()
    coverage_mode: FrozenMap[CoverageMode] = OPTIONS["coverage_mode"].declare()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_partner_share > self.max_partner_share:
            raise ValueError(
                f"min_partner_share {self.min_partner_share:g} is above max_partner_share {self.max_partner_share:g}; "
                "allowed: the same or less"
            )
        return self

    # After the check above, which it puts into words too.
    _in_sentences = model_validator(mode="wrap")(in_sentences)

    @classmethod
    def of(cls, scenario: Scenario, given: Mapping[str, Any]) -> Self:
        """Limits that fit a scenario; None is no limit. Raises PlanError, a sentence for each thing that is wrong."""
        values = {name: value for name, value in given.items() if value is not None}
        values |= {name: items_of(values[name]) for name in ("locks", "only_partners") if name in values}
        if isinstance(floors := values.get("floors"), Mapping):
            values["floors"] = {str(quarter): value for quarter, value in floors.items()}
        limits = validate(cls, values, "limits", PlanError)
        try:
            limits._check_fit(scenario)
        except ValueError as problem:
            raise PlanError(str(problem)) from None
        return limits

    def floor(self, quarter: int) -> float | None:
        """Least attainment of a quarter, from 1."""
        return self.floors.get(str(quarter))

    def may_get_hours(self, partner: str) -> bool:
        """Whether a partner or candidate is among those that may."""
        return self.only_partners is None or partner in self.only_partners

    def given(self) -> tuple[str, ...]:
        """A key for each limit that was asked for; floors and locks have one each."""
        keys = []
        for name, field in Limits.model_fields.items():
            value = getattr(self, name)
            if value == field.default or value == {}:
                continue
            if name == "floors":
                keys += [f"floors {quarter}" for quarter in value]
            elif name == "locks":
                keys += [f"locks {i}" for i in range(len(value))]
            else:
                keys.append(name)
        return tuple(keys)

    def says(self, key: str) -> str:
        """A limit in words, by its key."""
        name, _, which = key.partition(" ")
        value = getattr(self, name)
        if name == "floors":
            return f"attainment of at least {value[which]:.0%} in Q{which}"
        if name == "locks":
            row: Hours = value[int(which)]
            first, last = row.from_quarter, row.to_quarter
            when = "" if (first, last) == (1, None) else f" in Q{first}" if first == last else f" from Q{first}"
            when += f" to Q{last}" if when and last not in (None, first) else ""
            what = " ".join(word for word in (ACTIVITY_WORDS[row.activity], row.target) if word)
            return f"{what} locked at {row.hours_per_week:g} hour{'' if row.hours_per_week == 1 else 's'}{when}"
        if name == "recruit":
            return "no recruiting"
        if name == "only_partners":
            return f"hours only for {', '.join(value) or 'nobody'}"
        if name == "coverage_mode":
            return "coverage " + ", ".join(f"{segment} {COVERAGE_WORDS[mode]}" for segment, mode in value.items())
        return {
            "early_floor": f"attainment of at least {value:.0%} in Q1 to Q{EARLY_QUARTERS}",
            "min_partner_share": f"at least {value:.0%} of the hours with partners",
            "max_partner_share": f"at most {value:.0%} of the hours with partners",
            "largest_change_hours": f"partner hours that change by at most {value:g} a week between quarters",
        }[name]

    def without(self, key: str) -> Self:
        """All limits but one, by its key."""
        name, _, which = key.partition(" ")
        rest: Any = type(self).model_fields[name].default
        if name == "floors":
            rest = {quarter: value for quarter, value in self.floors.items() if quarter != which}
        elif name == "locks":
            rest = tuple(row for i, row in enumerate(self.locks) if i != int(which))
        return self.model_copy(update={name: rest})

    def without_floors(self) -> Self:
        """The limits that a plan's hours alone keep to, whatever is forecast."""
        return self.model_copy(update={"floors": {}, "early_floor": None})

    def locked_hours(self, activity: str, target: str, who: str, quarter: int) -> float:
        """Hours that are locked for a use in a quarter, from 1; 0 if none are."""
        return sum(
            row.hours_per_week
            for row in self.locks
            if (row.activity, row.target, row.who) == (activity, target, who)
            and row.from_quarter <= quarter <= (row.to_quarter or quarter)
        )

    def broken(self, scenario: Scenario, table: PlanTable, past: int = 0) -> tuple[str, ...]:
        """Keys of the limits that a plan does not keep to, from its hours alone; floors need a forecast."""
        own = scenario.territory_manager.hours_per_week
        with_partners, ahead = table.partner.sum(axis=(1, 2)), slice(past, None)
        given = (table.partner + table.channel_account_manager).sum(axis=1)[ahead]
        recruit = (table.partner + table.channel_account_manager)[ahead, PARTNER_ACTIVITIES.index("recruit")]
        slack = TOLERANCE_HOURS
        not_them = [p for p, name in enumerate(scenario.partner_names) if not self.may_get_hours(name)]
        rules = {
            "min_partner_share": (with_partners[ahead] < self.min_partner_share * own - slack).any(),
            "max_partner_share": (with_partners[ahead] > self.max_partner_share * own + slack).any(),
            "largest_change_hours": self.largest_change_hours is not None
            and (abs(np.diff(with_partners))[max(past - 1, 0) :] > self.largest_change_hours + slack).any(),
            "recruit": not self.recruit and recruit.any(),
            "only_partners": given[:, not_them].any(),
            "coverage_mode": any(
                table.coverage_mode[scenario.segment_names.index(name)] != mode
                for name, mode in self.coverage_mode.items()
            ),
        }
        locks = [
            f"locks {i}"
            for i, row in enumerate(self.locks)
            if (abs(self.cells(scenario, table, row) - row.hours_per_week) > slack).any()
        ]
        return (*(name for name, is_broken in rules.items() if is_broken), *locks)

    def _check_fit(self, scenario: Scenario) -> None:
        horizon, candidates = scenario.horizon_quarters, [candidate.name for candidate in scenario.candidates]
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
            allowed = candidates if row.activity == "recruit" else scenario.partner_names
            if row.activity == "prospect":
                allowed = scenario.segment_names
            if row.target is not None and row.target not in allowed:
                raise ValueError(f"{where}: unknown target {show(row.target)}; {guess(row.target, allowed)}")
            if row.who != "territory_manager" and scenario.channel_account_manager is None:
                raise ValueError(f"{where}: the scenario has no channel account manager; leave the row out")
            if row.activity in PARTNER_ACTIVITIES and row.target is not None and row.hours_per_week > 0:
                if row.activity == "recruit":
                    raise ValueError(
                        f"{where}: recruiting is planned as a whole; lock it with recruit: false, or leave it out"
                    )
                if not self.may_get_hours(row.target):
                    raise ValueError(f"{where}: {show(row.target)} has hours but is not in only_partners; add it there")

    @staticmethod
    def cells(scenario: Scenario, table: PlanTable, row: Hours) -> FloatArray:
        """What a plan has where a lock says something: a view, shape (quarters of the lock,)."""
        return np.asarray(hours_of(scenario, table, row)[row.from_quarter - 1 : row.to_quarter])

    def check_past(self, past: int) -> None:
        """Raise PlanError for a floor or lock of a quarter that is over."""
        over = [f"floors: quarter {quarter}" for quarter in self.floors if int(quarter) <= past]
        over += [
            f"locks[{i}]: quarter {row.from_quarter}" for i, row in enumerate(self.locks) if row.from_quarter <= past
        ]
        if past and self.early_floor is not None:
            over.append("early_floor: quarter 1")
        if over:
            raise PlanError(f"{over[0]} is over; allowed: quarter {past + 1} and later")
