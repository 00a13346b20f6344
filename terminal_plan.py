"""What the terminal shows of a plan that was found: what it gains, its hours, and the certificate in words.

Left out: any computing. A number printed here is a field of what optimize returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from telling import CAVEAT, count, one_line, turns_if, usd
from terminal import make_table, plain_console
from terminal_monday import change_lines

if TYPE_CHECKING:
    from optimize import Answer, Certificate, Explanation, Frontier
    from sim.estimates import Estimate

QUARTERS_AT_ONCE = 6
FLOOR_SHOWN = 0.01
LEAST_SHOWN = 0.05
"""Hours a week."""


def print_solution(solution: Answer, reasons: Explanation | None = None) -> None:
    from optimize.objective import WORDS

    out, scenario, its = plain_console(), solution.scenario, solution.certificate
    out.print(one_line(scenario.question or scenario.name), style="bold")
    out.print()
    out.print(
        f"{solution.plan.name}: {_against(its)}. {_over(solution)}, "
        f"{_amount(its, its.realised)} of {WORDS[its.wanted]} against {_amount(its, its.base.value)}."
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
    out.print(f"Q{solution.quarter} against {its.against}, hours a week")
    for line in _changes(solution):
        out.print(f"  {line}")
    if solution.alike:
        out.print()
        out.print("What happened so far")
        for line in _seen(solution):
            out.print(f"  {line}")
    out.print()
    out.print("How good it is, and how we know")
    for line in _certificate(solution):
        out.print(f"  {line}")
    if reasons is not None:
        out.print()
        out.print("Why, and what would change it")
        for line in _why(solution, reasons):
            out.print(f"  {line}")
    out.print()
    out.print(CAVEAT)


def print_frontier(its: Frontier) -> None:
    out, through = plain_console(), its.scenario.horizon_quarters
    out.print(one_line(its.scenario.question or its.scenario.name), style="bold")
    out.print()
    out.print(
        f"Attainment of Q1 to Q4, and the run-rate after Q{through}: quota credit a quarter in the year that follows, "
        "in which nobody is developed any more"
    )
    table = make_table("", "attainment", "run-rate", "time with partners")
    for point in (*(point for point in its.points if point.proven), its.status_quo):
        attained, after = point.attainment, point.exit_usd
        table.add_row(
            one_line(point.plan.name),
            f"{attained.value:.0%} ±{attained.high - attained.value:.0%}",
            f"{usd(after.value)} ±{(after.high - after.value) / 1000:.0f}k",
            f"{point.partner_share:.0%}",
        )
    out.print(table)
    unproven = [point.plan.name for point in its.points if not point.proven]
    if unproven:
        out.print(f"Not drawn, as the solver did not prove them in time: {', '.join(unproven)}.")
    out.print(f"Means over {count(its.status_quo.attainment.observations, 'market')}, the same for all; ± 95%.")
    out.print()
    out.print(CAVEAT)


def _seen(solution: Answer) -> list[str]:
    """What was not as planned, and how surprising that is."""
    off = [f"{its.says} (as far out in {its.surprise:.0%} of markets)" for its in solution.deviations]
    lines = off or ["Everything is as planned, within what 80 of 100 markets show."]
    return [*map(one_line, lines), one_line(solution.alike)]


def _why(solution: Answer, its: Explanation) -> list[str]:
    lines = []
    if its.hour_value_usd:
        ahead = list(enumerate(its.hour_value_usd, 1))[solution.quarter - 1 :]
        worth = ", ".join(f"{usd(value)} in Q{q}" for q, value in ahead)
        lines.append(f"One more hour is worth {worth}, by the corrected model (no intervals).")
    for limit in its.limits:
        costs = f"costs {limit.cost_share:.1%}" if limit.cost_share > 0 else "costs nothing that the model can see"
        lines.append(f"Limit: {one_line(limit.says)} {costs}.")
    low, high = its.flat_shares
    lines.append(
        f"{its.partner_share:.0%} of the hours go to partners; of the same mix any share from {low:.0%} to {high:.0%} "
        "is within 1%."
    )
    if its.runner_up is not None:
        share = its.runner_up.behind_share
        lines.append(
            f"Next best: {one_line(its.runner_up.says)}, behind by {share.value:.1%} ({share.low:.1%} to "
            f"{share.high:.1%})" + (f"; {turns_if(its.runner_up.robustness)}." if its.runner_up.robustness else ".")
        )
    if its.robustness is not None:
        lines.append(f"Against {solution.certificate.against}: {turns_if(its.robustness)}.")
    return lines


def _changes(solution: Answer) -> list[str]:
    """Stop, start and so on, a line each, and what the first quarter costs."""
    known = solution.certificate
    first, payback = known.difference_by_quarter[solution.quarter - 1], known.payback_quarter
    unclear = "" if first.clear else ", which is not clear"
    pays = f"is not ahead of {known.against} at the end" if payback is None else f"is ahead for good from Q{payback}"
    cost = (
        f"in Q{solution.quarter} {_amount(known, first.value, sign=True)} against {known.against}{unclear}; it {pays}"
    )
    return [*change_lines(solution.scenario, solution.changes()), cost]


def _amount(its: Certificate, value: float, sign: bool = False) -> str:
    """In the objective's unit; a shortfall is said without its minus."""
    if its.wanted == "quarters_at_quota":
        return f"{value:+.1f}" if sign else f"{value:.1f}"
    return usd(value if sign else abs(value), sign=sign)


