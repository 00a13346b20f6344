"""What the terminal shows of a gap analysis: the market map, remedies by segment, the grid of partners.

Left out: any computing. A number printed here is a field of what optimize returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from telling import CAVEAT, count, one_line, usd
from terminal import make_table, plain_console

if TYPE_CHECKING:
    from optimize.gaps import GapAnalysis, Remedy, SegmentGap
    from optimize.treatment import Treatment
    from sim.estimates import Estimate


def print_gaps(gaps: GapAnalysis, partners: Sequence[Treatment]) -> None:
    out, scenario = plain_console(), gaps.scenario
    out.print(one_line(scenario.question or scenario.name), style="bold")
    out.print()
    if not gaps.is_status_quo:
        out.print(f"The plan: {one_line(gaps.plan.name)}.")
    out.print(_largest(gaps))
    out.print()
    out.print(f"Market map: opportunities over {count(scenario.horizon_quarters, 'quarter')}, and who sees them")
    out.print(_market_map(gaps))
    for line in _map_notes(gaps):
        out.print(line)
    for its in gaps.segments:
        out.print()
        out.print(f"{one_line(its.segment)}: remedies on top of {_base(gaps)}")
        possible = [remedy for remedy in its.remedies if remedy.gain_usd is not None]
        if possible:
            out.print(_remedies(possible))
        for said in _not_possible(its):
            out.print(said)
    out.print()
    for line in _remedy_notes(gaps):
        out.print(line)
    if partners:
        _print_partners(out, gaps, partners)
    out.print()
    out.print(CAVEAT)


def _base(gaps: GapAnalysis) -> str:
    return "today's plan" if gaps.is_status_quo else "the plan"


def _largest(gaps: GapAnalysis) -> str:
    """The answer first: the dearest gap, and the remedy that gains most an hour."""
    its = max(gaps.segments, key=lambda its: its.gap_usd.value)
    under = "today" if gaps.is_status_quo else "with the plan"
    said = (
        f"The largest gap is {one_line(its.segment)}: nobody sees opportunities worth {usd(its.gap_usd.value)} "
        f"{under} ({usd(its.gap_usd.low)} to {usd(its.gap_usd.high)})."
    )
    hourly = [
        (remedy.gain_per_hour_usd, segment, remedy)
        for segment in gaps.segments
        for remedy in segment.remedies
        if remedy.manager_hours and remedy.gain_per_hour_usd is not None and remedy.gain_per_hour_usd.low > 0
    ]
    if not hourly:
        return f"{said} No remedy that takes the manager's hours clearly gains."
    per_hour, segment, remedy = max(hourly, key=lambda each: each[0].value)
    return (
        f"{said} An hour of the manager gains most in {one_line(segment.segment)} by {_said(remedy)}: "
        f"{usd(per_hour.value)} ({usd(per_hour.low)} to {usd(per_hour.high)})."
    )


def _said(remedy: Remedy) -> str:
    doing = {"develop": "developing ", "recruit": "recruiting "}.get(remedy.kind, "")
    return doing + one_line(remedy.what)


def _kind(remedy: Remedy) -> str:
    from optimize.gaps import REMEDY_WORDS

    return REMEDY_WORDS[remedy.kind]


def _market_map(gaps: GapAnalysis) -> Any:
    planned = [] if gaps.is_status_quo else ["seen with\nthe plan"]
    table = make_table(
        "segment", "opportu-\nnities", "worth\nof one", "found by\nmanager", "brought by\npartners", "seen by\nnobody",
        *planned, "reach-\nable", "gap,\nworth",
    )  # fmt: skip
    for its in gaps.segments:
        today = its.today
        table.add_row(
            one_line(its.segment),
            f"{its.opportunities.value:,.0f}",
            usd(its.value_usd),
            *(_percent(who) for who in ((today.found, today.brought, today.leaked) if today else (None,) * 3)),
            *([_percent(its.planned.seen if its.planned else None)] if planned else []),
            _percent(its.reachable.seen if its.reachable else None),
            usd(its.gap_usd.value),
        )
    return table


def _percent(share: Estimate | None) -> str:
    return "none" if share is None else f"{share.value:.0%}"


def _map_notes(gaps: GapAnalysis) -> Iterator[str]:
    known = [its for its in gaps.segments if its.today and its.reachable]
    shares = [
        share
        for its in known
        for which in (its.today, its.planned, its.reachable)
        if which is not None
        for share in (which.found, which.brought, which.leaked)
    ]
    widest = max((_half(share) for share in shares), default=0.0)
    money = max((_half(its.gap_usd) for its in gaps.segments), default=0.0)
    plan = "today" if gaps.is_status_quo else "with the plan"
    yield (
        f"95% intervals: shares up to ±{100 * widest:.1f} points, gaps up to ±{usd(money)}. Ideal is 100%. "
        "Reachable: every partner and candidate is there and brings all it ever would, the manager's other hours as "
        f"{plan}. Gap: what nobody sees {plan}, times mean amount and the manager's chance to win; nobody could work "
        "all of it."
    )


def _half(its: Estimate) -> float:
    return (its.high - its.low) / 2


def _remedies(remedies: Sequence[Remedy]) -> Any:
    table = make_table("", "hours", "gain", "gain\nan hour", "seen", "ahead\nfrom")
    for its in remedies:
        assert its.gain_usd is not None
        cam = " AM" if its.account_manager_hours else ""
        hours = its.manager_hours or its.account_manager_hours
        gain = f"{usd(its.gain_usd.value, sign=True)} ±{usd(_half(its.gain_usd))[1:]}"
        each = its.gain_per_hour_usd
        clear = its.gain_usd.clear
        table.add_row(
            f"{_kind(its)}: {one_line(its.what)}",
            f"{hours:,.0f}{cam}" if hours else "none",
            gain if clear else f"({gain})",
            "" if each is None else usd(each.value, sign=True) if clear else f"({usd(each.value, sign=True)})",
            _percent(its.seen),
            "not clear" if not clear else "never" if its.payback_quarter is None else f"Q{its.payback_quarter}",
        )
    return table


def _not_possible(its: SegmentGap) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for remedy in its.remedies:
        if remedy.gain_usd is None:
            by_reason.setdefault(remedy.why_not, []).append(_kind(remedy))
    yield from (f"not possible: {', '.join(kinds)} ({why})" for why, kinds in by_reason.items())


def _remedy_notes(gaps: GapAnalysis) -> Iterator[str]:
    from optimize.gaps import ACCOUNT_MANAGER_HOURS, DEVELOPING_WORDS, MARKETS, MOVED_HOURS

    cam = gaps.scenario.channel_account_manager
    yield (
        f"Each remedy alone: {MOVED_HOURS:g} h a week from selling over the horizon (developing: "
        f"{DEVELOPING_WORDS}; recruiting: the hours it takes too); "
        f"an account manager (AM), {ACCOUNT_MANAGER_HOURS:g} h a week on top"
        f"{', of the usual worth, as there is none today' if cam is None else ''}, whose cost is not in it. "
        f"Gain: quota credit of the whole territory over {count(gaps.scenario.horizon_quarters, 'quarter')}, in the "
        f"same {count(MARKETS, 'market')} with and without, each with its 95% interval; in brackets: no clear "
        "difference. Seen: by somebody, of the segment's opportunities. Gains do not add up."
    )


def _print_partners(out: Any, gaps: GapAnalysis, partners: Sequence[Treatment]) -> None:
    there = [its for its in partners if not its.is_candidate]
    if there:
        out.print()
        out.print("Partners by results (share of quota credit today) and commitment (brings of 100 opportunities)")
        table = make_table("", "brings less than average", "brings more than average", right=False)
        for high, word in ((True, "more credit than average"), (False, "less credit than average")):
            cells = [
                [_standing(its) for its in there if its.high_results == high and its.high_commitment == brings]
                for brings in (False, True)
            ]
            for i, row in enumerate(zip_longest(*(cell or ["nobody"] for cell in cells), fillvalue="")):
                table.add_row("" if i else word, *row)
        out.print(table)
        widest = max(_half(its.results) for its in there)
        out.print(
            f"95% intervals of the credit: up to ±{100 * widest:.1f} points. What it brings is assumed and has none."
        )
    out.print()
    out.print(f"What {_base(gaps)} does with them")
    for its in partners:
        usual = "" if its.usual in (None, its.treatment) else f" Usual for such a partner: {its.usual}"
        reason = f"; but {its.reason}" if its.reason else ""
        out.print(f"  {one_line(its.says)}{usual}{reason}{'.' if usual else ''}")


def _standing(its: Treatment) -> str:
    return f"{one_line(its.partner)} ({its.results.value:.1%}, {100 * its.commitment:.0f})"
