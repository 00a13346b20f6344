"""Gaps, and several territories together, in words: the sentences that the terminal and the screens have in common.

Left out: any computing. A number told here is a field of what optimize returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nexthour.report.numbers import (
    count_of,
    half_width,
    plain_number,
    points,
    usd,
    usd_interval,
    usd_with_half_width,
    whole,
)
from nexthour.report.text import one_line

if TYPE_CHECKING:
    from optimize.coverage.gaps import GapAnalysis, Remedy
    from optimize.coverage.rollup import Rollup
    from optimize.coverage.treatment import Treatment


def largest_gap(gaps: GapAnalysis) -> str:
    """The dearest gap in a sentence, if there is a gap."""
    segment = max(gaps.segments, key=lambda segment: segment.gap_usd.value)
    if not segment.gap_usd.high > 0:
        return f"There is no gap: somebody sees every opportunity {_when(gaps)}."
    return (
        f"The largest gap is {one_line(segment.segment)}: nobody sees opportunities worth {usd(segment.gap_usd.value)} "
        f"{_when(gaps)} ({usd_interval(segment.gap_usd)})."
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


def starting_point(gaps: GapAnalysis) -> str:
    """The plan on top of which remedies come, in words."""
    return "today's plan" if gaps.is_status_quo else "the plan"


def _when(gaps: GapAnalysis) -> str:
    return "today" if gaps.is_status_quo else "with the plan"


def remedy_kind(remedy: Remedy) -> str:
    """What kind of remedy it is, in words."""
    from optimize.coverage.gaps import REMEDY_WORDS

    return REMEDY_WORDS[remedy.kind]


def payback_cell(remedy: Remedy) -> str:
    """The quarter in which a remedy has paid back, as a table has room for it."""
    if remedy.gain_usd is None or not remedy.gain_usd.clear:
        return "not clear"
    return "never" if remedy.payback_quarter is None else f"Q{remedy.payback_quarter}"


def impossible_lines(remedies: tuple[Remedy, ...]) -> Iterator[str]:
    """A line for each reason why kinds of remedies are not possible, with those kinds."""
    by_reason: dict[str, list[str]] = {}
    for remedy in remedies:
        if remedy.gain_usd is None:
            by_reason.setdefault(remedy.why_not, []).append(remedy_kind(remedy))
    yield from (f"not possible: {', '.join(kinds)} ({why})" for why, kinds in by_reason.items())


def map_intervals(gaps: GapAnalysis) -> str:
    """The widest intervals of the map, for all of them."""
    shares = [
        share
        for segment in gaps.segments
        for which in (segment.today, segment.planned, segment.reachable)
        if which is not None
        for share in (which.found, which.brought, which.leaked)
    ]
    widest = max(map(half_width, shares), default=0.0)
    money = max((half_width(segment.gap_usd) for segment in gaps.segments), default=0.0)
    return f"95% intervals: shares up to ±{points(widest)} points, gaps up to ±{usd(money)}."


def map_words(gaps: GapAnalysis) -> str:
    """What the words of the map mean."""
    return (
        "Ideal is 100%. "
        "Reachable: every partner and candidate is there and brings all it ever would, the manager's other hours as "
        f"{_when(gaps)}. Gap: what nobody sees {_when(gaps)}, times mean amount and the manager's chance to win; "
        "nobody could work all of it."
    )


def remedy_words(gaps: GapAnalysis) -> str:
    """What each remedy is, and what its figures mean."""
    from optimize.coverage.remedies import ACCOUNT_MANAGER_HOURS, DEVELOPING_WORDS, MOVED_HOURS

    cam = gaps.scenario.channel_account_manager
    return (
        f"Each remedy alone: {plain_number(MOVED_HOURS)} h a week from selling over the horizon (developing: "
        f"{DEVELOPING_WORDS}; recruiting: the hours it takes too); "
        f"an account manager (AM), {plain_number(ACCOUNT_MANAGER_HOURS)} h a week on top"
        f"{', of the usual worth, as there is none today' if cam is None else ''}, whose cost is not in it. "
        f"Gain: quota credit of the whole territory over {count_of(gaps.scenario.horizon_quarters, 'quarter')}, in the "
        f"same {count_of(gaps.effort.remedy_markets, 'market')} with and without, each with its 95% interval. Seen: by "
        "somebody, of the segment's opportunities. Gains do not add up."
    )


def unusual_treatment(treatment: Treatment) -> str:
    """Say what is usual for such a partner where the plan does another thing, and why; nothing where it is as usual."""
    if treatment.usual in (None, treatment.treatment):
        return ""
    return f"Usual for such a partner: {treatment.usual}{f'; but {treatment.reason}' if treatment.reason else ''}."


ALONE = "Each territory is simulated on its own: no manager knows of another's deals or partners."
ADDED_UP = "Segments and partners are added up by their names."


def unseen_opportunities(rollup: Rollup) -> str:
    """What nobody sees today, and what that is worth, to go on in a sentence."""
    total = rollup.total
    return (
        f"nobody sees {whole(total.leaked.value)} of {whole(total.opportunities.value)} opportunities today, worth "
        f"{usd(total.gap_usd.value)} ({usd_interval(total.gap_usd)})"
    )


def credit_against_quota(rollup: Rollup) -> str:
    """The quota credit of today's plans against the quotas, and what partners bring of it."""
    return (
        f"Quota credit today is {usd_with_half_width(rollup.credit_usd)} against quotas of "
        f"{usd(rollup.quota_usd)}; {usd(rollup.partner_credit_usd.value)} of it comes from partners."
    )
