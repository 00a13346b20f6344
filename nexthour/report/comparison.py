"""Results in words: the sentences and numbers that the terminal, the screens and the exports have in common.

Left out: any run. A number told here is a field of what sim or optimize returned, or a mean of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexthour.report.numbers import (
    count_of,
    count_of_total,
    digits,
    exponents,
    interval,
    plain_whole,
    signed_percent,
    tenths,
    usd,
    usd_interval,
    whole,
    whole_percent,
)
from nexthour.report.text import one_line, with_article, with_capital

if TYPE_CHECKING:
    from sim import Comparison, Outcomes, Scenario
    from sim.study.estimates import Estimate
    from sim.study.experiment import PlanResult
    from sim.study.sensitivity import Robustness

UNITLESS = ("none", "probability", "ratio", "share")


def challengers(comparison: Comparison) -> dict[str, PlanResult]:
    """The results of the plans that are measured against the baseline, by name."""
    return {name: result for name, result in comparison.results.items() if name != comparison.baseline}


def result_of(comparison: Comparison, plan: str) -> PlanResult:
    """The result of a plan. Raises PlanError if it is not in the comparison."""
    from sim import PlanError
    from sim.documents.messages import guess, show

    if plan not in comparison.results:
        raise PlanError(f"{show(plan)} is not in the comparison; {guess(plan, list(comparison.results))}")
    return comparison[plan]


def verdict(comparison: Comparison, name: str) -> str:
    """One plan against the baseline, in a sentence or two."""
    result, base = comparison[name], with_article(comparison.baseline)
    markets = result.markets_ahead
    if markets.observations < 2:
        amount = usd(result.difference_usd.value, sign=True)
        return f"{name}: {amount} against {base} in one market, which says nothing about luck; take more markets."
    nothing = _no_credit_to_share(comparison)
    if nothing and result.credit_usd.value == 0:
        return f"{name}: no quota credit in any market, and none under {base} either."
    size, ahead, worlds = _difference(comparison, result), _markets(result), _worlds(result)
    if result.verdict == "no clear difference":
        need = result.replications_for_one_percent
        more = (
            f"{base} has no quota credit in any market"
            if nothing
            else "the interval is within 1% already"
            if need <= markets.observations
            else f"about {whole(need)} markets would pin it to within 1%"
        )
        return f"{name}: no clear difference from {base} ({size}), {ahead}{worlds}; {more}."
    amount = usd(abs(result.difference_usd.value))
    side = "ahead of" if result.verdict == "ahead" else "behind"
    return f"{name}: {side} {base} by {amount} ({size}), {ahead}, {payback(comparison, result)}{worlds}."


def headline(comparison: Comparison, name: str) -> str:
    """The answer alone, as a title has room for it: one plan against the baseline, without how surely."""
    result, base = comparison[name], with_article(comparison.baseline)
    if result.markets_ahead.observations < 2:
        return f"{name}: {usd(result.difference_usd.value, sign=True)} against {base}, in one market only"
    if _no_credit_to_share(comparison) and result.credit_usd.value == 0:
        return f"{name}: no quota credit in any market, and none under {base} either"
    over = f"over {count_of(comparison.scenario.horizon_quarters, 'quarter')}"
    if result.verdict == "no clear difference":
        return f"{name}: no clear difference from {base} {over}"
    side = "more" if result.verdict == "ahead" else "less"
    return f"{name} brings {usd(abs(result.difference_usd.value))} {side} quota credit than {base} {over}"


def how_sure(comparison: Comparison, name: str) -> str:
    """What belongs under a headline: the interval, and in how many markets and worlds the plan is ahead."""
    result = comparison[name]
    if result.markets_ahead.observations < 2:
        return "One market says nothing about luck; take more markets."
    return f"{_difference(comparison, result)}; {_markets(result)}{_worlds(result)}"


def _no_credit_to_share(comparison: Comparison) -> bool:
    """Whether there is no credit under the baseline plan of which a difference could be a share."""
    return comparison[comparison.baseline].credit_usd.value == 0


def _difference(comparison: Comparison, result: PlanResult) -> str:
    """The difference from the baseline with its interval: as a share, or in dollars if there is nothing to share."""
    share = result.difference_share
    if _no_credit_to_share(comparison):
        return difference_interval(result.difference_usd)
    return f"{signed_percent(share.value)}, 95% interval {interval(share)}"


def difference_interval(difference_usd: Estimate) -> str:
    """The interval of a difference in dollars; one market has none."""
    if difference_usd.observations < 2:
        return "one market, no interval"
    return f"95% interval {usd_interval(difference_usd, sign=True)}"


def _markets(result: PlanResult) -> str:
    return f"ahead in {count_of_total(result.markets_ahead)} markets"


def _worlds(result: PlanResult) -> str:
    return "" if result.worlds_ahead is None else f"; better in {count_of_total(result.worlds_ahead)} plausible worlds"


def hours_note(scenario: Scenario, seed: int, worlds: int) -> str:
    """Say in how many plausible worlds there are too few hours for reactive support; nothing if there are none."""
    from sim.split_hours import count_worlds_short_of_hours

    short = count_worlds_short_of_hours(scenario, seed, worlds)
    if not short:
        return ""
    return (
        f"In {short} of {count_of(worlds, 'plausible world')} reactive support of all partners takes more hours than "
        "the manager has; it is given as far as they go, and nothing is left for selling."
    )


def payback(comparison: Comparison, result: PlanResult) -> str:
    """When a plan is ahead of the baseline for good, as the end of a sentence."""
    if result.payback_quarter is None:
        return f"does not pay back within {count_of(comparison.scenario.horizon_quarters, 'quarter')}"
    return "ahead since quarter 1" if result.payback_quarter == 1 else f"pays back in quarter {result.payback_quarter}"


def explain_difference(comparison: Comparison, name: str) -> str:
    """Say whose deals make the difference from the baseline, and what became of the partners, from the runs."""
    from sim.study import estimates

    plan, base = comparison.outcomes[name], comparison.outcomes[comparison.baseline]
    if len(plan.values) < 2:
        return ""
    routes = {
        route: estimates.mean((plan[kpi] - base[kpi]).sum(axis=1))
        for route, kpi in (("partners bring", "partner_credit_usd"), ("your own deals bring", "direct_credit_usd"))
    }
    moved = [
        f"{route} {usd(abs(money.value))} {'more' if money.value > 0 else 'less'}"
        for route, money in sorted(routes.items(), key=lambda each: -each[1].value)
        if money.clear
    ]
    who = " and ".join(moved) if moved else "neither partners nor your own deals bring clearly more or less"
    last = f"Q{plan.scenario.horizon_quarters}"
    now, before = (_partners_at_the_end(outcomes) for outcomes in (plan, base))
    if now is None or before is None:
        return f"{with_capital(who)}."
    return (
        f"{with_capital(who)}: in {last} the partners win {now[0]}% as often as you "
        f"({before[0]}% under {with_article(comparison.baseline)}) and bring {now[1]} of 100 deals "
        f"({before[1]})."
    )


def chain_of_effects(comparison: Comparison, name: str) -> list[tuple[str, str]]:
    """Each link from hours to credit: what it is, and its value under the baseline and under the plan."""
    plan, base = comparison.outcomes[name], comparison.outcomes[comparison.baseline]
    links = [("hours a week with partners", f"{tenths(_partner_hours(base))} → {tenths(_partner_hours(plan))}")]
    before, now = (_partners_at_the_end(outcomes) for outcomes in (base, plan))
    if before is not None and now is not None:
        last = f"in Q{plan.scenario.horizon_quarters}"
        links += [
            (f"partners win, {last}", f"{before[0]}% → {now[0]}% as often as you"),
            (f"they bring, {last}", f"{before[1]} → {now[1]} of 100 deals"),
        ]
    routes = {"credit through partners": "partner_credit_usd", "credit of your own deals": "direct_credit_usd"}
    for what, kpi in routes.items():
        links.append((what, usd(float((plan[kpi] - base[kpi]).sum(axis=1).mean()), sign=True)))
    return links


def _partner_hours(outcomes: Outcomes) -> float:
    """Planned hours a week with partners, support among them, mean of the quarters."""
    by_activity = outcomes.plan.hours_by_activity(outcomes.scenario)
    return sum(float(hours.mean()) for use, hours in by_activity.items() if use not in ("sell", "prospect", "idle"))


def _partners_at_the_end(outcomes: Outcomes) -> tuple[str, str] | None:
    """How often partners win, in % of the manager's wins, and of 100 deals how many they bring, in the last quarter."""
    if not outcomes.scenario.all_partners:
        return None
    shares = (float((outcomes[stock][:, -1] ** power).mean()) for stock, power in exponents(outcomes.scenario).items())
    wins, brought = (plain_whole(100 * share) for share in shares)
    return wins, brought


def turning_point(plan: Robustness) -> str:
    """What turns the verdict on a plan, as the end of a sentence: the assumption nearest to doing so."""
    from sim.assumptions import PARTNER_TIME

    if plan.weakest is None:
        return "no single assumption flips it, as far as was looked"
    assumption, flip = plan.weakest
    verb = f"tips to {flip.beyond}" if plan.verdict == "no clear difference" else "flips"
    side = "below" if flip.value < assumption.likely else "above"
    if assumption.path == PARTNER_TIME:
        share = whole_percent(flip.value)
        turn = f"the {PARTNER_TIME} is {side} {share} of what is assumed ({interval(flip, whole_percent)})"
    else:
        share = "" if flip.share_of_likely is None else f"{whole_percent(flip.share_of_likely)} of what is assumed; "
        unit = "" if assumption.unit in UNITLESS else f" {assumption.unit}"
        value = f"{one_line(assumption.name)} is {side} {digits(flip.value)}{unit}"
        turn = f"{value} ({share}{digits(flip.low)} to {digits(flip.high)})"
    return f"{verb} if {turn}, which is {'' if flip.plausible else 'not '}plausible"
