"""The Monday sheet: a quarter of a plan as blocks for the calendar, and what to stop, start and keep.

    from sim import TimePlan, load_scenario
    from optimize.monday.sheet import monday_sheet

    scenario = load_scenario("scenarios/baseline.yaml")
    sheet = monday_sheet(scenario, TimePlan.load("plan.yaml"), quarter=1)
    for block in sheet.blocks:
        print(block.says)

Hours that are eighths of an hour a week come out exactly; others as the nearest eighth, and selling takes up what
that leaves of the total. Reactive support has no blocks: it comes when it comes, and the end of the days is
free for it.

Left out: where in the day and week a block stands (diary.py), and the calendar file (ics.py).
"""

import datetime
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

from optimize.monday.diary import WEEKDAYS, Block, Use, half_hours_of, lay_out_blocks
from optimize.search.rounding import STEP_HOURS
from sim import PlanError, Scenario, TimePlan
from sim.documents.declared import is_whole
from sim.documents.messages import show
from sim.plan import ACTIVITY_WORDS, Who
from sim.split_hours import expected_support
from sim.terms import PARTNER_ACTIVITIES, WEEKS_PER_QUARTER, WEEKS_PER_YEAR

ChangeKind = Literal["stop", "start", "more", "less", "keep"]
CHANGE_KINDS = get_args(ChangeKind)
"""Kinds of change, in the order in which they are told."""


@dataclass(frozen=True)
class Change:
    """What becomes of one use of the manager's time. Hours a week."""

    activity: str
    target: str | None
    """partner, candidate or segment"""
    today: float
    planned: float

    @property
    def kind(self) -> ChangeKind:
        """The kind of change; what goes on and changes by less than a quarter of an hour is kept."""
        if self.planned == 0:
            return "stop"
        if self.today == 0:
            return "start"
        if abs(self.planned - self.today) < STEP_HOURS:
            return "keep"
        return "more" if self.planned > self.today else "less"


def changes(
    scenario: Scenario, plan: TimePlan, quarter: int = 1, against: TimePlan | None = None
) -> tuple[Change, ...]:
    """Every use of the manager's time in a quarter (from 1) against another plan, the largest change first.

    That is the status quo if none is given.

    Raises PlanError for a quarter after the horizon, or a plan that does not fit the scenario.
    """
    against = TimePlan.status_quo(scenario) if against is None else against
    today, planned = (uses(scenario, one, quarter) for one in (against, plan))
    both = [Change(*use, today.get(use, 0.0), planned.get(use, 0.0)) for use in {**planned, **today}]
    return tuple(sorted(both, key=lambda change: -abs(change.planned - change.today)))


def uses(scenario: Scenario, plan: TimePlan, quarter: int) -> dict[tuple[str, str | None], float]:
    """The manager's hours a week in a quarter (from 1) by activity and target, reactive support included."""
    if not is_whole(quarter, 1, scenario.horizon_quarters):
        raise PlanError(f"quarter is {show(quarter)}; allowed: a whole number from 1 to {scenario.horizon_quarters}")
    table, q = plan.table(scenario), quarter - 1
    hours: dict[tuple[str, str | None], float] = {("sell", None): float(table.sell[q])}
    hours |= {("prospect", name): float(h) for name, h in zip(scenario.segment_names, table.prospect[q], strict=True)}
    for activity, by_partner in zip(PARTNER_ACTIVITIES, table.partner[q], strict=True):
        hours |= {(activity, name): float(h) for name, h in zip(scenario.partner_names, by_partner, strict=True)}
    for partner in scenario.partners:
        p = scenario.partner_names.index(partner.name)
        hours["support", partner.name] = 0.0 if table.parked[q, p] else expected_support(scenario, partner.name)
    return {use: a_week for use, a_week in hours.items() if a_week > 0}


SHOWN_HOURS = 0.005
"""A smaller difference, in hours a week, is not worth a word."""

DIGITS = 6
"""Digits of hours that a plan is written with."""


