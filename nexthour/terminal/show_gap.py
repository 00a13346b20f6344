"""What the terminal shows of a gap analysis: the market map, remedies by segment, the grid of partners.

Left out: any computing. A number printed here is a field of what optimize returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from nexthour.report.gaps import (
    ahead_from,
    base,
    best_hour,
    kind,
    largest_gap,
    map_intervals,
    map_words,
    not_possible,
    not_the_usual,
    remedy_words,
)
from nexthour.report.numbers import count_of, half_width, narrow_half_width, percent, usd
from nexthour.report.text import CAVEAT, one_line
from nexthour.terminal.tables import make_table, plain_console, print_items

if TYPE_CHECKING:
    from optimize.coverage.gaps import GapAnalysis, Remedy
    from optimize.coverage.treatment import Treatment


def print_gaps(gaps: GapAnalysis, partners: Sequence[Treatment]) -> None:
    out, scenario = plain_console(), gaps.scenario
    out.print(one_line(scenario.question or scenario.name), style="bold")
    out.print()
    if not gaps.is_status_quo:
        out.print(f"The plan: {one_line(gaps.plan.name)}.")
    out.print(f"{largest_gap(gaps)} {best_hour(gaps)}")
    out.print()
    out.print(f"Market map: opportunities over {count_of(scenario.horizon_quarters, 'quarter')}, and who sees them")
    out.print(_market_map(gaps))
    out.print(f"{map_intervals(gaps)} {map_words(gaps)}")
    for segment in gaps.segments:
        out.print()
        out.print(f"{one_line(segment.segment)}: remedies on top of {base(gaps)}")
        possible = [remedy for remedy in segment.remedies if remedy.gain_usd is not None]
        if possible:
            out.print(_remedies(possible))
        for said in not_possible(segment.remedies):
            out.print(said)
    out.print()
    out.print(f"{remedy_words(gaps)} In brackets: no clear difference.")
    if partners:
        _print_partners(out, gaps, partners)
    out.print()
    out.print(CAVEAT)


def _market_map(gaps: GapAnalysis) -> Any:
    planned = [] if gaps.is_status_quo else ["seen with\nthe plan"]
    table = make_table(
        "segment", "opportu-\nnities", "worth\nof one", "found by\nmanager", "brought by\npartners", "seen by\nnobody",
        *planned, "reach-\nable", "gap,\nworth",
    )  # fmt: skip
    for segment in gaps.segments:
        today = segment.today
        table.add_row(
            one_line(segment.segment),
            f"{segment.opportunities.value:,.0f}",
            usd(segment.value_usd),
            *(percent(who) for who in ((today.found, today.brought, today.leaked) if today else (None,) * 3)),
            *([percent(segment.planned.seen if segment.planned else None)] if planned else []),
            percent(segment.reachable.seen if segment.reachable else None),
            usd(segment.gap_usd.value),
        )
    return table


def _remedies(remedies: Sequence[Remedy]) -> Any:
    table = make_table("", "hours", "gain", "gain\nan hour", "seen", "ahead\nfrom")
    for remedy in remedies:
        assert remedy.gain_usd is not None
        cam = " AM" if remedy.account_manager_hours else ""
        hours = remedy.manager_hours or remedy.account_manager_hours
        gain = f"{usd(remedy.gain_usd.value, sign=True)} {narrow_half_width(remedy.gain_usd)}"
        each = remedy.gain_per_hour_usd
        clear = remedy.gain_usd.clear
        table.add_row(
            f"{kind(remedy)}: {one_line(remedy.what)}",
            f"{hours:,.0f}{cam}" if hours else "none",
            gain if clear else f"({gain})",
            "" if each is None else usd(each.value, sign=True) if clear else f"({usd(each.value, sign=True)})",
            percent(remedy.seen),
            ahead_from(remedy),
        )
    return table


def _print_partners(out: Any, gaps: GapAnalysis, partners: Sequence[Treatment]) -> None:
    there = [partner for partner in partners if not partner.is_candidate]
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
        widest = max(half_width(its.results) for its in there)
        out.print(
            f"95% intervals of the credit: up to ±{100 * widest:.1f} points. What it brings is assumed and has none."
        )
    out.print()
    out.print(f"What {base(gaps)} does with them")
    print_items(out, [f"{one_line(partner.says)} {not_the_usual(partner)}" for partner in partners])


def _standing(treatment: Treatment) -> str:
    return f"{one_line(treatment.partner)} ({treatment.results.value:.1%}, {100 * treatment.commitment:.0f})"
