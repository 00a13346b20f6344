"""Where a manager's hours went: the events of a calendar by activity and partner.

Editable rules say what an event was for; the first that matches wins, and what none matches is listed, not guessed.
Events at the same time share it: while three take place, each gets a third of the hours. So

    hours read = hours by activity + hours without a rule + hours left out + hours shared

Left out: what a calendar does not show (calls, mails, travel), whether the hours did any good, and the split that they
are (status_quo.py).
"""

import datetime
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nexthour.calibrate.calendar.events import Event, read_events
from nexthour.calibrate.calendar.occurrence import CalendarPeriod, CalendarSpec, Texts
from sim.documents.declared import Declared, Items, declare, validate
from sim.documents.messages import show
from sim.documents.yaml_file import read_yaml
from sim.errors import TableError
from sim.plan import ACTIVITY_WORDS
from sim.terms import PARTNER_ACTIVITIES, Name

AuditedActivity = Literal[
    "coach", "joint_plan", "co_sell", "sell_for", "socialise", "recruit", "prospect", "sell", "support", "other"
]
AUDITED_WORDS = {**ACTIVITY_WORDS, "other": "not allocatable"}
"""Each audited activity in words."""
ALLOCATABLE = (*PARTNER_ACTIVITIES, "prospect", "sell", "support")
PARTNER_WORK = tuple(activity for activity in PARTNER_ACTIVITIES if activity != "recruit")


class ActivityRule(Declared):
    """An activity, for events that meet all of its conditions."""

    activity: AuditedActivity = declare(
        "what the event was for; other: nothing that could be spent differently, such as internal meetings",
        unit="activity",
    )
    words: Texts = declare(
        "words or phrases, one of which stands in subject or categories; empty: any", unit="words", default=()
    )
    domains: Texts = declare("mail domains, one of the people has one of them; empty: any", unit="domains", default=())
    with_partner: bool | None = declare(
        "whether one of the partners below must be there, or must not; null: both", unit="true or false", default=None
    )


class PartnerRule(Declared):
    """How a partner or candidate of the scenario is recognised."""

    name: Name = declare("its name in the scenario", unit="name")
    words: Texts = declare("words, one of which stands in subject, categories or a name", unit="words", default=())
    domains: Texts = declare("mail domains of its people", unit="domains", default=())

    @model_validator(mode="after")
    def _recognisable(self) -> Self:
        if not self.words and not self.domains:
            raise ValueError(f"{show(self.name)} has neither words nor domains; give one by which it is recognised")
        return self


class CalendarRules(CalendarSpec):
    """How a calendar is read, and what its events were for. In both lists the first that matches wins."""

    activities: Annotated[Items[ActivityRule], Field(min_length=1, max_length=500)] = declare(
        "what makes an event which activity", unit="list"
    )
    partners: Annotated[Items[PartnerRule], Field(max_length=300)] = declare(
        "partners and candidates, and how they are recognised", unit="list", default=()
    )


@dataclass(frozen=True)
class ActivityHours:
    """Hours of one activity with one partner, over the whole period."""

    activity: str
    partner: str
    """name of the partner or candidate; nothing where the activity has none"""
    hours: float


@dataclass(frozen=True)
class Unknown:
    """Events that no rule explains."""

    subject: str
    why: str
    events: int
    hours: float


@dataclass(frozen=True)
class LeftOut:
    """Events that do not count, for one reason."""

    why: str
    events: int
    hours: float
    days: tuple[datetime.date, ...]
    """days on which they begin"""


@dataclass(frozen=True)
class Audit:
    """An audit says where the hours of a period went; hours are of the whole period unless called per week."""

    name: str
    """name of the export's file, without its folder"""
    period: CalendarPeriod
    weeks: float
    """weeks in which something was for an activity or without a rule; others (holidays) do not count"""
    events: int
    read_hours: float
    by_activity: tuple[ActivityHours, ...]
    unknown: tuple[Unknown, ...]
    """the most hours first"""
    left_out: tuple[LeftOut, ...]
    shared_hours: float
    """hours that count once only, as events overlap"""
    knows_me: bool
    """whether the rules have the manager's address, so that declined events are known"""

    def hours_per_week(self, *activities: str) -> float:
        """Hours a week of these activities; of all that can be allocated if none is named."""
        return sum(part.hours for part in self.by_activity if part.activity in (activities or ALLOCATABLE)) / self.weeks

    @property
    def unknown_per_week(self) -> float:
        """Hours a week that no rule explains."""
        return sum(events.hours for events in self.unknown) / self.weeks

    @property
    def unknown_share(self) -> float:
        """Share without a rule of the hours that can be allocated or have no rule, 0 to 1."""
        unknown = self.unknown_per_week
        return unknown / (unknown + self.hours_per_week()) if unknown else 0.0

    def hours_by_partner(self, activities: Iterable[str]) -> dict[str, float]:
        """Hours a week by partner or candidate in these activities."""
        found: dict[str, float] = defaultdict(float)
        for part in self.by_activity:
            if part.activity in activities and part.partner:
                found[part.partner] += part.hours / self.weeks
        return dict(found)


def load_calendar_rules(path: Path | str) -> CalendarRules:
    """Load the rules in a YAML file. Raises TableError, a sentence for each thing that is wrong in it."""
    data, _ = read_yaml(path, TableError)
    if not isinstance(data, dict):
        raise TableError(f"{path}: holds no rules; start from scenarios/mappings/made_up_calendar.yaml")
    return validate(CalendarRules, data, str(path), TableError)