def _against(its: Certificate) -> str:
    share = its.difference_share
    side = {"ahead": "ahead of", "behind": "behind", "no clear difference": "no clear difference from"}[share.verdict]
    if its.wanted == "expected_shortfall":
        side = side.replace("ahead of", "less short than").replace("behind", "shorter than")
    size = f" by {abs(share.value):.1%}" if share.clear else f" ({share.value:+.1%})"
    return f"{side} {its.against}{size} (95% interval {_interval(share)})"


def _interval(share: Estimate) -> str:
    return f"{share.low:+.1%} to {share.high:+.1%}"


def _some(quarters: int) -> Iterator[range]:
    yield from (range(first, min(first + QUARTERS_AT_ONCE, quarters)) for first in range(0, quarters, QUARTERS_AT_ONCE))


def _hours(solution: Answer, quarters: range) -> Any:
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


def _parked(solution: Answer) -> list[str]:
    by_partner: dict[str, list[str]] = {}
    for row in solution.plan.parked:
        last = row.to_quarter or solution.scenario.horizon_quarters
        when = f"Q{row.from_quarter}" if last == row.from_quarter else f"Q{row.from_quarter}-Q{last}"
        by_partner.setdefault(row.partner, []).append(when)
    said = "; ".join(f"{one_line(name)} {', '.join(when)}" for name, when in by_partner.items())
    return [f"Parked: {said}."] if said else []


def _modes(solution: Answer) -> list[str]:
    modes = {name: mode for name, mode in solution.plan.coverage_mode.items() if mode != "partner_first"}
    said = ", ".join(f"{one_line(name)} {mode.replace('_', ' ')}" for name, mode in modes.items())
    return [f"Coverage: {said}; the others partner first."] if said else ["Coverage: partner first in every segment."]


def _certificate(solution: Answer) -> list[str]:
    its = solution.certificate
    low, high = sorted(its.interval, key=abs)
    direct, partner = its.promise_off_by_route
    lines = [
        f"Promised {_amount(its, its.promised)}, realised {_amount(its, its.realised)} ({_amount(its, low)} to "
        f"{_amount(its, high)}) in {count(its.realised_estimate.observations, 'market')} that the search never saw: "
        f"the promise is {its.promise_off:+.1%} off (own deals {direct:+.1%}, partners' {partner:+.1%}).",
        f"Ahead in {its.markets_ahead.value:.0%} of these markets{_worlds(its)}.",
        f"Over the best of some constant splits ({one_line(its.best_split)}): {_signed(its.over_best_split)}"
        + (f"; better in {its.worlds_ahead_of_split.value:.0%} of the worlds." if its.worlds_ahead_of_split else "."),
        f"Quarters at quota: {its.quarters_at_quota.value:.1f} against {its.base_quarters_at_quota.value:.1f}; chance "
        f"of quota {_chance(its.chance_of_quota[solution.quarter - 1])} in Q{solution.quarter}, "
        f"{_chance(its.chance_of_quota[-1])} in the last quarter.",
        f"One-hour test: {its.hour_test.says}.",
        f"Rounding to quarters of an hour: {its.rounding_gain:+.1%}.",
    ]
    if its.outcome == "optimal" and its.gap is not None:
        lines.append(f"The corrected model's plan is proven within {its.gap:.1%} of its best.")
    else:
        lines.append("The solver ran out of time: its plan can be done, but a better one may exist.")
    lines.append(
        f"The model before it was corrected, without queues and luck, forecast {_amount(its, its.fluid_limit)}."
    )
    if its.exit_usd is not None and its.exit_difference_usd is not None:
        lines.append(
            f"Year after the horizon: {usd(its.exit_usd.value)} of quota credit, "
            f"{usd(its.exit_difference_usd.value, sign=True)} against {its.against}."
        )
    if its.floors_missed > FLOOR_SHOWN:
        lines.append(f"FLOORS ARE MISSED by {its.floors_missed:.1%} of quota in the simulator: ask for less.")
    return [*lines, f"{its.simulated_runs:,} simulated territories, {its.seconds:.0f} seconds."]


def _worlds(its: Certificate) -> str:
    worlds = its.worlds_ahead
    if worlds is None:
        return ""
    return f"; more quota credit in {worlds.value:.0%} of {worlds.observations} plausible worlds"


def _chance(its: Estimate) -> str:
    return f"{its.value:.0%} ({its.low:.0%} to {its.high:.0%})"


def _over(solution: Answer) -> str:
    """The quarters that count."""
    last = solution.scenario.horizon_quarters
    said = f"Over {count(last, 'quarter')}" if solution.quarter == 1 else f"From Q{solution.quarter} to Q{last}"
    return said + (" and the year after" if solution.certificate.exit_usd is not None else "")


def _signed(share: Estimate) -> str:
    return f"{share.value:+.1%} ({_interval(share)})"