@dataclass(frozen=True)
class Line:
    """One use of somebody's time: hours a week in the plan and in the calendar."""

    who: Who
    use: Use
    planned: float
    blocks: tuple[Block, ...]

    @property
    def in_blocks(self) -> float:
        """Hours a week in blocks, on average."""
        return sum(block.hours_per_week for block in self.blocks)


@dataclass(frozen=True)
class MondaySheet:
    """A quarter of a plan, ready for the calendar."""

    scenario: Scenario
    plan: TimePlan
    quarter: int
    """number of the quarter, from 1"""
    lines: tuple[Line, ...]
    """every use but reactive support"""
    changes: tuple[Change, ...]
    """the manager's uses against the status quo, the largest change first"""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All appointments by day, the manager's first."""
        whole = (block for line in self.lines for block in line.blocks)
        return tuple(
            sorted(
                whole,
                key=lambda block: (
                    block.who != "territory_manager", WEEKDAYS.index(block.weekday), block.start, block.first_week
                ),
            )
        )  # fmt: skip

    def hours_off(self, who: Who = "territory_manager") -> float:
        """Hours a week planned and not in blocks; below 0 if the calendar holds more than the plan."""
        return round(sum(line.planned - line.in_blocks for line in self.lines if line.who == who), DIGITS)

    @property
    def first_day(self) -> datetime.date:
        """The first day of the quarter."""
        weeks = (self.quarter - 1) * WEEKS_PER_QUARTER
        return self.scenario.calendar.first_day + datetime.timedelta(weeks=weeks)

    @property
    def weeks_off(self) -> tuple[int, ...]:
        """Weeks of the quarter, from 1, in which the manager is away."""
        before, off = (self.quarter - 1) * WEEKS_PER_QUARTER, self.scenario.calendar.weeks_off
        return tuple(w for w in range(1, WEEKS_PER_QUARTER + 1) if (before + w - 1) % WEEKS_PER_YEAR + 1 in off)

    def week_begins(self, week: int) -> datetime.date:
        """First day of a week of the quarter, from 1: the same weekday as the quarter's first."""
        return self.first_day + datetime.timedelta(weeks=week - 1)

    def day(self, weekday: str, week: int) -> datetime.date:
        """The date of a weekday in a week of the quarter, from 1."""
        return self.week_begins(week) + datetime.timedelta((WEEKDAYS.index(weekday) - self.first_day.weekday()) % 7)

    def days(self, block: Block) -> tuple[datetime.date, ...]:
        """When a block happens in the quarter; never in a week off."""
        weeks = range(block.first_week, WEEKS_PER_QUARTER + 1, block.every_weeks)
        return tuple(self.day(block.weekday, week) for week in weeks if week not in self.weeks_off)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not in the blocks, a sentence each."""
        return tuple(_notes(self))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON. Nothing of it is drawn at random, so there is no seed."""
        provenance = {word: value for word, value in self.scenario.provenance(0).items() if word != "seed"}
        return {
            **provenance,
            "plan": self.plan.name,
            "plan_digest": self.plan.digest(),
            "quarter": self.quarter,
            "blocks": [
                {
                    **asdict(block),
                    "start": f"{block.start:%H:%M}",
                    "says": block.says,
                    "days": [day.isoformat() for day in self.days(block)],
                }
                for block in self.blocks
            ],
            "hours_a_week": [
                {
                    "who": line.who, "activity": line.use[0], "target": line.use[1],
                    "planned": line.planned, "in_blocks": line.in_blocks,
                }
                for line in self.lines
            ],
            "hours_off": {who: self.hours_off(who) for who in dict.fromkeys(line.who for line in self.lines)},
            "changes": [{**asdict(change), "kind": change.kind} for change in self.changes],
            "notes": list(self.notes),
        }  # fmt: skip


