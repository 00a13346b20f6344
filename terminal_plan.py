"""What the terminal shows of a plan that was found: what it gains, its hours, and the certificate in words.

Left out: any computing, and the sentences (telling_plan.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import telling_plan
from telling import CAVEAT, one_line
from terminal import make_table, plain_console, print_items

if TYPE_CHECKING:
    from optimize import Answer, Explanation, Frontier

QUARTERS_AT_ONCE = 6


def print_solution(solution: Answer, reasons: Explanation | None = None) -> None:
    out, scenario, its = plain_console(), solution.scenario, solution.certificate
    out.print(one_line(scenario.question or scenario.name), style="bold")
    out.print()
    out.print(f"{solution.plan.name}: {telling_plan.against(its)}. {telling_plan.totals(solution)}")
    for quarters in _some(scenario.horizon_quarters):
        out.print()
        out.print("Hours a week")
        out.print(_hours(solution, quarters))
    out.print()
    for line in (*telling_plan.parked(solution), *telling_plan.coverage(solution)):
        out.print(line)
    titled = (
        (f"Q{solution.quarter} against {its.against}, hours a week", telling_plan.first_quarter(solution)),
        ("What happened so far", telling_plan.seen(solution)),
        ("How good it is, and how we know", telling_plan.certificate(solution)),
        ("Why, and what would change it", telling_plan.why(solution, reasons) if reasons is not None else []),
    )
    for title, lines in titled:
        if lines:
            out.print()
            out.print(title)
        print_items(out, lines)
    out.print()
    out.print(CAVEAT)


def print_frontier(its: Frontier) -> None:
    out = plain_console()
    out.print(one_line(its.scenario.question or its.scenario.name), style="bold")
    out.print()
    out.print(telling_plan.frontier_question(its))
    table = make_table("", *telling_plan.FRONTIER_COLUMNS)
    for point in (*(point for point in its.points if point.proven), its.status_quo):
        table.add_row(*telling_plan.frontier_row(point))
    out.print(table)
    for note in telling_plan.frontier_notes(its):
        out.print(note)
    out.print()
    out.print(CAVEAT)


def _some(quarters: int) -> Iterator[range]:
    yield from (range(first, min(first + QUARTERS_AT_ONCE, quarters)) for first in range(0, quarters, QUARTERS_AT_ONCE))


def _hours(solution: Answer, quarters: range) -> Any:
    table = make_table("", *(f"Q{q + 1}" for q in quarters))
    for word, hours in telling_plan.hours_rows(solution):
        table.add_row(word, *(telling_plan.hours_said(hours[q]) for q in quarters))
    return table
