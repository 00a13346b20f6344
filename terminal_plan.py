"""What the terminal shows of a plan that was found: what it gains, its hours, and the certificate in words.

Left out: any computing. A number printed here is a field of what optimize returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from terminal import CAVEAT, count, make_table, one_line, plain_console, usd

if TYPE_CHECKING:
    from optimize import Certificate, Solution
    from sim.estimates import Estimate

QUARTERS_AT_ONCE = 6
LEAST_SHOWN = 0.05
"""Hours a week."""


def print_solution(solution: Solution) -> None:
    from optimize.objective import WORDS

    out, scenario, its = plain_console(), solution.scenario, solution.certificate
    out.print(one_line(scenario.question or scenario.name), style="bold")
    out.print()
    out.print(
        f"{solution.plan.name}: {_against(its)}. Over {count(scenario.horizon_quarters, 'quarter')}, "
        f"{usd(its.realised_usd.value)} of {WORDS[its.objective]} against {usd(its.status_quo_usd.value)}."
    )
    for quarters in _some(scenario.horizon_quarters):
        out.print()
        out.print("Hours a week")
        out.print(_hours(solution, quarters))
    parked, modes = _parked(solution), _modes(solution)
    if parked or modes:
        out.print()
    for line in (*parked, *modes):
        out.print(line)
    out.print()
    out.print("Q1 against today, hours a week")
    for line in _changes(solution):
        out.print(f"  {line}")
    out.print()
    out.print("How good it is, and how we know")
    for line in _certificate(its):
        out.print(f"  {line}")
    out.print()
    out.print(CAVEAT)


def _changes(solution: Solution) -> list[str]:
    """Stop, start and so on, a line each, and what the first quarter costs."""
    from sim.plan import ACTIVITY_WORDS

    partners = solution.scenario.partner_names
    changes = solution.changes()
    going_on = {its.target for its in changes if its.kind != "stop"}
    left = dict.fromkeys(its.target for its in changes if its.target in partners and its.target not in going_on)
    by_kind = {"stop": [f"all time with {one_line(name)}" for name in left if name]} if left else {}
    for its in changes:
        if its.target in left:
            continue
        what = ACTIVITY_WORDS.get(its.activity, its.activity) + (f" {one_line(its.target)}" if its.target else "")
        hours = f"{its.planned:.2f}" if its.kind == "start" else f"{its.today:.2f} to {its.planned:.2f}"
        by_kind.setdefault(its.kind, []).append(what if its.kind in ("stop", "keep") else f"{what} {hours}")
    lines = [
        f"{kind}: {'; '.join(by_kind[kind])}" for kind in ("stop", "start", "less", "more", "keep") if kind in by_kind
    ]
    known = solution.certificate
    first, payback = known.difference_by_quarter_usd[0], known.payback_quarter
    unclear = "" if first.clear else ", which is not clear"
    pays = "is not ahead of today's plan at the end" if payback is None else f"is ahead for good from Q{payback}"
    return [*lines, f"in the first quarter {usd(first.value, sign=True)} against today's plan{unclear}; it {pays}"]


def _against(its: Certificate) -> str:
    share = its.difference_share
    side = {"ahead": "ahead of", "behind": "behind", "no clear difference": "no clear difference from"}[share.verdict]
    size = f" by {abs(share.value):.1%}" if share.clear else f" ({share.value:+.1%})"
    return f"{side} the status quo{size} (95% interval {_interval(share)})"


def _interval(share: Estimate) -> str:
    return f"{share.low:+.1%} to {share.high:+.1%}"


def _some(quarters: int) -> Iterator[range]:
    yield from (range(first, min(first + QUARTERS_AT_ONCE, quarters)) for first in range(0, quarters, QUARTERS_AT_ONCE))


def _hours(solution: Solution, quarters: range) -> Any:
    """By activity, then by partner and by segment that the manager prospects in."""
    from sim.plan import ACTIVITY_WORDS

    scenario, plan = solution.scenario, solution.plan
    layout = plan.table(scenario)
    table = make_table("", *(f"Q{q + 1}" for q in quarters))
    rows = [(ACTIVITY_WORDS[activity], hours) for activity, hours in plan.hours_by_activity(scenario).items()]
    theirs = layout.partner.sum(axis=1)
    rows += [(f"  with {one_line(name)}", theirs[:, p]) for p, name in enumerate(scenario.partner_names)]
    rows += [
        (f"  prospecting {one_line(name)}", layout.prospect[:, s]) for s, name in enumerate(scenario.segment_names)
    ]
    cam = layout.channel_account_manager.sum(axis=1)
    rows += [(f"  account manager: {one_line(name)}", cam[:, p]) for p, name in enumerate(scenario.partner_names)]
    for word, hours in rows:
        if max(hours) >= LEAST_SHOWN:
            table.add_row(word, *(f"{hours[q]:.2f}" if hours[q] >= LEAST_SHOWN else "" for q in quarters))
    return table


def _parked(solution: Solution) -> list[str]:
    by_partner: dict[str, list[str]] = {}
    for row in solution.plan.parked:
        last = row.to_quarter or solution.scenario.horizon_quarters
        when = f"Q{row.from_quarter}" if last == row.from_quarter else f"Q{row.from_quarter}-Q{last}"
        by_partner.setdefault(row.partner, []).append(when)
    said = "; ".join(f"{one_line(name)} {', '.join(when)}" for name, when in by_partner.items())
    return [f"Parked: {said}."] if said else []


def _modes(solution: Solution) -> list[str]:
    modes = {name: mode for name, mode in solution.plan.coverage_mode.items() if mode != "partner_first"}
    said = ", ".join(f"{one_line(name)} {mode.replace('_', ' ')}" for name, mode in modes.items())
    return [f"Coverage: {said}; the others partner first."] if said else ["Coverage: partner first in every segment."]


def _certificate(its: Certificate) -> list[str]:
    proven = "proven" if its.outcome == "optimal" else "found in the time there was; proven"
    low, high = its.realised_usd.low, its.realised_usd.high
    return [
        f"Promised {usd(its.promised_usd)}, realised {usd(its.realised_usd.value)} ({usd(low)} to {usd(high)}) in "
        f"{count(its.realised_usd.observations, 'market')} that the search never saw: {its.promise_off:+.1%}.",
        f"The corrected model's plan is {proven} within {its.gap:.1%} of its best.",
        f"Without queues and luck a manager would get {usd(its.fluid_limit_usd)}: nobody does.",
        f"One-hour test: {its.hour_test.says}.",
        f"{its.simulated_runs:,} simulated territories, {its.seconds:.0f} seconds.",
    ]
