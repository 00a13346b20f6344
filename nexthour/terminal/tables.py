"""What the terminal shows: results in words and tables, the answer first, readable at 80 columns and without colour.

Left out: any computing. A number printed here is a field of what sim or calibrate returned.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from math import inf, isnan
from textwrap import fill
from typing import TYPE_CHECKING, Any

from nexthour import version
from nexthour.report.comparison import turns_if, verdict
from nexthour.report.numbers import count_of, exponents, half_width, narrow_half_width, usd
from nexthour.report.text import CAVEAT, one_line, with_article

if TYPE_CHECKING:
    from rich.console import Console

    from sim import Comparison, Ledger, Scenario, Sensitivity, TimePlan
    from sim.study.estimates import Estimate

COLUMNS_AT_ONCE = 3
"""Plans side by side in the tables under the main one."""
BAR_WIDTH = 8


def print_comparison(comparison: Comparison, known: Sensitivity | None = None) -> None:
    """`known` adds to each verdict what would turn it."""
    scenario, base = comparison.scenario, comparison.baseline
    out = plain_console()
    best_first = sorted(
        (name for name in comparison.results if name != base),
        key=lambda name: -comparison[name].difference_usd.value,
    )
    out.print(one_line(scenario.question or scenario.name), style="bold")
    for name in best_first:
        out.print()
        said = verdict(comparison, name)
        out.print(f"{said.removesuffix('.')}; {turns_if(known[name])}." if known else said)
    out.print()
    out.print(_levels_table(comparison, [base, *best_first]))
    out.print(
        f"Over {count_of(scenario.horizon_quarters, 'quarter')}, mean of "
        f"{count_of(comparison.replications, 'market')}, the same for every plan. P10-P90: 8 of 10 markets lie there. "
        "Chance of quota: in an average quarter. "
        f"Difference: from {with_article(base)}, with its 95% interval."
    )
    for names in _chunks(best_first):
        out.print()
        out.print(f"Difference from {with_article(base)} by quarter, $k of quota credit (in brackets: not clear)")
        out.print(_quarter_table(comparison, names))
    for names in _chunks([base, *best_first]):
        out.print()
        out.print("Planned hours a week, mean of the quarters")
        out.print(_hours_table(comparison, names))
    out.print()
    out.print(CAVEAT)


def _levels_table(comparison: Comparison, names: list[str]) -> Any:
    measures = ("quota\ncredit", "P10-P90", "attain-\nment", "chance\nof quota", "through\npartners", "difference")
    table = make_table("plan", *measures)
    for name in names:
        result = comparison[name]
        difference = result.difference_usd
        table.add_row(
            name,
            usd(result.credit_usd.value),
            f"{usd(result.credit_p10_usd)}-{usd(result.credit_p90_usd)[1:]}",
            f"{result.attainment.value:.0%}",
            f"{result.quarters_at_quota.value:.0%}",
            f"{result.partner_share_of_credit:.0%}",
            "" if name == comparison.baseline else usd(difference.value, sign=True) + _half_width(difference),
        )
    return table


def _half_width(estimate: Estimate) -> str:
    """An interval around its middle; endless ones are not written."""
    return f" {narrow_half_width(estimate)}" if half_width(estimate) < inf else ""


def _quarter_table(comparison: Comparison, names: list[str]) -> Any:
    from rich.text import Text

    by_plan = {name: comparison[name].difference_by_quarter_usd for name in names}
    largest = max(abs(its.value) for quarters in by_plan.values() for its in quarters) or 1.0
    table = make_table("quarter", *names, right=False)
    for quarter in range(comparison.scenario.horizon_quarters):
        cells = []
        for name in names:
            its = by_plan[name][quarter]
            number = f"{its.value / 1000:+,.0f}" if its.clear else f"({its.value / 1000:+,.0f})"
            bar = ("+" if its.value > 0 else "-") * round(abs(its.value) / largest * BAR_WIDTH)
            colour = "green" if its.value > 0 else "red"
            cells.append(Text(f"{number:>7} {bar}", style=colour if its.clear else "dim"))
        table.add_row(f"Q{quarter + 1}", *cells)
    return table


def _hours_table(comparison: Comparison, names: list[str]) -> Any:
    from sim.plan import ACTIVITY_WORDS

    hours = {name: comparison[name].plan.hours_by_activity(comparison.scenario) for name in names}
    table = make_table("activity", *names)
    for activity in ("sell", *(a for a in next(iter(hours.values())) if a != "sell")):
        means = [float(hours[name][activity].mean()) for name in names]
        if max(means) >= 0.05:
            table.add_row(ACTIVITY_WORDS[activity], *(f"{mean:.1f}" for mean in means))
    return table


def print_market(scenario: Scenario, plan: TimePlan, ledger: Ledger) -> None:
    from sim import kpis

    out, tally = plain_console(), kpis.Tally.of(ledger)
    values = {kpi.name: kpi.of(tally) for kpi in kpis.KPIS}
    credit, quota = values["credit_usd"].sum(), sum(scenario.quota_usd())
    made = int((values["attainment"] >= 1).sum())
    part = f", {values['partner_credit_usd'].sum() / credit:.0%} of it through partners" if credit else ""
    out.print(
        f"{plan.name}: {usd(credit)} of quota credit for {usd(quota)} of quota{part}; "
        f"quota made in {made} of {count_of(scenario.horizon_quarters, 'quarter')}.",
        style="bold",
    )
    out.print("One market, so much of this is luck; nexthour compare tells plans apart.")
    out.print()
    out.print(plan.summary(scenario))
    rows, nothing = [], []
    for kpi in kpis.KPIS:
        label, cells = _kpi_row(scenario, kpi, values[kpi.name])
        if values[kpi.name].any():
            rows.append((label, cells))
        else:
            nothing.append(kpi.label)
    width = max(len(label) for label, _ in rows) if rows else 0
    most = max(1, (out.width - width) // (2 + max((len(c) for _, cells in rows for c in cells), default=5)))
    blocks = -(-scenario.horizon_quarters // most)
    size = -(-scenario.horizon_quarters // blocks)
    for first in range(0, scenario.horizon_quarters, size):
        quarters = range(first, min(first + size, scenario.horizon_quarters))
        table = make_table("", *(f"Q{q + 1}" for q in quarters))
        for label, cells in rows:
            table.add_row(label, *(cells[q] for q in quarters))
        out.print()
        out.print(table)
    out.print()
    if nothing:
        out.print(f"Nothing in any quarter: {', '.join(nothing)}.")
        out.print()
    out.print(_coverage_table(scenario, ledger))
    if scenario.all_partners:
        out.print()
        out.print(_partner_table(scenario, ledger))
        out.print("Weeks to first win: from the first day, or from when a candidate became active.")


def _coverage_table(scenario: Scenario, ledger: Ledger) -> Any:
    from sim import kpis

    seen = kpis.coverage_by_segment(ledger)
    table = make_table(
        "opportunities of", "found by\nthe manager", "registered\nby partners", "leaked: seen\nby nobody"
    )
    for i, name in enumerate(scenario.segment_names):
        table.add_row(one_line(name), *(f"{seen[how][i]:,.0f}" for how in ("found", "registered", "leaked")))
    return table


def _partner_table(scenario: Scenario, ledger: Ledger) -> Any:
    from sim import kpis

    table = make_table("partner", "quota\ncredit", "weeks to\nfirst win")
    credit, weeks = kpis.credit_by_partner_usd(ledger).tolist(), kpis.weeks_to_first_deal(ledger).tolist()
    for name, its, first in zip(scenario.partner_names, credit, weeks, strict=True):
        table.add_row(one_line(name), usd(its), "none" if isnan(first) else f"{first:.1f}")
    return table


def _kpi_row(scenario: Scenario, kpi: Any, values: Any) -> tuple[str, list[str]]:
    """Label with its unit, and a cell a quarter. Skill and engagement become what they do to deals."""
    powers = exponents(scenario)
    if kpi.name in powers:
        words = {"skill": "% of your wins", "engagement": "brings of 100"}[kpi.name]
        return f"{kpi.label}: {words}", [f"{v:.0f}" for v in 100 * values ** powers[kpi.name]]
    if kpi.unit == "US dollars":
        return f"{kpi.label}, $k", [f"{v / 1000:,.0f}" for v in values]
    if kpi.unit.startswith("share"):
        return f"{kpi.label}, %", [f"{v:.0%}"[:-1] for v in values]
    if kpi.unit == "times quota":
        return f"{kpi.label}, x quota", [f"{v:.1f}" for v in values]
    return kpi.label, [f"{v:,.0f}" for v in values]


def make_table(first: str, *others: str, right: bool = True) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, vertical="bottom", overflow="fold")
    for other in others:
        table.add_column(other, justify="right" if right else "left", overflow="fold", min_width=3, vertical="bottom")
    return table


def plain_console(stderr: bool = False) -> Console:
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain(stderr=stderr, markup=False, highlight=False, emoji=False)


def print_items(console: Console, lines: Iterable[str]) -> None:
    """Lines below a heading, each indented, and what does not fit on it a little more."""
    for line in lines:
        filled = fill(
            line, console.width, initial_indent="  ", subsequent_indent="    ", break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
        console.print(filled, soft_wrap=True)


def _chunks(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        yield names[start : start + COLUMNS_AT_ONCE]


def print_again(scenario: Scenario, words: list[Any], *others: Scenario) -> None:
    """How to get the numbers above again."""
    print("\nTo get this again:")
    print("  " + shlex.join(["nexthour", *map(str, words)]))
    digests = ", ".join(its.digest() for its in (scenario, *others))
    print(f"  nexthour {version()}, scenario digest{'s' if others else ''} {digests}")
