"""A time plan: hours a week by quarter, activity and target, and the coverage mode of each segment.

A plan is what the manager decides; the scenario is what the manager meets. A plan is written as rows, a row
for each run of quarters with the same hours. Against a scenario it becomes a `PlanTable` of plain arrays, and
is refused if it holds more hours than there are, counting the reactive support of the partners it carries.

Left out: when within the week things happen (territory.py), and whether the plan is any good (optimize/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator

from sim.documents.declared import Declared, FrozenMap, Items, declare, is_share, is_whole, items_of, validate
from sim.documents.messages import known_keys, show
from sim.documents.yaml_file import Document
from sim.errors import InputError, PlanError
from sim.scenario import Scenario
from sim.split import Split
from sim.split_hours import equal_runs, expected_support, hours_of_split
from sim.terms import CAM_ACTIVITIES, COVERAGE_WORDS, DEFAULT_MIX, PARTNER_ACTIVITIES, CoverageMode, Name, Share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sim.arrays import FloatArray

Activity = Literal["sell", "prospect", "coach", "joint_plan", "co_sell", "sell_for", "socialise", "recruit"]
Who = Literal["territory_manager", "channel_account_manager"]
ROUNDING_HOURS = 1e-6


ACTIVITY_WORDS = {
    "sell": "selling",
    "prospect": "prospecting",
    "support": "reactive support",
    "coach": "coaching",
    "joint_plan": "joint planning",
    "co_sell": "co-selling",
    "sell_for": "selling for partners",
    "socialise": "visits without agenda",
    "recruit": "recruiting",
    "idle": "idle",
}
"""What people see for each use of an hour."""


class Hours(Declared):
    """A row of a plan: hours a week for one activity and target, over a run of quarters."""

    activity: Activity = declare("what the hours are for", unit="activity")
    target: Name | None = declare(
        "segment for prospect, partner or candidate for partner work, nothing for sell", unit="name", default=None
    )
    hours_per_week: float = declare("hours", unit="hours a week", ge=0, le=1000)
    from_quarter: int = declare("first quarter, from 1", unit="quarter", default=1, ge=1, le=20)
    to_quarter: int | None = declare("last quarter; null is the end", unit="quarter", default=None, ge=1, le=20)
    who: Who = declare("whose hours", unit="role", default="territory_manager")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.to_quarter is not None and self.to_quarter < self.from_quarter:
            raise ValueError(
                f"to_quarter {self.to_quarter} is before from_quarter {self.from_quarter}; allowed: the same or later"
            )
        if (self.target is None) != (self.activity == "sell"):
            wrong = "has a target, but selling is one pool; leave it out" if self.target else "has no target; name one"
            raise ValueError(f"{self.activity} {wrong}")
        if self.who == "channel_account_manager" and self.activity not in CAM_ACTIVITIES:
            raise ValueError(f"a channel account manager cannot {self.activity}; allowed: {', '.join(CAM_ACTIVITIES)}")
        return self


class Parked(Declared):
    """A partner that gets nothing and costs nothing over a run of quarters."""

    partner: Name = declare("the partner", unit="name")
    from_quarter: int = declare("first quarter, from 1", unit="quarter", default=1, ge=1, le=20)
    to_quarter: int | None = declare("last quarter; null is the end", unit="quarter", default=None, ge=1, le=20)


@dataclass(frozen=True)
class PlanTable:
    """A plan against a scenario, as arrays. Quarters count from 0 here; partners first, then candidates."""

    sell: FloatArray
    """hours a week, shape (quarters,)"""
    prospect: FloatArray
    """hours a week, shape (quarters, segments)"""
    partner: FloatArray
    """the manager's hours a week, shape (quarters, PARTNER_ACTIVITIES, partners)"""
    channel_account_manager: FloatArray
    """the channel account manager's hours a week, shape (quarters, PARTNER_ACTIVITIES, partners)"""
    parked: NDArray[np.bool_]
    """shape (quarters, partners)"""
    coverage_mode: tuple[CoverageMode, ...]
    """how each segment is covered"""
    support: FloatArray
    """expected reactive support of carried partners, hours a week, shape (quarters,)"""
    discipline: float


