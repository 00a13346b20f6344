"""nexthour sensitivity: what turns each verdict, the tornado, and what is left on the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nexthour.report.comparison import hours_note, turning_point
from nexthour.report.numbers import (
    count_of,
    count_of_total,
    digits,
    half_width,
    interval,
    signed_percent,
    tenths_percent,
)
from nexthour.report.text import CAVEAT, one_line, with_article
from nexthour.terminal.common import AsJson, ScenarioFile, Seed, print_json, progress, read_scenario
from nexthour.terminal.options import Baseline, PlanOption, Replications, Workers, comparison_request, resolve
from nexthour.terminal.tables import make_table, plain_console, print_again, print_block
from sim.study.options import REPLICATIONS, SEED, WORLDS_OF_SENSITIVITY

if TYPE_CHECKING:
    from sim import Sensitivity
    from sim.study.estimates import Estimate
    from sim.study.flips import Flip
    from sim.study.sensitivity import Swing

BARS_SHOWN = 12
"""Bars of a tornado; those with a flip are shown too, however short they are."""


def command(
    context: typer.Context,
    scenario_file: ScenarioFile,
    plan: PlanOption = None,
    baseline: Baseline = None,
    replications: Replications = REPLICATIONS.default,
    seed: Seed = SEED.default,
    worlds: Annotated[int, typer.Option(help=WORLDS_OF_SENSITIVITY.help)] = WORLDS_OF_SENSITIVITY.default,
    of: Annotated[
        list[str] | None,
        typer.Option(help="An assumption to vary, by name; may be repeated. Default: all.", metavar="ASSUMPTION"),
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Say on which assumptions each verdict rests: at which value it turns, and in how many plausible worlds it holds.

    \b
    Examples:
      nexthour sensitivity baseline
      nexthour sensitivity baseline --plan "20% with Believers"
      nexthour sensitivity baseline --of "coach gain per week" --replications 4000
    """
    from sim.study.sensitivity import run_sensitivity

    scenario = read_scenario(scenario_file)
    asked = comparison_request(context, replications, plans=plan, baseline=baseline, seed=seed, worlds=worlds)
    request = resolve(asked, scenario, scenario_file)
    with progress(f"{len(request.plans_by_name)} plans under other assumptions") as bar:
        result = run_sensitivity(scenario, request, of, workers, bar)
    if as_json:
        print_json(result.as_dict())
        return
    print_sensitivity(result)
    again = asked.model_copy(update={"replications": request.replications}).options("replications", "seed", "worlds")
    again += [word for name in of or () for word in ("--of", name)]
    print_again(scenario, ["sensitivity", scenario_file, *again])


def print_sensitivity(result: Sensitivity) -> None:
    """Print on which assumptions each verdict rests, the verdicts first."""
    out = plain_console()
    scenario, base = result.scenario, with_article(result.baseline)
    best_first = sorted(result.plans, key=lambda name: -result[name].difference_share.value)
    out.print(one_line(scenario.question or scenario.name), style="bold")
    for name in best_first:
        print_block(out, _verdict(result, name))
    for name in best_first:
        swings = result[name].swings
        shown = [swing for i, swing in enumerate(swings) if i < BARS_SHOWN or swing.flips]
        if not shown:
            continue
        title = f"{name}: difference from {base} if one assumption is at an end of its plausible range"
        print_block(out, title, _tornado(shown))
        rest = [swing for swing in swings if swing not in shown]
        if rest:
            more, widest = count_of(len(rest), "more assumption"), tenths_percent(rest[0].width)
            out.print(f"{more}: at most {widest} between the ends.")
        half = tenths_percent(max(half_width(end) for swing in shown for end in (swing.at_low, swing.at_high)))
        out.print(
            f"As assumed {signed_percent(result[name].difference_share.value)}. 95% intervals of the differences: up "
            f"to ±{half}; in brackets: not clear. Flips: 95% intervals, or a value that is sure to 3%; *: plausible."
        )
    if result.regret:
        out.print(
            f"\nLeft on the table against the best of these plans in {count_of(result.worlds, 'plausible world')}, "
            f"as a share of the quota credit of {base}"
        )
        out.print(_regret_table(result))
    if note := hours_note(scenario, result.seed, result.worlds):
        print_block(out, note)
    out.print(f"\n{CAVEAT}")


def _verdict(result: Sensitivity, name: str) -> str:
    plan, base = result[name], with_article(result.baseline)
    share = plan.difference_share
    surely = f"95% interval {interval(share)}"
    if plan.verdict == "no clear difference":
        answer = f"no clear difference from {base} ({signed_percent(share.value)}, {surely})"
    else:
        side = "ahead of" if plan.verdict == "ahead" else "behind"
        answer = f"{side} {base} by {tenths_percent(abs(share.value))} ({surely})"
    worlds = "" if plan.worlds_ahead is None else f", better in {count_of_total(plan.worlds_ahead)} plausible worlds"
    return f"{name}: {answer}{worlds}; {turning_point(plan)}."


def _tornado(swings: list[Swing]) -> Any:
    table = make_table("assumption", "likely", "low-high", "at low", "at high", "flips at")
    for swing in swings:
        assumption = swing.assumption
        table.add_row(
            one_line(assumption.name),
            digits(assumption.likely),
            f"{digits(assumption.low)}-{digits(assumption.high)}",
            _share(swing.at_low),
            _share(swing.at_high),
            "\n".join(f"{_turning_point(flip)}{'*' if flip.plausible else ' '}" for flip in swing.flips),
        )
    return table


def _turning_point(flip: Flip) -> str:
    """The value at which a verdict turns: three digits where they are known, else the interval in two."""
    return digits(flip.value) if flip.precise else f"{digits(flip.low, 2)}-{digits(flip.high, 2)}"


def _share(difference: Estimate) -> str:
    return signed_percent(difference.value) if difference.clear else f"({signed_percent(difference.value)})"


def _regret_table(result: Sensitivity) -> Any:
    table = make_table("plan", "mean", "worst tenth", "worst", "best in")
    for name, regret in result.regret.items():
        figures = (regret.mean.value, regret.worst_tenth, regret.worst)
        table.add_row(name, *(tenths_percent(figure) for figure in figures), count_of_total(regret.best_in))
    return table
