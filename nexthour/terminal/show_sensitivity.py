"""What the terminal shows of a sensitivity analysis: what turns each verdict, the tornado, what is left on the table.

Left out: any computing. A number printed here is a field of what sim returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nexthour.report.comparison import turns_if
from nexthour.report.numbers import count_of, count_of_total, digits, half_width, interval
from nexthour.report.text import CAVEAT, one_line, with_article
from nexthour.terminal.tables import make_table, plain_console

if TYPE_CHECKING:
    from sim import Sensitivity
    from sim.study.estimates import Estimate
    from sim.study.flips import Flip
    from sim.study.sensitivity import Swing

BARS_SHOWN = 12
"""Bars of a tornado; those with a flip are shown too, however short they are."""


def print_sensitivity(result: Sensitivity) -> None:
    out = plain_console()
    scenario, base = result.scenario, with_article(result.baseline)
    best_first = sorted(result.plans, key=lambda name: -result[name].difference_share.value)
    out.print(one_line(scenario.question or scenario.name), style="bold")
    for name in best_first:
        out.print()
        out.print(_verdict(result, name))
    for name in best_first:
        swings = result[name].swings
        shown = [swing for i, swing in enumerate(swings) if i < BARS_SHOWN or swing.flips]
        if not shown:
            continue
        out.print()
        out.print(f"{name}: difference from {base} if one assumption is at an end of its plausible range")
        out.print(_tornado(shown))
        rest = [swing for swing in swings if swing not in shown]
        if rest:
            out.print(f"{count_of(len(rest), 'more assumption')}: at most {rest[0].width:.1%} between the ends.")
        widest = max(half_width(end) for swing in shown for end in (swing.at_low, swing.at_high))
        out.print(
            f"As assumed {result[name].difference_share.value:+.1%}. 95% intervals of the differences: up to "
            f"±{widest:.1%}; in brackets: not clear. Flips: 95% intervals, or a value that is sure to 3%; *: plausible."
        )
    if result.regret:
        out.print()
        out.print(
            f"Left on the table against the best of these plans in {count_of(result.worlds, 'plausible world')}, "
            f"as a share of the quota credit of {base}"
        )
        out.print(_regret_table(result))
    out.print()
    out.print(CAVEAT)


def _verdict(result: Sensitivity, name: str) -> str:
    its, base = result[name], with_article(result.baseline)
    share = its.difference_share
    surely = f"95% interval {interval(share)}"
    if its.verdict == "no clear difference":
        said = f"no clear difference from {base} ({share.value:+.1%}, {surely})"
    else:
        side = "ahead of" if its.verdict == "ahead" else "behind"
        said = f"{side} {base} by {abs(share.value):.1%} ({surely})"
    worlds = "" if its.worlds_ahead is None else f", better in {count_of_total(its.worlds_ahead)} plausible worlds"
    return f"{name}: {said}{worlds}; {turns_if(its)}."


def _tornado(swings: list[Swing]) -> Any:
    table = make_table("assumption", "likely", "low-high", "at low", "at high", "flips at")
    for swing in swings:
        assumption = swing.assumption
        table.add_row(
            one_line(assumption.name),
            digits(assumption.likely),
            f"{digits(assumption.low)}-{digits(assumption.high)}",
            _percent(swing.at_low),
            _percent(swing.at_high),
            "\n".join(f"{_where(flip)}{'*' if flip.plausible else ' '}" for flip in swing.flips),
        )
    return table


def _where(flip: Flip) -> str:
    """Three digits only where they are known."""
    return digits(flip.value) if flip.precise else f"{digits(flip.low, 2)}-{digits(flip.high, 2)}"


def _percent(difference: Estimate) -> str:
    return f"{difference.value:+.1%}" if difference.clear else f"({difference.value:+.1%})"


def _regret_table(result: Sensitivity) -> Any:
    table = make_table("plan", "mean", "worst tenth", "worst", "best in")
    for name, its in result.regret.items():
        figures = (its.mean.value, its.worst_tenth, its.worst)
        table.add_row(name, *(f"{figure:.1%}" for figure in figures), count_of_total(its.best_in))
    return table
