"""What the terminal shows of a plan that was found: what it gains, its hours, and the certificate in words.

Left out: any computing, and the sentences (nexthour/report/plan.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nexthour.report import plan
from nexthour.report.text import CAVEAT, one_line
from nexthour.terminal.tables import make_table, plain_console, print_items

if TYPE_CHECKING:
    from optimize import Answer, Explanation, Frontier

QUARTERS_AT_ONCE = 6


def print_solution(solution: Answer, reasons: Explanation | None = None) -> None:
    out, scenario, its = plain_console(), solution.scenario, solution.certificate
    out.print(one_line(scenario.question or scenario.name), style="bold")
    out.print()
    out.print(f"{solution.plan.name}: {plan.difference(its)}. {plan.totals(solution)}")
    for quarters in _some(scenario.horizon_quarters):
        out.print()
        out.print("Hours a week")
        out.print(_hours(solution, quarters))
    out.print()
    for line in (*plan.parked_lines(solution), *plan.coverage_lines(solution)):
        out.print(line)
    titled = (
        (f"Q{solution.quarter} against {its.against}, hours a week", plan.first_quarter_lines(solution)),
        ("What happened so far", plan.so_far_lines(solution)),
        ("How good it is, and how we know", plan.certificate_lines(solution)),
        ("Why, and what would change it", plan.reason_lines(solution, reasons) if reasons is not None else []),
    )
    for title, lines in titled:
        if lines:
            out.print()
            out.print(title)
        print_items(out, lines)
    out.print()
    out.print(CAVEAT)


def print_frontier(frontier: Frontier) -> None:
    out = plain_console()
    out.print(one_line(frontier.scenario.question or frontier.scenario.name), style="bold")
    out.print()
    out.print(plan.frontier_question(frontier))
    table = make_table("", *plan.FRONTIER_COLUMNS)
    for point in (*(point for point in frontier.points if point.proven), frontier.status_quo):
        table.add_row(*plan.frontier_row(point))
    out.print(table)
    for note in plan.frontier_notes(frontier):
        out.print(note)
    out.print()
    out.print(CAVEAT)


def _some(quarters: int) -> Iterator[range]:
    yield from (range(first, min(first + QUARTERS_AT_ONCE, quarters)) for first in range(0, quarters, QUARTERS_AT_ONCE))


def _hours(solution: Answer, quarters: range) -> Any:
    table = make_table("", *(f"Q{q + 1}" for q in quarters))
    for word, hours in plan.hours_rows(solution):
        table.add_row(word, *(plan.hours_cell(hours[q]) for q in quarters))
    return table
