"""A gap analysis in words: the sentences that the terminal and the screens have in common.

Left out: any computing. A number told here is a field of what optimize returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nexthour.report.numbers import count_of, half_width, usd, usd_interval
from nexthour.report.text import one_line

if TYPE_CHECKING:
    from optimize.coverage.gaps import GapAnalysis, Remedy
    from optimize.coverage.treatment import Treatment


def largest_gap(gaps: GapAnalysis) -> str:
    """The dearest gap, if there is one."""
    its = max(gaps.segments, key=lambda its: its.gap_usd.value)
    if not its.gap_usd.high > 0:
        return f"There is no gap: somebody sees every opportunity {_under(gaps)}."
    return (
        f"The largest gap is {one_line(its.segment)}: nobody sees opportunities worth {usd(its.gap_usd.value)} "
        f"{_under(gaps)} ({usd_interval(its.gap_usd)})."
    )


def best_hour(gaps: GapAnalysis) -> str:
    """The remedy that gains most an hour of the manager."""
    hourly = [
        (remedy.gain_per_hour_usd, segment, remedy)
        for segment in gaps.segments
        for remedy in segment.remedies
        if remedy.manager_hours and remedy.gain_per_hour_usd is not None and remedy.gain_per_hour_usd.low > 0
    ]
    if not hourly:
        return "No remedy that takes the manager's hours clearly gains."
    per_hour, segment, remedy = max(hourly, key=lambda each: each[0].value)
    doing = {"develop": "developing ", "recruit": "recruiting "}.get(remedy.kind, "") + one_line(remedy.what)
    return (
        f"An hour of the manager gains most in {one_line(segment.segment)} by {doing}: "
        f"{usd(per_hour.value)} ({usd_interval(per_hour)})."
    )


def base(gaps: GapAnalysis) -> str:
    """That on top of which remedies come."""
    return "today's plan" if gaps.is_status_quo else "the plan"


def _under(gaps: GapAnalysis) -> str:
    return "today" if gaps.is_status_quo else "with the plan"


def kind(remedy: Remedy) -> str:
    from optimize.coverage.gaps import REMEDY_WORDS

    return REMEDY_WORDS[remedy.kind]


def ahead_from(remedy: Remedy) -> str:
    """When a remedy has paid back."""
    if remedy.gain_usd is None or not remedy.gain_usd.clear:
        return "not clear"
    return "never" if remedy.payback_quarter is None else f"Q{remedy.payback_quarter}"


def not_possible(remedies: tuple[Remedy, ...]) -> Iterator[str]:
    """Which kinds are not, by reason."""
    by_reason: dict[str, list[str]] = {}
    for remedy in remedies:
        if remedy.gain_usd is None:
            by_reason.setdefault(remedy.why_not, []).append(kind(remedy))
    yield from (f"not possible: {', '.join(kinds)} ({why})" for why, kinds in by_reason.items())


def map_intervals(gaps: GapAnalysis) -> str:
    shares = [
        share
        for segment in gaps.segments
        for which in (segment.today, segment.planned, segment.reachable)
        if which is not None
        for share in (which.found, which.brought, which.leaked)
    ]
    widest = max(map(half_width, shares), default=0.0)
    money = max((half_width(segment.gap_usd) for segment in gaps.segments), default=0.0)
    return f"95% intervals: shares up to ±{100 * widest:.1f} points, gaps up to ±{usd(money)}."


def map_words(gaps: GapAnalysis) -> str:
    """What the words of the map mean."""
    return (
        "Ideal is 100%. "
        "Reachable: every partner and candidate is there and brings all it ever would, the manager's other hours as "
        f"{_under(gaps)}. Gap: what nobody sees {_under(gaps)}, times mean amount and the manager's chance to win; "
        "nobody could work all of it."
    )


def remedy_words(gaps: GapAnalysis) -> str:
    """What each remedy is, and what its figures mean."""
    from optimize.coverage.gaps import ACCOUNT_MANAGER_HOURS, DEVELOPING_WORDS, MARKETS, MOVED_HOURS

    cam = gaps.scenario.channel_account_manager
    return (
        f"Each remedy alone: {MOVED_HOURS:g} h a week from selling over the horizon (developing: "
        f"{DEVELOPING_WORDS}; recruiting: the hours it takes too); "
        f"an account manager (AM), {ACCOUNT_MANAGER_HOURS:g} h a week on top"
        f"{', of the usual worth, as there is none today' if cam is None else ''}, whose cost is not in it. "
        f"Gain: quota credit of the whole territory over {count_of(gaps.scenario.horizon_quarters, 'quarter')}, in the "
        f"same {count_of(MARKETS, 'market')} with and without, each with its 95% interval. Seen: by "
        "somebody, of the segment's opportunities. Gains do not add up."
    )


def not_the_usual(treatment: Treatment) -> str:
    """What is usual for such a partner where the plan does another thing, and why; nothing where it is as usual."""
    if treatment.usual in (None, treatment.treatment):
        return ""
    return f"Usual for such a partner: {treatment.usual}{f'; but {treatment.reason}' if treatment.reason else ''}."