def monday_sheet(scenario: Scenario, plan: TimePlan, quarter: int = 1) -> MondaySheet:
    """The blocks of a quarter of a plan (from 1).

    Raises PlanError for a quarter after the horizon, a plan that does not fit, or a date that no calendar has.
    """
    against_today = changes(scenario, plan, quarter)
    by_use = cast(dict[Use, float], uses(scenario, plan, quarter))
    own = {use: hours for use, hours in by_use.items() if cast(str, use[0]) != "support"}
    lines = _lines("territory_manager", own, scenario.territory_manager.hours_per_week)
    if scenario.channel_account_manager is not None:
        of_account_manager = plan.table(scenario).channel_account_manager[quarter - 1]
        by_partner: dict[Use, float] = {
            (activity, name): float(hours)
            for activity, row in zip(PARTNER_ACTIVITIES, of_account_manager, strict=True)
            for name, hours in zip(scenario.partner_names, row, strict=True)
            if hours > 0
        }
        lines += _lines("channel_account_manager", by_partner, scenario.channel_account_manager.hours_per_week)
    sheet = MondaySheet(scenario, plan, quarter, tuple(lines), against_today)
    try:
        sheet.day(WEEKDAYS[-1], WEEKS_PER_QUARTER + 1)
    except OverflowError:
        raise PlanError(
            f"calendar.first_day is {scenario.calendar.first_day}, and quarter {quarter} is after the last year "
            "that a calendar has, 9999; give an earlier first day"
        ) from None
    return sheet


def _lines(who: Who, hours: dict[Use, float], week: float) -> list[Line]:
    blocks = lay_out_blocks(who, _half_hours(hours), week)
    return [
        Line(who, use, planned, tuple(b for b in blocks if (b.activity, b.target) == use))
        for use, planned in hours.items()
    ]


def _half_hours(hours: dict[Use, float]) -> dict[Use, int]:
    """Half hours in four weeks of each use: the nearest, and selling what they leave of the total.

    Where selling cannot make up for the rounding, the uses that were rounded the most do, so that the total is kept.
    """
    counts = {use: round(half_hours_of(a_week)) for use, a_week in hours.items()}
    missing = round(half_hours_of(sum(hours.values()))) - sum(counts.values())
    selling: Use = ("sell", None)
    if selling in counts:
        before = counts[selling]
        counts[selling] = max(0, before + missing)
        missing -= counts[selling] - before
    while missing:
        step = 1 if missing > 0 else -1
        use = max(counts, key=lambda use: step * (half_hours_of(hours[use]) - counts[use]))
        counts[use] += step
        missing -= step
    return counts


def _notes(sheet: MondaySheet) -> Iterator[str]:
    supported = [change for change in sheet.changes if change.activity == "support" and change.planned > 0]
    if supported:
        hours = sum(change.planned for change in supported)
        names = ", ".join(str(change.target) for change in supported)
        yield (
            f"Not in the calendar: reactive support, about {hours:.1f} h a week ({names}). It comes when it comes; the "
            "end of the days is free for it."
        )
    if sheet.weeks_off:
        begins = [(week, sheet.week_begins(week)) for week in sheet.weeks_off]
        weeks = ", ".join(f"week {week} (from {day.day} {day:%b} {day.year})" for week, day in begins)
        yield f"Weeks off, without blocks: {weeks}."
    for who in dict.fromkeys(line.who for line in sheet.lines):
        off = sheet.hours_off(who)
        if abs(off) > SHOWN_HOURS:
            side = "less" if off > 0 else "more"
            yield (
                f"The {who.replace('_', ' ')}'s calendar holds {abs(off):.2f} h a week {side} than the plan: its least "
                f"is half an hour every fourth week{', and its days are full at midnight' if off > 1 else ''}."
            )
    missing = [line for line in sheet.lines if not line.blocks and line.use[0] != "sell"]
    if missing:
        said = "; ".join(
            f"{line.use[1]}: {ACTIVITY_WORDS[line.use[0]]}, {line.planned:.2f} h a week" for line in missing
        )
        yield f"Planned, but without a block: {said}."
    candidates = {candidate.name for candidate in sheet.scenario.candidates}
    later = dict.fromkeys(
        line.use[1] for line in sheet.lines if line.use[1] in candidates and line.use[0] not in ("recruit", "prospect")
    )
    if later:
        yield f"Until they have signed and started, hours with these are for selling: {', '.join(map(str, later))}."
    if sheet.plan.discipline < 1:
        yield (
            f"In the last four weeks, if behind quota, {sheet.plan.discipline:.0%} of the partner hours are kept; "
            "the calendar holds them all."
        )
