"""What the terminal shows of a gap analysis: the market map, remedies by segment, the grid of partners.

Left out: any computing. A number printed here is a field of what optimize returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from nexthour.report.comparison import CAVEAT, count, half, narrow_half, one_line, percent, usd
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
    out.print(f"Market map: opportunities over {count(scenario.horizon_quarters, 'quarter')}, and who sees them")
    out.print(_market_map(gaps))
    out.print(f"{map_intervals(gaps)} {map_words(gaps)}")
    for its in gaps.segments:
        out.print()
        out.print(f"{one_line(its.segment)}: remedies on top of {base(gaps)}")
        possible = [remedy for remedy in its.remedies if remedy.gain_usd is not None]
        if possible:
            out.print(_remedies(possible))
        for said in not_possible(its.remedies):
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
    for its in gaps.segments:
        today = its.today
        table.add_row(
            one_line(its.segment),
            f"{its.opportunities.value:,.0f}",
            usd(its.value_usd),
            *(percent(who) for who in ((today.found, today.brought, today.leaked) if today else (None,) * 3)),
            *([percent(its.planned.seen if its.planned else None)] if planned else []),
            percent(its.reachable.seen if its.reachable else None),
            usd(its.gap_usd.value),
        )
    return table


def _remedies(remedies: Sequence[Remedy]) -> Any:
    table = make_table("", "hours", "gain", "gain\nan hour", "seen", "ahead\nfrom")
    for its in remedies:
        assert its.gain_usd is not None
        cam = " AM" if its.account_manager_hours else ""
        hours = its.manager_hours or its.account_manager_hours
        gain = f"{usd(its.gain_usd.value, sign=True)} {narrow_half(its.gain_usd)}"
        each = its.gain_per_hour_usd
        clear = its.gain_usd.clear
        table.add_row(
            f"{kind(its)}: {one_line(its.what)}",
            f"{hours:,.0f}{cam}" if hours else "none",
            gain if clear else f"({gain})",
            "" if each is None else usd(each.value, sign=True) if clear else f"({usd(each.value, sign=True)})",
            percent(its.seen),
            ahead_from(its),
        )
    return table


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
        widest = max(half(its.results) for its in there)
        out.print(
            f"95% intervals of the credit: up to ±{100 * widest:.1f} points. What it brings is assumed and has none."
        )
    out.print()
    out.print(f"What {base(gaps)} does with them")
    print_items(out, [f"{one_line(its.says)} {not_the_usual(its)}" for its in partners])


def _standing(its: Treatment) -> str:
    return f"{one_line(its.partner)} ({its.results.value:.1%}, {100 * its.commitment:.0f})"
