"""Hours a week as blocks in a diary that repeats every four weeks.

Time is counted in half hours, so an eighth of an hour a week is a half hour every fourth week and the least there is.
A sitting is what is done at one go: half hours, every week, every other or every fourth. Sittings with one
partner form visits, on one day, one after the other. Visits are placed first, the largest before the others, each
where it leaves the weeks, then the days, most even; selling fills the rest of each week from the morning on, so that
every week is as long as any other and what is free is at the end of the days.

Left out: dates and weeks off (sheet.py), travel, and appointments that others make.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import FloatArray
from sim.plan import ACTIVITY_WORDS, Activity, Who
from sim.terms import PARTNER_ACTIVITIES

Cells = NDArray[np.bool_]
"""shape (WEEKS, WEEKDAYS, half hours of a day)"""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
HALF_HOUR = 30
"""Minutes of half an hour."""
WEEKS = 4
"""Weeks after which the diary repeats."""
EVERY_WEEKS = {1: "every", 2: "every other", 4: "every fourth"}
DAY_BEGINS = datetime.time(9)
MORNING = 6
"""Half hours before the break; no sitting goes over it."""
BREAK_MINUTES = 60
LONGEST_DAY = 28
"""Half hours, until midnight."""
LONGEST_SITTING, GOOD_SITTING = 6, 2
"""Half hours for which people listen at the most, and which are worth the way at the least."""

Use = tuple[Activity, str | None]
"""What for, and with whom or in which segment."""


@dataclass(frozen=True)
class Block:
    """One appointment that comes back."""

    who: Who
    activity: Activity
    target: str | None
    """partner, candidate or segment; nothing for selling"""
    minutes: int
    every_weeks: int
    weekday: str
    start: datetime.time
    first_week: int
    """week of the quarter, from 1"""

    @property
    def hours_per_week(self) -> float:
        """Hours of the appointment a week, on average."""
        return self.minutes / 60 / self.every_weeks

    @property
    def end(self) -> datetime.time:
        """When it is over; midnight is 0:00."""
        return _time_after(self.start, self.minutes)

    @property
    def what(self) -> str:
        """The use, with whom or in which segment: "Northwind: coaching"."""
        word = ACTIVITY_WORDS[self.activity]
        return word.capitalize() if self.target is None else f"{self.target}: {word}"

    @property
    def cadence(self) -> str:
        """How long and how often: "1 h every other Tuesday"."""
        long = f"{self.minutes} min" if self.minutes < 60 else f"{self.minutes / 60:g} h"
        return f"{long} {EVERY_WEEKS[self.every_weeks]} {self.weekday}"

    @property
    def says(self) -> str:
        """The appointment in words: "Northwind: coaching, 1 h every other Tuesday"."""
        return f"{self.what}, {self.cadence}"


@dataclass(frozen=True)
class Sitting:
    """What is done at one go, before it has a place."""

    use: Use
    half_hours: int
    every_weeks: int


VisitKey = tuple[bool, str | None]
Sittings = tuple[Sitting, ...]
"""Sittings on one day, one after the other, the most frequent first."""


def half_hours_of(hours_per_week: float) -> float:
    """Half hours in four weeks."""
    return hours_per_week * WEEKS * 60 / HALF_HOUR


def sittings(half_hours: int) -> list[tuple[int, int]]:
    """(half hours, weeks from one to the next) of sittings that take `half_hours` in four weeks.

    As often as a sitting lasts an hour, because what is learnt in a week saturates; what is over, every fourth week.

    >>> sittings(2), sittings(4), sittings(8)
    ([(2, 4)], [(2, 2)], [(2, 1)])
    >>> sittings(1), sittings(14), sittings(40)
    ([(1, 4)], [(3, 1), (2, 4)], [(5, 1), (5, 1)])
    """
    every = next((every for every in EVERY_WEEKS if half_hours * every >= GOOD_SITTING * WEEKS), WEEKS)
    long, over = divmod(half_hours * every, WEEKS)
    times = ceil(long / LONGEST_SITTING)
    each = [(long // times + (i < long % times), every) for i in range(times)]
    return each + ([(over // every, WEEKS)] if over else [])


def day_length(hours_per_week: float) -> int:
    """Half hours of a working day: a fifth of the week rounded up, a morning at least."""
    return min(max(MORNING, ceil(hours_per_week / len(WEEKDAYS) * 60 / HALF_HOUR - 1e-6)), LONGEST_DAY)


def lay_out_blocks(who: Who, half_hours: Mapping[Use, int], hours_per_week: float) -> list[Block]:
    """The blocks of a person, from half hours in four weeks by use.

    What finds no room, though cut to half hours, is left out: the days are full.
    """
    taken = np.zeros((WEEKS, len(WEEKDAYS), day_length(hours_per_week)), dtype=bool)
    blocks, with_whom = list[Block](), defaultdict[VisitKey, Any](lambda: np.zeros((WEEKS, len(WEEKDAYS))))
    waiting = _visits(half_hours)
    while waiting and not taken.all():
        # The largest first, the most frequent of these: what is left is then easy to place.
        visit = min(waiting, key=lambda visit: (-sum(s.half_hours for s in visit), visit[0].every_weeks))
        waiting.remove(visit)
        with_them = with_whom[_visit_key(visit[0].use)]
        spot = _best_spot(visit, taken, with_them)
        if spot is None:
            waiting += _in_smaller_parts(visit)
            continue
        phase, day, start = spot
        for sitting, cells in _cells(visit, phase, day, start):
            taken[cells] = True
            with_them[cells[:2]] += sitting.half_hours
            blocks.append(_block(who, sitting, phase, day, cells[2].start))
    selling = _selling_cells(taken, half_hours.get(("sell", None), 0))
    blocks += [_block(who, *placed) for placed in _selling(selling)]
    return sorted(
        blocks, key=lambda block: (WEEKDAYS.index(block.weekday), block.start, block.first_week, block.every_weeks)
    )


def _time_after(start: datetime.time, minutes: int) -> datetime.time:
    return (datetime.datetime.combine(datetime.date(2000, 1, 1), start) + datetime.timedelta(minutes=minutes)).time()


def _block(who: Who, sitting: Sitting, phase: int, day: int, slot: int) -> Block:
    start = _time_after(DAY_BEGINS, slot * HALF_HOUR + (BREAK_MINUTES if slot >= MORNING else 0))
    minutes, every = sitting.half_hours * HALF_HOUR, sitting.every_weeks
    return Block(who, *sitting.use, minutes, every, WEEKDAYS[day], start, phase % every + 1)


def _visit_key(use: Use) -> VisitKey:
    """What is done on one visit: all work with a partner, or prospecting in a segment."""
    return use[0] in PARTNER_ACTIVITIES, use[1]


def _visits(half_hours: Mapping[Use, int]) -> list[Sittings]:
    by_whom: dict[VisitKey, list[Sitting]] = {}
    for use, count in half_hours.items():
        if use[0] != "sell" and count:
            by_whom.setdefault(_visit_key(use), []).extend(Sitting(use, *sitting) for sitting in sittings(count))
    visits = list[Sittings]()
    for with_one in by_whom.values():
        those = list[list[Sitting]]()
        for sitting in sorted(with_one, key=lambda row: row.every_weeks):
            room = (v for v in those if sum(s.half_hours for s in v) + sitting.half_hours <= LONGEST_SITTING)
            visit = next(room, None)
            if visit is None:
                those.append([sitting])
            else:
                visit.append(sitting)
        visits += map(tuple, those)
    return visits


def _in_smaller_parts(visit: Sittings) -> list[Sittings]:
    """Visits with the work of one, each easier to place; nothing if there are none."""
    if len(visit) > 1:
        return [(sitting,) for sitting in visit]
    (sitting,) = visit
    if sitting.half_hours > 1:
        half = sitting.half_hours // 2
        return [(Sitting(sitting.use, long, sitting.every_weeks),) for long in (half, sitting.half_hours - half)]
    return [(Sitting(sitting.use, 1, sitting.every_weeks * 2),)] * 2 if sitting.every_weeks < WEEKS else []


def _cells(visit: Sittings, phase: int, day: int, start: int) -> Iterator[tuple[Sitting, tuple[slice, int, slice]]]:
    for sitting in visit:
        every = sitting.every_weeks
        yield sitting, (slice(phase % every, None, every), day, slice(start, start + sitting.half_hours))
        start += sitting.half_hours


def _halves(length: int) -> tuple[range, range]:
    return range(MORNING), range(MORNING, length)


def _best_spot(visit: Sittings, taken: Cells, with_them: FloatArray) -> tuple[int, int, int] | None:
    """First week (from 0), day and half hour; None if there is no room.

    `with_them` are the half hours with the same partner so far, shape (WEEKS, WEEKDAYS). Best is the weekday that the
    partner knows, unless that is too long for one day; then level weeks, level days, early in the half day.
    """
    size, spots = sum(sitting.half_hours for sitting in visit), list[tuple[tuple[float, ...], tuple[int, int, int]]]()
    by_week, by_day = taken.sum(axis=(1, 2)), taken.sum(axis=2)
    for phase in range(visit[-1].every_weeks):
        added = np.zeros(WEEKS)
        for sitting, (weeks, _, _) in _cells(visit, phase, 0, 0):
            added[weeks] += sitting.half_hours
        uneven = float(((by_week + added) ** 2).sum())
        for day in range(len(WEEKDAYS)):
            too_long = bool((with_them[:, day] + added).max() > LONGEST_SITTING)
            strange = bool(with_them.any() and not with_them[:, day].any())
            crowded = float(((2 * by_day[:, day] + added) * added).sum())
            for half in _halves(taken.shape[2]):
                for start in range(half.start, half.stop - size + 1):
                    if not any(taken[cells].any() for _, cells in _cells(visit, phase, day, start)):
                        spots.append(((too_long, strange, uneven, crowded, start, phase), (phase, day, start)))
                        break
    return min(spots)[1] if spots else None


def _selling_cells(taken: Cells, half_hours: int) -> Cells:
    """Free cells for `half_hours` of selling, level weeks first, then level days; a lonely half hour comes last."""
    room, most = taken.sum(axis=(1, 2)), taken[0].size
    wanted = [0] * WEEKS
    for _ in range(min(half_hours, int((~taken).sum()))):
        # Odd weeks before even ones, so that what is over makes an every-other-week pattern.
        week = min((w for w in (0, 2, 1, 3) if room[w] + wanted[w] < most), key=lambda w: room[w] + wanted[w])
        wanted[week] += 1
    selling = np.zeros_like(taken)
    for week, count in enumerate(wanted):
        free = [
            (len(run) == 1, slot, day)
            for day in range(taken.shape[1])
            for run in _runs(~taken[week, day])
            for slot in run
        ]
        for _, slot, day in sorted(free)[:count]:
            selling[week, day, slot] = True
    return selling


def _runs(cells: Iterable[bool]) -> Iterator[range]:
    is_set = [*cells]
    for half in _halves(len(is_set)):
        start = half.start
        for slot in range(half.start, half.stop + 1):
            if slot == half.stop or not is_set[slot]:
                if slot > start:
                    yield range(start, slot)
                start = slot + 1


def _selling(cells: Cells) -> Iterator[tuple[Sitting, int, int, int]]:
    """(sitting, first week from 0, day, half hour), each run with the most frequent cadence that its weeks allow."""
    for day in range(cells.shape[1]):
        weeks_of: dict[range, set[int]] = {}
        for week in range(WEEKS):
            for run in _runs(cells[week, day]):
                weeks_of.setdefault(run, set()).add(week)
        for run, weeks in weeks_of.items():
            for every in EVERY_WEEKS:
                for phase in range(every):
                    if weeks >= (those := set(range(phase, WEEKS, every))):
                        weeks -= those
                        yield Sitting(("sell", None), len(run), every), phase, day, run.start
