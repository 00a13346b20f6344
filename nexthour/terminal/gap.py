"""nexthour gap: the market map, remedies by segment, and what the plan does with each partner."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nexthour.report import gaps as report
from nexthour.report.numbers import (
    count_of,
    half_width,
    narrow_half_width,
    percent,
    plain_whole,
    points,
    tenths_percent,
    usd,
    whole,
)
from nexthour.report.text import CAVEAT, one_line
from nexthour.terminal.common import AsJson, EffortName, ScenarioFile, Seed, print_json, read_scenario, status_line
from nexthour.terminal.tables import effort_words, make_table, plain_console, print_again, print_block, print_items
from optimize.options import OPTIONS
from sim.study.options import SEED

if TYPE_CHECKING:
    from optimize.coverage.gaps import GapAnalysis, Remedy
    from optimize.coverage.treatment import Treatment


def command(
    scenario_file: ScenarioFile,
    plan: Annotated[
        str | None, typer.Option(help="A plan file: its coverage too, and remedies on top of it.", metavar="FILE")
    ] = None,
    effort: EffortName = OPTIONS["effort"].default,
    seed: Seed = SEED.default,
    as_json: AsJson = False,
) -> None:
    """Say what nobody sees, and what it costs to see more.

    By segment: who sees what today, with a plan and at best; what each remedy costs and gains. By partner: what the
    plan does with it.

    \b
    Examples:
      nexthour gap baseline
      nexthour plan baseline --out plan.yaml
      nexthour gap baseline --plan plan.yaml
    """
    import sim
    from optimize.coverage.gaps import gap_analysis
    from optimize.coverage.treatment import treatments

    scenario = read_scenario(scenario_file)
    chosen = None if plan is None else sim.TimePlan.load(plan)
    with status_line() as progress:
        gaps = gap_analysis(scenario, chosen, seed, progress, effort)
        partners = treatments(scenario, gaps.plan, seed, gaps.effort)
    if as_json:
        print_json({**gaps.as_dict(), "treatments": [partner.as_dict() for partner in partners]})
        return
    print_gaps(gaps, partners)
    words = [*([] if plan is None else ["--plan", plan]), *effort_words(effort)]
    print_again(scenario, ["gap", scenario_file, *words, "--seed", seed])


def print_gaps(gaps: GapAnalysis, partners: Sequence[Treatment]) -> None:
    """Print a gap analysis: the answer, the market map, remedies by segment, the grid of partners."""
    out, scenario = plain_console(), gaps.scenario
    out.print(one_line(scenario.question or scenario.name), style="bold")
    out.print()
    if not gaps.is_status_quo:
        out.print(f"The plan: {one_line(gaps.plan.name)}.")
    out.print(f"{report.largest_gap(gaps)} {report.best_hour(gaps)}")
    title = f"Market map: opportunities over {count_of(scenario.horizon_quarters, 'quarter')}, and who sees them"
    print_block(out, title, _market_map(gaps), f"{report.map_intervals(gaps)} {report.map_words(gaps)}")
    for segment in gaps.segments:
        out.print(f"\n{one_line(segment.segment)}: remedies on top of {report.starting_point(gaps)}")
        possible = [remedy for remedy in segment.remedies if remedy.gain_usd is not None]
        if possible:
            out.print(_remedies(possible))
        for sentence in report.impossible_lines(segment.remedies):
            out.print(sentence)
    out.print(f"\n{report.remedy_words(gaps)} In brackets: no clear difference.")
    if partners:
        _print_partners(out, gaps, partners)
    out.print(f"\n{CAVEAT}")


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
            whole(segment.opportunities.value),
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
            f"{report.remedy_kind(remedy)}: {one_line(remedy.what)}",
            f"{whole(hours)}{cam}" if hours else "none",
            gain if clear else f"({gain})",
            "" if each is None else usd(each.value, sign=True) if clear else f"({usd(each.value, sign=True)})",
            percent(remedy.seen),
            report.payback_cell(remedy),
        )
    return table


def _print_partners(out: Any, gaps: GapAnalysis, partners: Sequence[Treatment]) -> None:
    there = [partner for partner in partners if not partner.is_candidate]
    if there:
        out.print("\nPartners by results (share of quota credit today) and commitment (brings of 100 opportunities)")
        table = make_table("", "brings less than average", "brings more than average", right=False)
        for high, word in ((True, "more credit than average"), (False, "less credit than average")):
            cells = [
                [_standing(one) for one in there if (one.high_results, one.high_commitment) == (high, brings)]
                for brings in (False, True)
            ]
            for i, row in enumerate(zip_longest(*(cell or ["nobody"] for cell in cells), fillvalue="")):
                table.add_row("" if i else word, *row)
        out.print(table)
        widest = max(half_width(partner.results) for partner in there)
        out.print(
            f"95% intervals of the credit: up to ±{points(widest)} points. What it brings is assumed and has none."
        )
    out.print(f"\nWhat {report.starting_point(gaps)} does with them")
    print_items(out, [f"{one_line(partner.says)} {report.unusual_treatment(partner)}" for partner in partners])


def _standing(treatment: Treatment) -> str:
    results, commitment = tenths_percent(treatment.results.value), plain_whole(100 * treatment.commitment)
    return f"{one_line(treatment.partner)} ({results}, {commitment})"
