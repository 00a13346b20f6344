"""A plan that was found, in words: what it gains, what it changes, how good it is and why, and the Monday sheet.

The terminal and the screens say the same sentences. Left out: any computing. A number here is a field of what
optimize returned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from nexthour.report.comparison import turning_point
from nexthour.report.numbers import (
    count_of,
    half_width,
    hundredths,
    interval,
    narrow_half_width,
    plain_whole,
    signed_percent,
    signed_tenths,
    tenths,
    tenths_percent,
    usd,
    whole,
    whole_percent,
    with_interval,
)
from nexthour.report.text import one_line

if TYPE_CHECKING:
    from datetime import time

    from optimize import Answer, Certificate, Explanation, Frontier
    from optimize.monday.diary import Block
    from optimize.monday.sheet import Change
    from optimize.proof.frontier import Point
    from sim import Scenario

FLOOR_SHOWN = 0.01
"""Share of quota; a smaller miss is not shown."""
LEAST_SHOWN = 0.05
"""Hours a week."""


# What it gains


def difference(certificate: Certificate) -> str:
    """How far the plan is ahead of what is done today, with the interval, as the end of a sentence."""
    share = certificate.difference_share
    side = {"ahead": "ahead of", "behind": "behind", "no clear difference": "no clear difference from"}[share.verdict]
    if certificate.wanted == "expected_shortfall":
        side = side.replace("ahead of", "less short than").replace("behind", "shorter than")
    size = f" by {tenths_percent(abs(share.value))}" if share.clear else f" ({signed_percent(share.value)})"
    return f"{side} {certificate.against}{size} (95% interval {interval(share)})"


def totals(solution: Answer) -> str:
    """What the plan is expected to bring over the quarters that count, and what is expected today."""
    from optimize.objective import OBJECTIVE_WORDS

    certificate = solution.certificate
    planned, today = (amount(certificate, value) for value in (certificate.realised, certificate.base.value))
    return f"{period(solution)}, {planned} of {OBJECTIVE_WORDS[certificate.wanted]} against {today}."


def period(solution: Answer) -> str:
    """The quarters that count, as the beginning of a sentence."""
    last = solution.scenario.horizon_quarters
    quarters = f"Over {count_of(last, 'quarter')}" if solution.quarter == 1 else f"From Q{solution.quarter} to Q{last}"
    return quarters + (" and the year after" if solution.certificate.exit_usd is not None else "")


def amount(certificate: Certificate, value: float, sign: bool = False) -> str:
    """A value in the unit of the objective; a shortfall is said without its minus."""
    if certificate.wanted == "quarters_at_quota":
        return signed_tenths(value) if sign else tenths(value)
    return usd(value if sign else abs(value), sign=sign)


# What it is


def hours_rows(solution: Answer) -> Iterator[tuple[str, Sequence[float]]]:
    """Hours a week by quarter: by activity, then by partner and by segment that the manager prospects in."""
    from sim.plan import ACTIVITY_WORDS

    scenario, plan = solution.scenario, solution.plan
    layout = plan.table(scenario)
    rows = [(ACTIVITY_WORDS[activity], hours) for activity, hours in plan.hours_by_activity(scenario).items()]
    for words, names, hours_of_each in (
        ("with", scenario.partner_names, layout.partner.sum(axis=1)),
        ("prospecting", scenario.segment_names, layout.prospect),
        ("account manager:", scenario.partner_names, layout.channel_account_manager.sum(axis=1)),
    ):
        rows += [(f"  {words} {one_line(name)}", hours_of_each[:, i]) for i, name in enumerate(names)]
    for word, hours in rows:
        if max(hours) >= LEAST_SHOWN:
            yield word, hours.tolist()


def hours_cell(hours: float) -> str:
    """Hours a week as a table has room for them; too few to see are left out."""
    return hundredths(hours) if hours >= LEAST_SHOWN else ""


def parked_lines(solution: Answer) -> list[str]:
    """Say who is parked and when, if anybody is."""
    by_partner: dict[str, list[str]] = {}
    for row in solution.plan.parked:
        last = row.to_quarter or solution.scenario.horizon_quarters
        when = f"Q{row.from_quarter}" if last == row.from_quarter else f"Q{row.from_quarter}-Q{last}"
        by_partner.setdefault(row.partner, []).append(when)
    names = "; ".join(f"{one_line(name)} {', '.join(when)}" for name, when in by_partner.items())
    return [f"Parked: {names}."] if names else []


def coverage_lines(solution: Answer) -> list[str]:
    """Say which segments are covered in another way than partner first."""
    from sim.terms import COVERAGE_WORDS

    modes = {name: mode for name, mode in solution.plan.coverage_mode.items() if mode != "partner_first"}
    others = ", ".join(f"{one_line(name)} {COVERAGE_WORDS[mode]}" for name, mode in modes.items())
    return (
        [f"Coverage: {others}; the others partner first."] if others else ["Coverage: partner first in every segment."]
    )


def first_quarter_lines(solution: Answer) -> list[str]:
    """What to stop, start and so on, a line each, and what the first quarter costs."""
    known = solution.certificate
    first, payback = known.difference_by_quarter[solution.quarter - 1], known.payback_quarter
    unclear = "" if first.clear else ", which is not clear"
    pays = f"is not ahead of {known.against} at the end" if payback is None else f"is ahead for good from Q{payback}"
    size, low, high = (amount(known, value, sign=True) for value in (first.value, first.low, first.high))
    cost = f"in Q{solution.quarter} {size} ({low} to {high}) against {known.against}{unclear}; it {pays}"
    return [*change_lines(solution.scenario, solution.changes()), cost]


BEFORE_A_NAME = {
    "prospect": "prospecting in",
    "support": "reactive support of",
    "sell_for": "selling for",
    "recruit": "recruiting",
}
"""What is done with a partner, candidate or segment; of other activities, they are done with it."""


def change_lines(scenario: Scenario, changes: Iterable[Change]) -> list[str]:
    """What to stop, start, do more, do less and keep, a line each; who gets nothing any more is named once."""
    from optimize.monday.sheet import CHANGE_KINDS
    from sim.plan import ACTIVITY_WORDS

    changes = tuple(changes)
    going_on = {change.target for change in changes if change.kind != "stop"}
    partners = scenario.partner_names
    left = [change.target for change in changes if change.target in partners and change.target not in going_on]
    lines: dict[str, dict[str, list[str]]] = {}
    if left:
        lines["stop"] = {"all time with": [one_line(name) for name in dict.fromkeys(left) if name]}
    for change in changes:
        if change.target in left:
            continue
        today, planned = hundredths(change.today), hundredths(change.planned)
        hours = planned if change.kind == "start" else f"{today} to {planned}"
        name = [one_line(change.target)] if change.target else []
        words = " ".join(name if change.kind in ("stop", "keep") else [*name, hours])
        what = ACTIVITY_WORDS[change.activity]
        if name:
            what = BEFORE_A_NAME.get(change.activity, f"{what} with")
        lines.setdefault(change.kind, {}).setdefault(what, []).append(words)
    return [
        f"{kind}: " + "; ".join(f"{what} {', '.join(words)}".rstrip() for what, words in lines[kind].items())
        for kind in CHANGE_KINDS
        if kind in lines
    ]


def so_far_lines(solution: Answer) -> list[str]:
    """What was not as planned so far, and how surprising that is; nothing without actuals."""
    from optimize.replan.actuals import OF_MARKETS

    if not solution.alike:
        return []
    off = [f"{each.says} (as far out in {whole_percent(each.surprise)} of markets)" for each in solution.deviations]
    lines = off or [f"Everything is as planned, within what {OF_MARKETS} show."]
    return [*map(one_line, lines), one_line(solution.alike)]


# How good it is, and why


def certificate_lines(solution: Answer) -> list[str]:
    """How good the plan is and how we know it, a sentence each."""
    certificate = solution.certificate
    ends = sorted(certificate.interval, key=abs)
    values = (certificate.promised, certificate.realised, *ends, certificate.fluid_limit)
    promised, realised, low, high, fluid_limit = (amount(certificate, value) for value in values)
    direct, partner = map(signed_percent, certificate.promise_off_by_route)
    worlds, split_worlds = certificate.worlds_ahead, certificate.worlds_ahead_of_split
    more = (
        f"; more quota credit in {whole_percent(worlds.value)} of {count_of(worlds.observations, 'plausible world')}"
        if worlds
        else ""
    )
    better = f"; better in {whole_percent(split_worlds.value)} of the worlds" if split_worlds else ""
    at_quota, base_at_quota = certificate.quarters_at_quota.value, certificate.base_quarters_at_quota.value
    first, last = (with_interval(certificate.chance_of_quota[q], whole_percent) for q in (solution.quarter - 1, -1))
    lines = [
        f"Promised {promised}, realised {realised} ({low} to {high}) in "
        f"{count_of(certificate.realised_estimate.observations, 'market')} that the search never saw: the promise is "
        f"{signed_percent(certificate.promise_off)} off (own deals {direct}, partners' {partner}).",
        f"Ahead in {whole_percent(certificate.markets_ahead.value)} of these markets{more}.",
        f"Over the best of some constant splits ({one_line(certificate.best_split)}): "
        f"{with_interval(certificate.over_best_split)}{better}.",
        f"Quarters at quota: {tenths(at_quota)} against {tenths(base_at_quota)}; chance of quota {first} in "
        f"Q{solution.quarter}, {last} in the last quarter; attainment of the first year "
        f"{whole_percent(_first_year(solution))}, the mean.",
        f"One-hour test: {certificate.hour_test.says}.",
        f"Rounding to quarters of an hour: {signed_percent(certificate.rounding_gain)}.",
    ]
    if certificate.outcome == "optimal" and certificate.gap is not None:
        lines.append(f"The corrected model's plan is proven within {tenths_percent(certificate.gap)} of its best.")
    else:
        lines.append("The solver ran out of time: its plan can be done, but a better one may exist.")
    lines.append(f"The model before it was corrected, without queues and luck, expected {fluid_limit}.")
    if certificate.exit_usd is not None and certificate.exit_difference_usd is not None:
        lines.append(
            f"Year after the horizon: {usd(certificate.exit_usd.value)} of quota credit, "
            f"{usd(certificate.exit_difference_usd.value, sign=True)} against {certificate.against}."
        )
    if missed := floors_missed(certificate):
        lines.append(missed)
    return [
        *lines,
        f"{whole(certificate.simulated_runs)} simulated territories, {plain_whole(certificate.seconds)} seconds.",
    ]


def _first_year(solution: Answer) -> float:
    """Quota credit of the first year over its quota, mean of the markets."""
    year = list(zip(solution.certificate.attainment_by_quarter, solution.scenario.quota_usd(), strict=True))[:4]
    return sum(attained.value * quota for attained, quota in year) / sum(quota for _, quota in year)


def floors_missed(certificate: Certificate) -> str:
    """A warning, if the plan misses floors that were asked for."""
    if certificate.floors_missed <= FLOOR_SHOWN:
        return ""
    return f"FLOORS ARE MISSED by {tenths_percent(certificate.floors_missed)} of quota in the simulator: ask for less."


def reason_lines(solution: Answer, explanation: Explanation) -> list[str]:
    """Why the plan is as it is, and what would change it, a sentence each."""
    lines = []
    if explanation.hour_value_usd:
        ahead = list(enumerate(explanation.hour_value_usd, 1))[solution.quarter - 1 :]
        worth = ", ".join(f"{usd(value)} in Q{q}" for q, value in ahead)
        lines.append(f"One more hour is worth {worth}, by the corrected model (no intervals).")
    for limit in explanation.limits:
        costs = tenths_percent(limit.cost_share) if limit.cost_share > 0 else "nothing that the model can see"
        lines.append(f"Limit: {one_line(limit.says)} costs {costs}.")
    low, high = map(whole_percent, explanation.flat_shares)
    lines.append(
        f"{whole_percent(explanation.partner_share)} of the hours go to partners; of the same mix any share from {low} "
        f"to {high} is within 1%."
    )
    if explanation.runner_up is not None:
        share = explanation.runner_up.behind_share
        lines.append(
            f"Next best: {one_line(explanation.runner_up.says)}, behind by {with_interval(share, tenths_percent)}"
            + (f"; {turning_point(explanation.runner_up.robustness)}." if explanation.runner_up.robustness else ".")
        )
    if explanation.robustness is not None:
        lines.append(f"Against {solution.certificate.against}: {turning_point(explanation.robustness)}.")
    if explanation.markets_without_credit:
        markets = count_of(explanation.markets_without_credit, "market")
        lines.append(
            f"Against {solution.certificate.against}: it has no quota credit in any of {markets}, so no assumption can "
            f"turn a lead over it; see whether the segments of {_scenario_words(solution.scenario)} have opportunities."
        )
    return lines


def _scenario_words(scenario: Scenario) -> str:
    return one_line(scenario.of_file().removesuffix(": ") or scenario.name)


# This year against the next


def frontier_question(frontier: Frontier) -> str:
    """What the two sides of the frontier are."""
    through = frontier.scenario.horizon_quarters
    return (
        f"Attainment of Q1 to Q4, and the run-rate after Q{through}: quota credit a quarter in the year that follows, "
        "in which nobody is developed any more"
    )


FRONTIER_COLUMNS = ("attainment", "run-rate", "time with partners")


def frontier_row(point: Point) -> tuple[str, str, str, str]:
    """The plan's name, and what stands under FRONTIER_COLUMNS."""
    attained, after = point.attainment, point.exit_usd
    return (
        one_line(point.plan.name),
        f"{whole_percent(attained.value)} ±{whole_percent(half_width(attained))}",
        f"{usd(after.value)} {narrow_half_width(after)}",
        whole_percent(point.partner_share),
    )


def frontier_notes(frontier: Frontier) -> Iterator[str]:
    """What is to be known of the frontier: plans left out, markets, intervals."""
    unproven = [point.plan.name for point in frontier.points if not point.proven]
    if unproven:
        yield f"Not drawn, as the solver did not prove them in time: {', '.join(unproven)}."
    yield f"Means over {count_of(frontier.status_quo.attainment.observations, 'market')}, the same for all; ± 95%."


# Into the calendar


def clock(moment: time) -> str:
    """A time of day: 9:05."""
    return f"{moment.hour}:{moment.minute:02}"


def from_week(block: Block) -> str:
    """The week in which a block that is not weekly begins."""
    return "" if block.every_weeks == 1 else f", from week {block.first_week}"