def audit_calendar(
    path: Path | str, rules: CalendarRules, first: datetime.date | None = None, last: datetime.date | None = None
) -> Audit:
    """Audit the hours of a calendar export, ICS or CSV, from `first` to `last` day; without both, of the whole export.

    Raises TableError, one sentence.
    """
    export = read_events(path, rules, first, last)
    counted = [event for event in export.events if not event.left_out]
    shared = _share_hours(counted)
    activities: dict[tuple[str, str], float] = defaultdict(float)
    unknown: dict[tuple[str, str], list[float]] = defaultdict(list)
    working_days = set[datetime.date]()
    explain = _make_explain(rules)
    for event, hours in zip(counted, shared, strict=True):
        activity, partner, why = explain(event)
        if why:
            unknown[event.subject, why].append(hours)
        else:
            activities[activity, partner] += hours
        if activity != "other":
            working_days.add(rules.day_of(event.begins))
    if not working_days:
        raise TableError(
            f"{path}: none of its {len(export.events):,} events from {export.period.first} to {export.period.last} is "
            "allocatable work; correct the rules, or choose another period"
        )
    unexplained = [Unknown(*key, len(hours), sum(hours)) for key, hours in unknown.items()]
    left_out = _left_out(export.events, rules)
    if export.unreadable:
        left_out.append(LeftOut("cannot be read", export.unreadable, 0.0, ()))
    return Audit(
        name=export.name,
        period=export.period,
        weeks=_count_weeks(export.period, working_days),
        events=len(export.events) + export.unreadable,
        read_hours=sum(event.hours for event in export.events),
        by_activity=tuple(ActivityHours(*key, hours) for key, hours in sorted(activities.items())),
        unknown=tuple(sorted(unexplained, key=lambda events: (-events.hours, events.subject))),
        left_out=tuple(left_out),
        shared_hours=sum(event.hours for event in counted) - float(sum(shared)),
        knows_me=bool(rules.me),
    )


def _left_out(events: Sequence[Event], rules: CalendarRules) -> list[LeftOut]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.left_out:
            found[event.left_out].append(event)
    return [
        LeftOut(why, len(events), sum(e.hours for e in events), tuple(rules.day_of(e.begins) for e in events))
        for why, events in sorted(found.items())
    ]


def _share_hours(events: Sequence[Event]) -> Sequence[float]:
    """Hours of each event when those at the same time share it evenly."""
    if not events:
        return []
    begins = np.array([event.begins.timestamp() for event in events])
    ends = np.array([event.ends.timestamp() for event in events])
    moments = np.unique(np.concatenate([begins, ends]))
    first, last = np.searchsorted(moments, begins), np.searchsorted(moments, ends)
    change = np.zeros(len(moments))
    np.add.at(change, first, 1)
    np.add.at(change, last, -1)
    at_once = np.cumsum(change)[:-1]
    each = np.where(at_once > 0, np.diff(moments) / np.maximum(at_once, 1), 0.0)
    so_far = np.concatenate([[0.0], np.cumsum(each)]) / 3600
    return (so_far[last] - so_far[first]).tolist()


def _count_weeks(period: CalendarPeriod, working_days: set[datetime.date]) -> float:
    """Runs of seven days from the first in which there was work, in weeks; the last run may be shorter."""
    runs = {(day - period.first).days // 7 for day in working_days}
    return sum(min(7, period.days - 7 * run) for run in runs) / 7


# Rules


def _make_explain(rules: CalendarRules) -> Callable[[Event], tuple[str, str, str]]:
    """A function that gives activity and partner of an event, and why it has no activity; each "" if there is none."""
    partners = [(rule.name, _find_words(rule.words), _find_domains(rule.domains)) for rule in rules.partners]
    activities = [(rule, _find_words(rule.words), _find_domains(rule.domains)) for rule in rules.activities]

    def explain(event: Event) -> tuple[str, str, str]:
        text = f"{event.subject}\n{event.categories}"
        people = "\n".join(event.people)
        everything = f"{text}\n{people}"
        partner = next((n for n, words, domains in partners if words(everything) or domains(people)), "")
        for rule, words, domains in activities:
            if (
                (not rule.words or words(text))
                and (not rule.domains or domains(people))
                and rule.with_partner in (None, bool(partner))
            ):
                if rule.activity in PARTNER_ACTIVITIES and not partner:
                    return "", "", f"{AUDITED_WORDS[rule.activity]}, but with no known partner"
                takes = rule.activity in (*PARTNER_ACTIVITIES, "support")
                return rule.activity, partner if takes else "", ""
        return "", "", f"no rule, with {partner}" if partner else "no rule"

    return explain


def _find_words(words: Sequence[str]) -> Callable[[str], object]:
    """A function that finds one of the words in a text, whole and in any case; never, if there is none."""
    if not words:
        return lambda text: None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE).search


def _find_domains(domains: Sequence[str]) -> Callable[[str], object]:
    """A function that finds an address at one of the domains or below it; never, if there is none."""
    if not domains:
        return lambda people: None
    either = "|".join(re.escape(domain.lstrip("@")) for domain in domains)
    return re.compile(rf"[@.](?:{either})$", re.IGNORECASE | re.MULTILINE).search