class TimePlan(Document):
    """Hours a week by quarter, activity and target. Make one with `constant`, `status_quo`, `from_table` or `load`."""

    schema_file: ClassVar[str] = "plan.schema.json"
    kind: ClassVar[str] = "a plan"
    start_from: ClassVar[str] = "save a plan made by the optimizer or by TimePlan.constant to see one"
    error: ClassVar[type[InputError]] = PlanError

    name: Name = declare("name of the plan", unit="text")
    hours: Items[Hours] = declare("the rows", unit="list", max_length=20_000)
    coverage_mode: FrozenMap[CoverageMode] = declare(
        "who may work an opportunity in a partner's account, by segment; partner_first where not named",
        unit="mode by segment",
        default={},
        validate_default=True,
    )
    parked: Items[Parked] = declare(
        "partners that get nothing and cost nothing", unit="list", default=(), max_length=4000
    )
    discipline: Share = declare(
        "share of planned partner hours kept in the last four weeks of a quarter that is behind quota",
        unit="share",
        default=1.0,
    )

    @classmethod
    def constant(
        cls,
        scenario: Scenario,
        partner_share: float | Iterable[float] = 0.0,
        mix: Mapping[str, float] | None = None,
        focus: str | Mapping[str, float] = "even",
        *,
        name: str | None = None,
        prospect_share: float = 0.0,
        coverage_mode: str | Mapping[str, str] = "partner_first",
        park: Iterable[str] = (),
        discipline: float = 1.0,
    ) -> TimePlan:
        """A plan of the same split every week (or, with a list of shares, of one that changes by quarter).

        `partner_share` is the share of the hours left after reactive support that goes to partners; `mix`
        divides it over activities (shares that sum to 1, default coach .6, joint_plan .4); `focus` over
        partners: "even", a label, or weights by name. The rest goes to `prospect_share` and to selling.
        Raises PlanError.
        """
        share = items_of(partner_share)
        if name is None:
            shown = f"{share:.0%}" if is_share(share) else "ramp"
            name = f"{shown} with {focus if isinstance(focus, str) and len(focus) < 40 else 'chosen partners'}"
        written = {
            "name": name,
            "partner_share": share,
            "mix": DEFAULT_MIX if mix is None else mix,
            "focus": focus,
            "prospect_share": prospect_share,
            "coverage_mode": coverage_mode,
            "park": items_of(park),
            "discipline": discipline,
        }
        return cls.from_split(scenario, validate(Split, written, "TimePlan.constant", PlanError))

    @classmethod
    def ramp(
        cls, scenario: Scenario, start_share: float, end_share: float, over_quarters: int, **split: Any
    ) -> TimePlan:
        """A partner share that moves evenly from one value to another over `over_quarters` quarters, then stays.

        `split` takes the other words of `constant`.
        """
        for word, end in (("start_share", start_share), ("end_share", end_share)):
            if not is_share(end):
                raise PlanError(f"TimePlan.ramp: {word} is {show(end)}; allowed: a number from 0 to 1")
        horizon = scenario.horizon_quarters
        if not is_whole(over_quarters, 1, horizon):
            raise PlanError(
                f"TimePlan.ramp: over_quarters is {show(over_quarters)}; allowed: a whole number from 1 to {horizon}"
            )
        import numpy as np

        return cls.constant(scenario, np.linspace(start_share, end_share, over_quarters).tolist(), **split)

    @classmethod
    def status_quo(cls, scenario: Scenario) -> TimePlan:
        """The plan followed today."""
        return cls.from_split(scenario, scenario.status_quo)

    @classmethod
    def from_split(cls, scenario: Scenario, split: Split) -> TimePlan:
        """The plan that a split in words means in this scenario. Raises PlanError if it cannot be done there."""
        rows = hours_of_split(scenario, split)
        modes = split.coverage_mode
        plan = {
            "name": split.name,
            "hours": rows,
            "coverage_mode": {n: modes for n in scenario.segment_names} if isinstance(modes, str) else modes,
            "parked": [{"partner": name} for name in split.park],
            "discipline": split.discipline,
        }
        made = validate(cls, plan, f"split {show(split.name)}", PlanError)
        made.table(scenario)
        return made

    @classmethod
    def from_table(cls, scenario: Scenario, rows: Iterable[Mapping[str, Any]], name: str, **rest: Any) -> TimePlan:
        """A plan from rows as mappings (activity, target, hours_per_week, from_quarter, to_quarter, who)."""
        written = items_of(rows)
        if isinstance(written, list):
            written = [dict(row) if hasattr(row, "keys") else row for row in written]
        made = validate(cls, {"name": name, "hours": written, **rest}, f"plan {show(name)}", PlanError)
        made.table(scenario)
        return made

    def table(self, scenario: Scenario) -> PlanTable:
        """The plan as arrays. Raises PlanError if it names what is not there or overfills the week."""
        try:
            table = _lay_out(self, scenario)
            _check_hours(scenario, table)
        except ValueError as problem:
            raise PlanError(f"{self.of_file()}plan {show(self.name)}: {problem}") from None
        return table

    def hours_by_activity(self, scenario: Scenario) -> dict[str, FloatArray]:
        """The manager's planned hours a week by activity: arrays of shape (quarters,), support and idle included."""
        table = self.table(scenario)
        hours = {"support": table.support, "prospect": table.prospect.sum(axis=1)}
        for i, activity in enumerate(PARTNER_ACTIVITIES):
            hours[activity] = table.partner[:, i].sum(axis=1)
        hours["sell"] = table.sell
        hours["idle"] = scenario.territory_manager.hours_per_week - sum(hours.values())
        return hours

    def summary(self, scenario: Scenario) -> str:
        """The plan in a manager's words, a line for each run of quarters that is the same."""
        by_activity = self.hours_by_activity(scenario)
        table = self.table(scenario)
        keys = [
            (
                tuple(round(float(h[q]), 2) for h in by_activity.values()),
                table.partner[q].round(2).tobytes(),
                table.parked[q].tobytes(),
            )
            for q in range(scenario.horizon_quarters)
        ]
        lines = []
        for first, last in equal_runs(keys):
            hours = [f"{ACTIVITY_WORDS[a]} {h[first]:.1f} h" for a, h in by_activity.items() if h[first] >= 0.05]
            each = table.partner[first].sum(axis=0)
            named = [f"{n} {h:.1f} h" for n, h in zip(scenario.partner_names, each, strict=True) if h >= 0.05]
            parked = [n for n, off in zip(scenario.partner_names, table.parked[first], strict=True) if off]
            when = f"Q{first + 1}" if first == last else f"Q{first + 1}-Q{last + 1}"
            line = f"{when}, a week: {', '.join(hours)}."
            line += f" With partners: {', '.join(named)}." if named else ""
            line += f" Parked: {', '.join(parked)}." if parked else ""
            lines.append(line)
        modes = {n: m for n, m in zip(scenario.segment_names, table.coverage_mode, strict=True) if m != "partner_first"}
        if modes:
            lines.append("Coverage: " + ", ".join(f"{n} {COVERAGE_WORDS[m]}" for n, m in modes.items()) + ".")
        if self.discipline < 1:
            lines.append(f"Late in a quarter behind quota, {self.discipline:.0%} of partner hours are kept.")
        return "\n".join([self.name, *lines])


def _quarters(row: Hours | Parked, horizon: int) -> slice:
    last = horizon if row.to_quarter is None else row.to_quarter
    if max(last, row.from_quarter) > horizon:
        raise ValueError(f"quarter {max(last, row.from_quarter)} is after the horizon; allowed: 1 to {horizon}")
    return slice(row.from_quarter - 1, last)


def _lay_out(plan: TimePlan, scenario: Scenario) -> PlanTable:
    import numpy as np

    horizon, segments, partners = scenario.horizon_quarters, scenario.segment_names, scenario.partner_names
    sell = np.zeros(horizon)
    prospect = np.zeros((horizon, len(segments)))
    by_who: dict[str, FloatArray] = {
        who: np.zeros((horizon, len(PARTNER_ACTIVITIES), len(partners)))
        for who in ("territory_manager", "channel_account_manager")
    }
    parked = np.zeros((horizon, len(partners)), dtype=bool)
    candidates = [c.name for c in scenario.candidates]
    for park in plan.parked:
        known_keys("parked", [park.partner], partners, "partner")
        parked[_quarters(park, horizon), partners.index(park.partner)] = True
    filled: set[tuple[object, ...]] = set()
    for row in plan.hours:
        quarters = _quarters(row, horizon)
        where = f"{row.activity} {row.target or ''}".strip()
        for quarter in range(quarters.start, quarters.stop):
            cell = (quarter, row.activity, row.target, row.who)
            if cell in filled:
                raise ValueError(f"{where} in quarter {quarter + 1} stands in two rows; keep one")
            filled.add(cell)
        if row.activity == "sell":
            sell[quarters] = row.hours_per_week
        elif row.activity == "prospect":
            known_keys("prospect", [row.target or ""], segments, "segment")
            prospect[quarters, segments.index(row.target or "")] = row.hours_per_week
        else:
            known = candidates if row.activity == "recruit" else partners
            known_keys(row.activity, [row.target or ""], known, "candidate" if row.activity == "recruit" else "partner")
            target = partners.index(row.target or "")
            if row.hours_per_week > 0 and parked[quarters, target].any():
                raise ValueError(f"{where} has hours while {row.target} is parked; carry it or drop the hours")
            by_who[row.who][quarters, PARTNER_ACTIVITIES.index(row.activity), target] = row.hours_per_week
    known_keys("coverage_mode", plan.coverage_mode, segments, "segment")
    expected = np.array([expected_support(scenario, p.name) for p in scenario.partners])
    carried = ~parked[:, : len(scenario.partners)]
    return PlanTable(
        sell=sell,
        prospect=prospect,
        partner=by_who["territory_manager"],
        channel_account_manager=by_who["channel_account_manager"],
        parked=parked,
        coverage_mode=tuple(plan.coverage_mode.get(name, "partner_first") for name in segments),
        support=carried @ expected if len(expected) else np.zeros(horizon),
        discipline=plan.discipline,
    )


def _check_hours(scenario: Scenario, table: PlanTable) -> None:
    planned = table.sell + table.prospect.sum(axis=1) + table.partner.sum(axis=(1, 2)) + table.support
    cam, cam_hours = scenario.channel_account_manager, table.channel_account_manager.sum(axis=(1, 2))
    for who, hours, most in (
        ("the manager", planned, scenario.territory_manager.hours_per_week),
        ("the channel account manager", cam_hours, 0.0 if cam is None else cam.hours_per_week),
    ):
        quarter = int(hours.argmax())
        if hours[quarter] > most + ROUNDING_HOURS:
            support = f", {table.support[quarter]:g} of them reactive support" if who == "the manager" else ""
            raise ValueError(
                f"{who} has {hours[quarter]:g} hours a week in quarter {quarter + 1}{support}; allowed: {most:g}"
            )
